"""`/api/runs`: every sync of every ad account that is kept, the newest first."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework.serializers import (
    CharField,
    ChoiceField,
    DateField,
    DateTimeField,
    IntegerField,
    JSONField,
    SerializerMethodField,
    UUIDField,
)

from sync.api.data.fields import words
from sync.api.data.listing import DataView, DetailView, ListView, Orderings, detail_of, list_of
from sync.api.data.query import During, Nothing, OfConnections
from sync.api.data.row import Row
from sync.api.run_status import ATTEMPTS_SHOWN, attempt_line
from sync.api.serializers import CATEGORIES, AttemptSerializer
from sync.api.words import Status, SyncType, retries, seconds, status, sync_type
from sync.ledger.waiting import RELATED, waiting_for
from sync.models import SyncAttempt, SyncRun
from sync.models.choices import Health, Kind, Mode, Provider, RunState, Trigger

LOOKUPS = {
    "provider": "provider__in",
    "kind": "kind__in",
    "mode": "mode__in",
    "state": "state__in",
    "trigger": "trigger__in",
    "since": "created_at__gte",
    "until": "created_at__lt",
}
ORDERINGS: Orderings = {"createdAt": "created_at"}


class RunFilters(During, OfConnections):
    """Which runs. `since` and `until` are about when they were asked for."""

    kind = words(Kind.values)
    mode = words(Mode.values)
    state = words(RunState.values)
    trigger = words(Trigger.values)


class TextOrNull(CharField):
    """What is empty is null."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_null=True, **options)

    def to_representation(self, value: str) -> str | None:  # type: ignore[override]  # null, which DRF knows
        return value or None


class RunRow(Row):
    """One sync of one ad account."""

    on_request = ("campaignIds", "adGroupIds", "adIds", "accessIssues", "dataDiscrepancies", "attempts")

    id = UUIDField()
    requestId = UUIDField(source="request_id", help_text="The request that made it: its `jobId`.")
    connectionId = UUIDField(source="connection_id")
    provider = ChoiceField(Provider.choices)
    kind = ChoiceField(Kind.choices)
    mode = ChoiceField(Mode.choices)
    trigger = ChoiceField(Trigger.choices)
    syncType = SerializerMethodField()
    state = ChoiceField(RunState.choices, help_text="As the ledger has it.")
    status = SerializerMethodField(help_text="As the sync status tells it.")
    healthStatus = SerializerMethodField()
    stage = CharField(help_text="What it is doing now.")
    progress = IntegerField(help_text="Percent.")
    createdAt = DateTimeField(source="created_at")
    startedAt = DateTimeField(source="started_at", allow_null=True)
    completedAt = DateTimeField(source="finished_at", allow_null=True)
    availableAt = DateTimeField(source="available_at", allow_null=True, help_text="Deferred until then.")
    duration = SerializerMethodField(help_text="Whole seconds; null until it has ended.")
    levels = JSONField(help_text="Of insights; none: each.")
    dateFrom = DateField(source="date_from", allow_null=True, help_text="Of insights; null: what is due.")
    dateTo = DateField(source="date_to", allow_null=True)
    campaignsSync = IntegerField(source="campaigns_count")
    adGroupsSync = IntegerField(source="ad_groups_count")
    adsSync = IntegerField(source="ads_count")
    insightsSync = IntegerField(source="insights_count")
    detectedChanges = JSONField(source="changes", help_text="Count by kind.")
    calls = IntegerField(help_text="Calls made at the platform.")
    errorMessage = TextOrNull(source="error_message")
    errorCategory = TextOrNull(source="error_category", help_text=", ".join(CATEGORIES))
    errorCode = TextOrNull(source="error_code")
    retryCount = SerializerMethodField()
    waitingFor = SerializerMethodField(help_text="Why it has not started; null unless it waits.")
    campaignIds = JSONField(source="campaign_ids", help_text="None of the three kinds of ids: all.")
    adGroupIds = JSONField(source="ad_group_ids")
    adIds = JSONField(source="ad_ids")
    accessIssues = JSONField(source="access_issues")
    dataDiscrepancies = JSONField(source="data_discrepancies")
    attempts = SerializerMethodField(help_text=f"The newest {ATTEMPTS_SHOWN}, the oldest of them first.")

    @extend_schema_field(ChoiceField(SyncType.choices))
    def get_syncType(self, run: SyncRun) -> str:
        return sync_type(run)

    @extend_schema_field(ChoiceField(Status.choices))
    def get_status(self, run: SyncRun) -> str:
        return status(run)

    @extend_schema_field(ChoiceField(Health.choices))
    def get_healthStatus(self, run: SyncRun) -> str:
        return run.health

    def get_duration(self, run: SyncRun) -> int | None:
        return seconds(run.started_at, run.finished_at)

    def get_retryCount(self, run: SyncRun) -> int:
        return retries(run)

    def get_waitingFor(self, run: SyncRun) -> str | None:
        waits: dict[UUID, str] = self.context["waits"]
        return waits.get(run.pk)

    @extend_schema_field(AttemptSerializer(many=True))
    def get_attempts(self, run: SyncRun) -> list[dict[str, Any]]:
        newest: list[SyncAttempt] = run.newest_attempts  # type: ignore[attr-defined]  # prefetched
        return [dict(AttemptSerializer(attempt_line(attempt)).data) for attempt in reversed(newest)]


class RunsOfAccountView(DataView):
    """Rows are whole runs, for what is told of them is more than their columns."""

    def queryset(self) -> QuerySet[Any, Any]:
        return SyncRun.objects.of_account(self.account)

    def selected(self, queryset: QuerySet[Any, Any], columns: set[str]) -> QuerySet[Any, Any]:
        if "waitingFor" in self.chosen:
            queryset = queryset.select_related(*RELATED)
        if "attempts" not in self.chosen:
            return queryset
        newest = SyncAttempt.objects.order_by("-started_at")[:ATTEMPTS_SHOWN]
        return queryset.prefetch_related(Prefetch("attempts", newest, to_attr="newest_attempts"))

    def about(self, rows: Sequence[SyncRun]) -> dict[str, Any]:
        return {"waits": waiting_for(rows) if "waitingFor" in self.chosen else {}}


@list_of("runs", RunFilters, RunRow, ORDERINGS)
class RunsView(RunsOfAccountView, ListView):
    """The account's syncs, waiting, running and ended."""

    usual_order = ["-createdAt"]
    key = ("created_at", "id")

    def queryset(self) -> QuerySet[Any, Any]:
        wanted = {LOOKUPS[name]: value for name, value in self.asked.items() if name in LOOKUPS}
        if "connection" not in self.asked:
            return super().queryset().filter(**wanted)
        own = list(self.connections)
        if len(own) == 1:  # without the account, whose other runs the planner would read through
            return SyncRun.objects.filter(connection_id=own[0], **wanted)
        return super().queryset().filter(connection_id__in=own, **wanted)


@detail_of("run", Nothing, RunRow)
class RunView(RunsOfAccountView, DetailView):
    """One sync with its attempts."""

    key_column = "id"
