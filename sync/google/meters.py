"""Google's day as it is shown beside a connection's windows."""

from datetime import datetime
from typing import NamedTuple

from providers.budget import Meter
from sync.google.operations import operations_of
from sync.google.project import day_limit
from sync.models import Connection
from sync.models.choices import Provider
from sync.models.limit import DAY


class Day(NamedTuple):
    """The project's operations and the account's share of them; nothing where no day is counted."""

    meters: tuple[Meter, ...] = ()
    free_at: float | None = None  # for people; None: now
    background_free_at: float | None = None


def day_of(connection: Connection) -> Day:
    """The day as it stands for the connection's account."""
    if connection.provider != Provider.GOOGLE:
        return Day()
    limit = day_limit()
    person = operations_of(connection.account, background=False)
    background = operations_of(connection.account, background=True)
    if limit is None or person is None or background is None:
        return Day()
    now, free_at = person.standing(), background.standing().free_at
    share = f"{connection.account.name}'s share of it in the background"
    return Day(
        meters=(
            _meter("Google's project", limit.calls, now.used, limit.source, _unix(now.free_at)),
            _meter(share, background.quota.share, now.used_by_account, "its plan's weight", _unix(free_at)),
        ),
        free_at=_unix(now.free_at),
        background_free_at=_unix(free_at),
    )


def _meter(label: str, limit: int, used: int, source: str, free_at: float | None) -> Meter:
    return Meter(
        key="",
        label=label,
        limit=limit,
        seconds=DAY,
        used=used,
        source=source,
        parked_until=None,
        parked_because="",
        background_until=None,
        background_because="",
        free_at=free_at,
    )


def _unix(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
