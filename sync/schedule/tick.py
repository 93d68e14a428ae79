"""The tick: promote what became due, take back what was lost, and nudge the queues that have work.

It heals every lost hint and every lost worker, so nothing depends on a message arriving.
"""

from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.utils import timezone

from sync.ledger.claim import best_class_waiting, promote_due, slots_free
from sync.ledger.nudge import SOON_SECONDS, nudge, nudge_at
from sync.ledger.recover import take_back_lost
from sync.models import Queue, SyncRun
from sync.models.choices import Priority, RunState

logger = structlog.get_logger(__name__)

SOON_RUNS = 100  # more than that many at one moment are found by the drains that its first hints start


@dataclass
class Ticked:
    """What a tick did."""

    promoted: int = 0
    taken_back: int = 0
    nudged: int = 0


def tick() -> Ticked:
    """One round over all queues."""
    lost = take_back_lost()
    for run in lost:
        logger.warning("run taken back", run=str(run.pk), worker=run.worker)
    done = Ticked(taken_back=len(lost))
    for queue in Queue.objects.filter(paused_at=None):
        done.promoted += promote_due(queue.provider, queue.region)
        done.nudged += _nudge_if_waiting(queue)
        _tell_due_soon(queue)
    return done


def _nudge_if_waiting(queue: Queue) -> int:
    best = best_class_waiting(queue)
    if best is None or not slots_free(queue):
        return 0
    return int(nudge(queue.provider, queue.region, priority=list(Priority)[best]))


def _tell_due_soon(queue: Queue) -> None:
    """Runs that become due before the next tick start when they are, by hints for that moment."""
    deferred = SyncRun.objects.filter(provider=queue.provider, region=queue.region, state=RunState.DEFERRED)
    soon = deferred.filter(available_at__lt=timezone.now() + timedelta(seconds=SOON_SECONDS))
    for run in soon.only("available_at").order_by("available_at")[:SOON_RUNS]:
        if run.available_at:
            nudge_at(queue.provider, queue.region, run.available_at)
