"""The words that rows may hold."""

from django.db import models


class Provider(models.TextChoices):
    META = "meta", "Meta"
    GOOGLE = "google", "Google Ads"


class Role(models.TextChoices):
    """What a member may do in an account: viewers read, members sync, owners connect."""

    OWNER = "owner"
    MEMBER = "member"
    VIEWER = "viewer"


class Kind(models.TextChoices):
    """What a run copies; the guide's three queues."""

    CAMPAIGNS = "campaigns"
    ADS = "ads"
    INSIGHTS = "insights"


class Mode(models.TextChoices):
    FULL = "full"
    INCREMENTAL = "incremental"


class Trigger(models.TextChoices):
    MANUAL = "manual"
    SCHEDULED = "scheduled"
    WEBHOOK = "webhook"
    RULE = "rule"
    RETRY = "retry"


class Priority(models.IntegerChoices):
    """The guide's classes: a smaller number starts first."""

    MANUAL = 1
    SCHEDULED = 5
    RETRY = 10


class RunState(models.TextChoices):
    QUEUED = "queued"  # due, waiting for a slot
    RUNNING = "running"  # held by a worker's lease
    DEFERRED = "deferred"  # not due before `available_at`
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # a dead letter, kept whole
    CANCELLED = "cancelled"


WAITING = (RunState.QUEUED, RunState.DEFERRED)
OPEN = (RunState.QUEUED, RunState.DEFERRED, RunState.RUNNING)
ENDED = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED)


class Health(models.TextChoices):
    """Whether what was asked for is there, and adds up."""

    HEALTHY = "HEALTHY", "all of it, or on the way without a failure"
    PARTIAL = "PARTIAL", "a part of it, or something does not add up, or on the way after a failure"
    UNHEALTHY = "UNHEALTHY", "nothing of it"


class DeferReason(models.TextChoices):
    """Why a run is not due yet. None of them uses up an attempt except `retry`."""

    BUDGET = "budget"
    RETRY = "retry"
    REPORT = "report"  # the platform is still preparing what was asked for
    GAVE_WAY = "gave_way"  # to a run of a better class
    OUTAGE = "outage"  # the platform is down, for everybody


class Outcome(models.TextChoices):
    """How one attempt ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DEFERRED = "deferred"
    CANCELLED = "cancelled"
    LOST = "lost"  # the worker died or fell silent


class Action(models.TextChoices):
    """What a person may do to the queue, or to something in it."""

    PAUSED = "paused"
    RESUMED = "resumed"
    CANCELLED = "cancelled"
    REPLAYED = "replayed"
    RESOLVED = "resolved"


class LimitScope(models.TextChoices):
    """What a call limit is about."""

    PROVIDER = "provider", "An app or project"
    PLAN = "plan", "A plan"
    ACCOUNT = "account", "An account"
    CONNECTION = "connection", "An ad account"


class CredentialStatus(models.TextChoices):
    ACTIVE = "active"
    RECONNECT_NEEDED = "reconnect_needed"


class ConnectionStatus(models.TextChoices):
    ACTIVE = "active"
    ACCESS_DENIED = "access_denied"  # closed, gone, or no longer permitted to the credential
    DISCONNECTED = "disconnected"


class EntityKind(models.TextChoices):
    CAMPAIGN = "campaign"
    AD_GROUP = "ad_group"
    AD = "ad"


class ChangeAction(models.TextChoices):
    CREATED = "created"
    UPDATED = "updated"
    REMOVED = "removed"
    RETURNED = "returned"
