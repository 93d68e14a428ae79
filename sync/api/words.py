"""The contract's words for our states, in one place."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import TextChoices

from sync.models import SyncRun
from sync.models.choices import WAITING, Health, Kind, Mode, RunState, Trigger

QUEUES = {"campaign-sync": Kind.CAMPAIGNS, "ad-sync": Kind.ADS, "insights-sync": Kind.INSIGHTS}


class Status(TextChoices):
    """What a run, or a request with several runs, is told to be."""

    PENDING = "pending", "waiting, or deferred with its progress kept"
    RUNNING = "running", "running"
    SUCCESS = "SUCCESS", "succeeded"
    FAILED = "FAILED", "failed"
    CANCELLED = "CANCELLED", "cancelled"


class SyncType(TextChoices):
    """How much was asked for; anything that a person asked for is manual."""

    MANUAL = "MANUAL"
    FULL = "FULL"
    INCREMENTAL = "INCREMENTAL"


ENDED = {
    RunState.SUCCEEDED: Status.SUCCESS,
    RunState.FAILED: Status.FAILED,
    RunState.CANCELLED: Status.CANCELLED,
}


def status(run: SyncRun) -> Status:
    """One run's status."""
    if run.state in WAITING:
        return Status.PENDING
    return Status.RUNNING if run.state == RunState.RUNNING else ENDED[RunState(run.state)]


def status_together(statuses: Collection[Status]) -> Status:
    """Several runs' status: the first of these that any of them has."""
    order = (Status.RUNNING, Status.PENDING, Status.FAILED, Status.CANCELLED)
    return next((word for word in order if word in statuses), Status.SUCCESS)


def sync_type(run: SyncRun) -> SyncType:
    """Manual, or how much of the ad account it reads."""
    if run.trigger == Trigger.MANUAL:
        return SyncType.MANUAL
    return SyncType.FULL if run.mode == Mode.FULL else SyncType.INCREMENTAL


def health_together(healths: Collection[Health]) -> Health:
    """Several runs' health: what they agree on, else partial."""
    words = set(healths)
    return words.pop() if len(words) == 1 else Health.PARTIAL


def retries(run: SyncRun) -> int:
    """How often it was tried again: the failure that ended it was followed by no retry."""
    return max(0, run.failed_attempts - (run.state == RunState.FAILED))


def seconds(start: datetime | None, end: datetime | None) -> int | None:
    """A duration in whole seconds; None while it is not over, or never began."""
    return round((end - start).total_seconds()) if start and end else None


def length(total: float) -> str:
    """A duration as people write it."""
    minutes, rest = divmod(round(total), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes}m"
    return f"{minutes}m {rest}s" if minutes else f"{rest}s"


def percent(part: int, whole: int) -> str:
    """A rate such as "98.0%"; where nothing happened, nothing went wrong."""
    return f"{100 * part / whole if whole else 100:.1f}%"
