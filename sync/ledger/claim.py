"""Take the best due run of a queue.

Guarantee: the queue's row is locked while choosing, so over all workers and machines the order is
exact and never more runs are running than the queue has slots.
"""

from typing import NamedTuple
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now

from sync.ledger.order import CLAIMABLE, ORDER, START_TAG, parameters
from sync.models import Lane, Queue, SyncAttempt, SyncRun
from sync.models.choices import RunState


class _Best(NamedTuple):
    run_id: UUID
    start_tag: float


def claim(provider: str, region: str, *, worker: str) -> SyncRun | None:
    """The run that is to start now, leased to `worker`; None when nothing is due or no slot is free."""
    with transaction.atomic():
        queue = Queue.objects.select_for_update().filter(provider=provider, region=region).first()
        if queue is None or queue.paused_at or _busy(queue) >= queue.concurrency:
            return None
        promote_due(provider, region)
        best = _best(provider, region)
        if best is None:
            return None
        run = _start(best.run_id, worker)
        _advance(queue, run, best.start_tag)
        return run


def promote_due(provider: str, region: str) -> int:
    """Queue the deferred runs whose time has come. Returns how many.

    One that somebody else just holds (to join or to cancel it) is left to the next time: waiting for
    several, in no order, might end in a deadlock.
    """
    due = SyncRun.objects.filter(
        provider=provider, region=region, state=RunState.DEFERRED, available_at__lte=Now()
    )
    with transaction.atomic():
        return SyncRun.objects.filter(pk__in=due.select_for_update(skip_locked=True).values("pk")).update(
            state=RunState.QUEUED,
            queued_at=F("available_at"),
            available_at=None,
            defer_reason="",
            waiting_for="",
        )


def slots_free(queue: Queue) -> int:
    """How many more runs of the queue may run now."""
    return max(0, queue.concurrency - _busy(queue))


def _busy(queue: Queue) -> int:
    return SyncRun.objects.running().filter(provider=queue.provider, region=queue.region).count()


def _best(provider: str, region: str) -> _Best | None:
    with database.cursor() as cursor:
        cursor.execute(
            f"SELECT run.id, {START_TAG} FROM {CLAIMABLE} ORDER BY {ORDER} "  # noqa: S608  (our own texts)
            "LIMIT 1 FOR UPDATE OF run SKIP LOCKED",
            parameters(provider, region),
        )
        row = cursor.fetchone()
    return _Best(*row) if row else None


def _start(run_id: UUID, worker: str) -> SyncRun:
    token = uuid4()
    SyncRun.objects.filter(pk=run_id, state=RunState.QUEUED).update(
        state=RunState.RUNNING,
        started_at=Coalesce("started_at", Now()),  # the first start; each has its attempt
        lease_token=token,
        lease_expires_at=Now() + settings.LEASE,
        worker=worker,
        starts_without_progress=F("starts_without_progress") + 1,
    )
    run = SyncRun.objects.select_related("connection__credential", "account__plan").get(pk=run_id)
    SyncAttempt.objects.create(run=run, lease_token=token, worker=worker, started_at=Now())
    return run


def _advance(queue: Queue, run: SyncRun, start_tag: float) -> None:
    """Charge the account's lane for this start, and move the queue's virtual time up to it."""
    Lane.objects.update_or_create(
        queue=queue, account_id=run.account_id, defaults={"tag": start_tag + 1 / run.account.weight}
    )
    Queue.objects.filter(pk=queue.pk).update(virtual_time=start_tag)


def better_run_waits(run: SyncRun) -> bool:
    """Whether a run of a better class than `run`'s waits while no slot of the queue is free."""
    queue = Queue.objects.get(provider=run.provider, region=run.region)
    if slots_free(queue):
        return False
    with database.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT FROM {CLAIMABLE} AND run.priority < %(priority)s)",  # noqa: S608
            {**parameters(run.provider, run.region), "priority": run.priority},
        )
        return bool(cursor.fetchone()[0])
