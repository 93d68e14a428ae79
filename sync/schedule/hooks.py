"""What Meta's webhooks make due. Each is a hint: lost, doubled or late, it changes nothing for long.

A report that ended lets the run that waits for it start, or look again where it is at work. A change in an
ad account asks for what changed there, unless that was read since; what waits already is joined, so a hundred
hooks are one run.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sync.engine.insights.ended import remember
from sync.errors import AlreadySyncing
from sync.ledger.reports import let_start
from sync.ledger.request import request_sync
from sync.ledger.scope import Scope
from sync.models import Connection
from sync.models.choices import Kind, Mode, Priority, Provider, Trigger

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
    for connection in having.select_related("account").order_by("external_id", "pk"):
        _ask_for(connection, told.changed[connection.external_id])


def at(seconds: float) -> datetime:
    """A moment as the platform tells it."""
    return datetime.fromtimestamp(seconds, UTC)


def _ask_for(connection: Connection, changed_at: datetime) -> None:
    """What changed in the ad account; each tenant that has it has a connection of its own."""
    if connection.read_until and connection.read_until - CLOCKS > changed_at:
        return  # that is read, and the hook a late copy
    with suppress(AlreadySyncing):
        request_sync(
            connection.account,
            [connection],
            trigger=Trigger.WEBHOOK,
            source="webhook",
            kind=Kind.CAMPAIGNS,
            scope=Scope(Mode.INCREMENTAL),
            priority=Priority.SCHEDULED,
        )
