"""Ask for a sync of each of many connections, in a few statements for all of them: for the schedule.

Guarantee: as with `request_sync`, there is no second run where one is open, and no hint for a row that was
rolled back. The locks of `lock_idle` stay to the end of the caller's transaction.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from uuid import UUID

from django.db import transaction

from sync.ledger.nudge import nudge
from sync.ledger.queues import ensure_queue
from sync.ledger.request import new_run
from sync.ledger.scope import Ask
from sync.ledger.wishes import Wishes
from sync.models import Account, Connection, Queue, SyncRequest, SyncRun
from sync.models.choices import Kind, Priority, Trigger


def lock_idle(ids: Iterable[UUID]) -> list[Connection]:
    """Those of the connections without an open run, as they are now; until the commit nobody else asks for
    a sync of them."""
    wanted = Connection.objects.filter(pk__in=ids)
    accounts = Account.objects.filter(pk__in=wanted.values("account_id"))
    list(accounts.order_by("pk").select_for_update(no_key=True).values_list("pk"))
    locked = list(wanted.order_by("pk").select_for_update(no_key=True))
    busy = set(SyncRun.objects.filter(connection__in=locked).open().values_list("connection_id", flat=True))
    return [connection for connection in locked if connection.pk not in busy]


def request_each(idle: Sequence[Connection], *, trigger: Trigger, source: str, wishes: Wishes) -> None:
    """A request of its own for each of them, which `lock_idle` returned, and its runs; wakes the workers."""
    priority = Priority.MANUAL if trigger == Trigger.MANUAL else Priority.SCHEDULED
    requests = [SyncRequest(account_id=one.account_id, trigger=trigger, source=source) for one in idle]
    runs = [
        new_run(request, one, Ask(trigger, Kind(wish.kind), priority, wish.scope))
        for one, request in zip(idle, requests, strict=True)
        for wish in wishes(one)
    ]
    _lock_queues({(run.provider, run.region) for run in runs})
    SyncRequest.objects.bulk_create(requests)
    SyncRun.objects.bulk_create(runs)
    for queue in {(run.provider, run.region) for run in runs}:
        transaction.on_commit(partial(nudge, *queue, priority=priority))


def _lock_queues(names: set[tuple[str, str]]) -> None:
    """Many accounts' lanes change here: behind the queues' locks no two do it in different orders."""
    for name in names:
        ensure_queue(*name)
    queues = Queue.objects.order_by("pk").select_for_update(no_key=True)
    list(queues.filter(provider__in={provider for provider, _ in names}).values_list("pk"))
