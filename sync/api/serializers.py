"""What the answers look like: every field by name and type, so that nothing is shown by accident."""

from typing import Any

from rest_framework import serializers
from rest_framework.serializers import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    DictField,
    IntegerField,
    ListField,
    UUIDField,
)

from providers.errors import Category
from sync.api.words import QUEUES, Status, SyncType
from sync.models.choices import Health, Provider

CATEGORIES = [category.value for category in Category]


class Answer(serializers.Serializer[Any]):
    """Base of what is only ever written."""


class ErrorSerializer(Answer):
    """Why not; some answers have further fields."""

    error = CharField(help_text="A short title.")
    message = CharField(help_text="A sentence to act on.")


class RunSerializer(Answer):
    """One line of the sync history."""

    id = UUIDField()
    provider = ChoiceField(Provider.choices)
    syncType = ChoiceField(SyncType.choices)
    status = ChoiceField(Status.choices)
    healthStatus = ChoiceField(Health.choices)
    startedAt = DateTimeField(allow_null=True)
    completedAt = DateTimeField(allow_null=True)
    duration = IntegerField(allow_null=True, help_text="Whole seconds; null until it has ended.")
    campaignsSync = IntegerField()
    adGroupsSync = IntegerField()
    adsSync = IntegerField()
    insightsSync = IntegerField()
    errorMessage = CharField(allow_null=True)
    errorCategory = ChoiceField(CATEGORIES, allow_null=True)
    retryCount = IntegerField()


class LastSyncSerializer(Answer):
    """The sync that ended last."""

    provider = ChoiceField(Provider.choices)
    status = ChoiceField(Status.choices)
    completedAt = DateTimeField()
    duration = IntegerField(allow_null=True, help_text="Whole seconds.")
    campaignsSync = IntegerField()
    adGroupsSync = IntegerField()
    adsSync = IntegerField()
    insightsSync = IntegerField()


class NextSyncSerializer(Answer):
    """The scheduled sync that comes next; nulls when nothing is scheduled."""

    provider = ChoiceField(Provider.choices, allow_null=True)
    scheduledAt = DateTimeField(allow_null=True)


class JobSerializer(Answer):
    """The run that is running now."""

    id = UUIDField()
    provider = ChoiceField(Provider.choices)
    syncType = ChoiceField(SyncType.choices)
    progress = IntegerField()
    stage = CharField()
    startedAt = DateTimeField()


class FailureSerializer(Answer):
    """A run of the last day that ended as a dead letter."""

    id = UUIDField()
    error = CharField()
    timestamp = DateTimeField()
    attempts = IntegerField()


class QueueStateSerializer(Answer):
    """What runs, what waits and why, what failed."""

    isActive = BooleanField()
    isWaiting = BooleanField()
    queuePosition = IntegerField(allow_null=True, help_text="1 starts next; null when nothing can start.")
    estimatedStartAt = DateTimeField(allow_null=True)
    waitingFor = CharField(allow_null=True)
    hasRecentFailures = BooleanField()
    activeJob = JobSerializer(allow_null=True)
    recentFailures = FailureSerializer(many=True)


class NumbersSerializer(Answer):
    """How many runs of one kind."""

    waiting = IntegerField()
    active = IntegerField()
    completed = IntegerField()
    failed = IntegerField()
    delayed = IntegerField()
    total = IntegerField()


def _per_queue(name: str, prefix: str) -> type[Answer]:
    fields = {queue: NumbersSerializer() for queue in QUEUES}
    return type(name, (Answer,), {**fields, "__doc__": f"{prefix} of each of the guide's queues."})


QueuesSerializer = _per_queue("QueuesSerializer", "The numbers")


class ConnectionSerializer(Answer):
    """An ad account."""

    id = UUIDField()
    externalId = CharField()
    name = CharField()
    status = CharField(help_text="active, paused, reconnect_needed, access_denied or disconnected")
    lastSyncAt = DateTimeField(allow_null=True)
    nextSyncAt = DateTimeField(allow_null=True)
    hasErrors = BooleanField()


class ProviderSerializer(Answer):
    """An ad account and what its syncs are doing."""

    provider = ChoiceField(Provider.choices)
    connection = ConnectionSerializer()
    queue = QueueStateSerializer()


class StatsSerializer(Answer):
    """Figures of the last days, as many as every run is kept."""

    totalSyncs = IntegerField()
    successfulSyncs = IntegerField()
    failedSyncs = IntegerField()
    successRate = CharField()
    avgDuration = IntegerField(help_text="Whole seconds.")
    avgDurationMs = IntegerField()
    avgDurationFormatted = CharField()
    lastSuccessfulSync = DateTimeField(allow_null=True)
    lastFailedSync = DateTimeField(allow_null=True)
    errorCategories = DictField(child=IntegerField())
    manualSyncsToday = IntegerField()
    maxManualSyncsPerDay = IntegerField()
    canSyncManually = BooleanField()
    nextScheduledSync = DateTimeField(allow_null=True)


class FullStatsSerializer(Answer):
    """The same again where an older widget reads it."""

    accountId = UUIDField()
    providers = ProviderSerializer(many=True)
    recentSyncs = RunSerializer(many=True)
    stats = StatsSerializer()
    queues = QueuesSerializer()
    timestamp = DateTimeField()


class StatusSerializer(FullStatsSerializer):
    """What an account's syncs are doing."""

    isRunning = BooleanField()
    currentProvider = ChoiceField(Provider.choices, allow_null=True)
    progress = IntegerField()
    message = CharField()
    lastSync = LastSyncSerializer(allow_null=True)
    nextSync = NextSyncSerializer()
    queueStatus = NumbersSerializer()
    recentErrors = IntegerField()
    queue = QueueStateSerializer(help_text="Of all ad accounts shown.")
    fullStats = FullStatsSerializer()


class AttemptSerializer(Answer):
    """One start of a run."""

    jobId = UUIDField()
    worker = CharField()
    startedAt = DateTimeField()
    endedAt = DateTimeField(allow_null=True)
    outcome = CharField(allow_null=True)
    message = CharField(allow_null=True)
    errorCategory = ChoiceField(CATEGORIES, allow_null=True)
    errorCode = CharField(allow_null=True)
    platformCode = CharField(allow_null=True)
    traceId = CharField(allow_null=True)
    calls = IntegerField()


class RecordsSerializer(Answer):
    """Records copied."""

    campaigns = IntegerField()
    adGroups = IntegerField()
    ads = IntegerField()
    insights = IntegerField()
    total = IntegerField()


class IssueSerializer(Answer):
    """Something of an ad account that can't be read, or does not add up."""

    connectionId = UUIDField()
    externalId = CharField()
    issue = CharField(help_text="reconnect_needed, access_denied, or a sentence.")


class ChangesByEntitySerializer(Answer):
    """How many entities differed, by what happened to them."""

    campaigns = DictField(child=IntegerField())
    adGroups = DictField(child=IntegerField())
    ads = DictField(child=IntegerField())


class RunStatusSerializer(Answer):
    """A run, or a request's runs together."""

    jobId = UUIDField()
    jobIds = ListField(child=UUIDField())
    syncHistoryId = UUIDField()
    status = ChoiceField(Status.choices)
    healthStatus = ChoiceField(Health.choices)
    progress = IntegerField()
    stage = CharField()
    recordsProcessed = RecordsSerializer()
    queuePosition = IntegerField(allow_null=True)
    waitingFor = CharField(allow_null=True)
    estimatedStartAt = DateTimeField(allow_null=True)
    estimatedTimeRemaining = IntegerField(allow_null=True, help_text="Milliseconds; null: can't be told.")
    startedAt = DateTimeField(allow_null=True)
    completedAt = DateTimeField(allow_null=True)
    duration = IntegerField(allow_null=True, help_text="Whole seconds.")
    provider = ChoiceField(Provider.choices)
    syncType = ChoiceField(SyncType.choices)
    errorMessage = CharField(allow_null=True)
    errorCategory = ChoiceField(CATEGORIES, allow_null=True)
    retryCount = IntegerField()
    detectedChanges = DictField(child=IntegerField())
    changesByEntity = ChangesByEntitySerializer()
    accessIssues = IssueSerializer(many=True)
    dataDiscrepancies = IssueSerializer(many=True)
    attempts = AttemptSerializer(many=True)
