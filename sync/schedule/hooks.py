"""What Meta's webhooks make due. Each is a hint: lost, doubled or late, it changes nothing for long.

A report that ended lets the run that waits for it start, or look again where it is at work. A change in an
ad account asks for what changed there, unless that was read since, or a run that will read it waits already:
so a flood of hooks is one request, and costs a few reads each.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sync.engine.insights.ended import remember
from sync.errors import AlreadySyncing
from sync.ledger.reports import let_start
from sync.ledger.request import request_sync
from sync.ledger.scope import Ask, Scope, covers
from sync.models import Connection, SyncRun
from sync.models.choices import Kind, Mode, Priority, Provider, Trigger

ASK = Ask(Trigger.WEBHOOK, Kind.CAMPAIGNS, Priority.SCHEDULED, Scope(Mode.INCREMENTAL))
CLOCKS = timedelta(minutes=5)  # that Meta's clock may be ahead of ours, or a listing behind the change


class Told(NamedTuple):
    """What one delivery tells, each thing once."""

    reports: frozenset[str]  # that ended, well or badly: the run finds out
    changed: dict[str, datetime]  # ad accounts, as `act_<digits>`, and when they changed last


def heed(told: Told) -> None:
    """Let everything start that is due by it."""
    remember(told.reports)  # first: a run that is about to wait for one looks here when it does
    let_start(told.reports)
    having = Connection.objects.active().filter(provider=Provider.META, external_id__in=list(told.changed))
    connections = list(having.select_related("account").order_by("external_id", "pk"))
    awaited = _awaited(connections)
    for connection in connections:
        if connection.pk not in awaited:
            _ask_for(connection, told.changed[connection.external_id])


def at(seconds: float) -> datetime:
    """A moment as the platform tells it."""
    return datetime.fromtimestamp(seconds, UTC)


def _awaited(connections: list[Connection]) -> set[UUID]:
    """Those of which a run waits that reads all that is asked for: to join it would change nothing."""
    if not connections:
        return set()
    waits = SyncRun.objects.waiting().filter(
        connection__in=connections, kind=ASK.kind, priority__lte=ASK.priority
    )
    return {run.connection_id for run in waits if covers(run, ASK)}


def _ask_for(connection: Connection, changed_at: datetime) -> None:
    """What changed in the ad account; each tenant that has it has a connection of its own."""
    if connection.read_until and connection.read_until - CLOCKS > changed_at:
        return  # that is read, and the hook a late copy
    with suppress(AlreadySyncing):
        request_sync(
            connection.account,
            [connection],
            trigger=ASK.trigger,
            source="webhook",
            kind=ASK.kind,
            scope=ASK.scope,
            priority=ASK.priority,
        )
