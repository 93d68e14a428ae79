"""Which days of a connection's metrics are complete, and which are missing."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from providers.records import Level
from sync.engine.insights.due import DAY
from sync.engine.insights.plan import attribution_of
from sync.models import Connection, InsightDay

Days = tuple[date, date]  # both included


class Completeness(NamedTuple):
    """One level's days from `since` to `until`."""

    level: Level
    since: date
    until: date
    complete: int  # days read to their end, under the attribution that is set
    final: int  # of them: what the platform tells will not move any more
    rows: int
    gaps: list[Days]  # the newest first

    @property
    def missing(self) -> int:
        """Days in the gaps."""
        return sum((until - since).days + 1 for since, until in self.gaps)


def completeness(connection: Connection, since: date | None, until: date) -> list[Completeness]:
    """By level, from `since` on; without it, from the first day that any level has, by whichever rule."""
    days = InsightDay.objects.filter(connection=connection)
    since = since or days.order_by("day").values_list("day", flat=True).first() or until
    complete = days.filter(attribution=attribution_of(connection), day__range=(since, until))
    found = complete.values_list("level", "day", "is_final", "rows")
    rows: dict[str, dict[date, tuple[bool, int]]] = {level.value: {} for level in Level}
    for level, day, is_final, number in found:
        rows[level][day] = is_final, number
    return [_of(level, since, until, rows[level.value]) for level in Level]


def _of(level: Level, since: date, until: date, days: dict[date, tuple[bool, int]]) -> Completeness:
    return Completeness(
        level,
        since,
        until,
        complete=len(days),
        final=sum(is_final for is_final, _ in days.values()),
        rows=sum(number for _, number in days.values()),
        gaps=list(_gaps(since, until, days)),
    )


def _gaps(since: date, until: date, days: dict[date, tuple[bool, int]]) -> Iterator[Days]:
    """From gap to gap, backwards."""
    last: date | None = None  # of the gap that the day is in
    day = until
    while day >= since:
        if day in days:
            if last:
                yield day + DAY, last
            last = None
        else:
            last = last or day
        day -= DAY
    if last:
        yield since, last
