"""The Celery tasks: thin. Their names are a public interface; messages outlive deployments."""

from dataclasses import asdict
from typing import Any

from celery import Task, shared_task
from django.db import OperationalError
from django.utils import timezone

from sync import alive
from sync.engine.drain import drain
from sync.schedule import beat as beat  # connects the signal that makes beat's rows
from sync.schedule.cleanup import clean_up
from sync.schedule.hourly import request_due
from sync.schedule.tick import tick
from sync.schedule.upkeep import keep_up
from sync.worker import heart as heart  # connects the signals of a worker's parent process
from sync.worker import stop as stop

# The database being away is waited for in seconds; longer outages are healed by the tick.
RETRY: dict[str, Any] = {"autoretry_for": (OperationalError,), "retry_backoff": 2, "max_retries": 3}


@shared_task(bind=True, name="sync.work", **RETRY)
def work(self: "Task[Any, Any]", provider: str, region: str) -> None:
    """Do the due runs of one provider, best first, while there are any and a slot is free.

    The message is a hint: lost, doubled or late, it changes nothing, for the ledger decides.
    """
    drain(provider, region, worker=str(self.request.hostname))


@shared_task(name="sync.tick", ignore_result=False, **RETRY)
def tick_task() -> dict[str, int]:
    """Promote, take back, nudge."""
    done = tick()
    alive.record_tick()
    return asdict(done)


@shared_task(name="sync.hourly", ignore_result=False, **RETRY)
def hourly() -> dict[str, Any]:
    """Ask for the scheduled syncs that are due."""
    return asdict(request_due(timezone.now()))


@shared_task(name="sync.upkeep", ignore_result=False, **RETRY)
def upkeep() -> dict[str, int]:
    """Mend holds, give up what nobody reconnects, make next month's partition."""
    return asdict(keep_up())


@shared_task(name="sync.clean_up", ignore_result=False, **RETRY)
def clean_up_task() -> dict[str, int]:
    """Remove what is past its retention."""
    return asdict(clean_up())
