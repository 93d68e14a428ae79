"""What a sync asks for of a connection: which kinds of runs, and how much each reads.

The one place where that is decided, for the schedule, the button, the admin and the commands alike.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from sync.ledger.scope import Scope
from sync.models import Connection
from sync.models.choices import Kind, Mode


class Wish(NamedTuple):
    """One run's worth of work."""

    kind: Kind
    scope: Scope = Scope()


Wishes = Callable[[Connection], Iterable[Wish]]


def of_person(connection: Connection) -> list[Wish]:
    """All that somebody who presses the button wants to see as it is now."""
    return _usual(connection, timezone.now() - settings.FULL_SYNC_EVERY)


def of_schedule(connection: Connection) -> list[Wish]:
    """The same by the clock. Each connection has a moment of the day for its full pass, spread over all."""
    return _usual(connection, connection.slot_before(timezone.now(), settings.FULL_SYNC_EVERY))


def only(*wishes: Wish) -> Wishes:
    """The same of every connection."""
    return lambda _: wishes


def _usual(connection: Connection, full_since: datetime) -> list[Wish]:
    """What keeps it fresh: all of it, unless that was read after `full_since`; then what changed."""
    last = connection.last_full_sync_at
    mode = Mode.FULL if last is None or last < full_since else Mode.INCREMENTAL
    return [Wish(Kind.CAMPAIGNS, Scope(mode)), Wish(Kind.INSIGHTS)]
