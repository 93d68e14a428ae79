"""The hourly sync of every active connection, spread over the hour; less often where Google's day is short.

Guarantee: one request per connection and slot, however many beats or external crons ask: whoever
moves `next_sync_at` on, which needs it to be as it was seen, makes the request in the same transaction.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from sync.errors import AlreadySyncing
from sync.google.pace import measure
from sync.ledger import wishes
from sync.ledger.request import request_sync
from sync.ledger.request_each import lock_idle, request_each
from sync.models import Account, Connection, SyncRun
from sync.models.choices import DeferReason, Provider, RunState, Trigger
from sync.models.connection import HOUR, ConnectionQuerySet

Intervals = dict[str, timedelta]  # by provider
Slots = dict[UUID, datetime]  # by connection: when it is due

BATCH = 5_000  # connections per call: a minute's share of 300,000
TOGETHER = 50  # connections per transaction: some tens of milliseconds during which claims wait


@dataclass
class Scheduled:
    """What became of the connections that were due."""

    total: int = 0
    queued: int = 0
    skipped: int = 0


def request_due(now: datetime, *, source: str = "beat") -> Scheduled:
    """Ask for a sync of each connection whose time has come."""
    every = _intervals()
    _bring_forward(now, every)
    return _request(Connection.objects.due(now)[:BATCH], now, source, every)


def request_hour(now: datetime, *, source: str = "cron") -> Scheduled:
    """The same for all that are still to come in this hour: an external cron calls once an hour."""
    end_of_hour = now.replace(minute=0, second=0, microsecond=0) + HOUR
    every = _intervals()
    _bring_forward(now, every)
    return _request(Connection.objects.active().filter(next_sync_at__lt=end_of_hour), now, source, every)


def _intervals() -> Intervals:
    """How often each provider's connections are synced."""
    google = measure()
    if google.has_grown:
        _release(Provider.GOOGLE)
    return {Provider.META: HOUR, Provider.GOOGLE: google.interval}


def _release(provider: Provider) -> None:
    """Let runs that wait for a budget try again: what they wait for was reckoned with a smaller one."""
    waiting = SyncRun.objects.filter(
        provider=provider,
        state=RunState.DEFERRED,
        defer_reason=DeferReason.BUDGET,
        available_at__gt=Now(),
    )
    with transaction.atomic():  # one that somebody else just holds waits on
        held = waiting.select_for_update(skip_locked=True).values("pk")
        SyncRun.objects.filter(pk__in=held).update(available_at=Now())


def _bring_forward(now: datetime, every: Intervals) -> None:
    """Slots that were given when an interval was longer: none is further away than two of them."""
    for provider, interval in every.items():
        far = Connection.objects.active().filter(provider=provider, next_sync_at__gt=now + 2 * interval)
        for connection in far[:BATCH]:
            row = Connection.objects.filter(pk=connection.pk, next_sync_at=connection.next_sync_at)
            row.update(next_sync_at=connection.slot_after(now, interval))


def _request(due: ConnectionQuerySet, now: datetime, source: str, every: Intervals) -> Scheduled:
    """Together where no run is open, as with nearly all; the others one by one, for they may join theirs."""
    result, line = Scheduled(), iter(list(due.values_list("pk", "next_sync_at")))
    while slots := dict(islice(line, TOGETHER)):
        asked = _request_together(slots, now, source, every)
        others = Connection.objects.filter(pk__in=slots.keys() - asked, next_sync_at__in=slots.values())
        for connection in others.select_related("account"):
            with transaction.atomic():
                if _take_slot(connection, now, every[connection.provider]):
                    result.queued += _request_one(connection, source)
        result.queued += len(asked)
        result.total += len(slots)
    result.skipped = result.total - result.queued
    return result


@transaction.atomic
def _request_together(slots: Slots, now: datetime, source: str, every: Intervals) -> set[UUID]:
    """Which of them got a request."""
    free = [one for one in lock_idle(slots) if one.next_sync_at == slots[one.pk]]
    free.sort(key=lambda one: one.next_sync_at)
    for connection in free:
        connection.next_sync_at = connection.slot_after(now, every[connection.provider])
    Connection.objects.bulk_update(free, ["next_sync_at"])
    request_each(free, trigger=Trigger.SCHEDULED, source=source, wishes=wishes.of_schedule)
    return {connection.pk for connection in free}


def _request_one(connection: Connection, source: str) -> bool:
    try:
        request_sync(
            connection.account,
            [connection],
            trigger=Trigger.SCHEDULED,
            source=source,
            wishes=wishes.of_schedule,
        )
    except AlreadySyncing:
        return False
    return True


def _take_slot(connection: Connection, now: datetime, every: timedelta) -> bool:
    """Move the connection's next sync on; False when somebody else did.

    The account's row is locked first, as by every request: the other way round, the two may deadlock.
    """
    Account.objects.select_for_update(no_key=True).get(pk=connection.account_id)
    row = Connection.objects.filter(pk=connection.pk, next_sync_at=connection.next_sync_at)
    return bool(row.update(next_sync_at=connection.slot_after(now, every)))
