"""Days as slices: whole where a platform can answer them at once, the newest first. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from providers.records import InsightSlice, Level

DAY = timedelta(days=1)
LONGEST = 40  # days; what is re-read weekly fits in, a longer range is cut where the months are


def slices_of(days_by_level: Mapping[Level, Iterable[date]]) -> list[InsightSlice]:
    """All days in the fewest slices: the newest first, of one time the small levels first."""
    slices = [
        InsightSlice(level, *part)
        for level, days in days_by_level.items()
        for since, until in _ranges(days)
        for part in _cut(since, until)
    ]
    levels = list(Level)
    return sorted(slices, key=lambda one: (-one.until.toordinal(), levels.index(one.level)))


def halves(slice: InsightSlice) -> tuple[InsightSlice, InsightSlice]:
    """The newer and the older half of a slice of several days."""
    middle = slice.since + (slice.until - slice.since) // 2
    return slice._replace(since=middle + DAY), slice._replace(until=middle)


def days_in(slice: InsightSlice) -> int:
    """How many."""
    return (slice.until - slice.since).days + 1


def _ranges(days: Iterable[date]) -> list[tuple[date, date]]:
    ranges: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if ranges and day - ranges[-1][1] == DAY:
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges


def _cut(since: date, until: date) -> Iterable[tuple[date, date]]:
    if (until - since).days < LONGEST:
        yield since, until
        return
    while until.replace(day=1) > since:
        first = until.replace(day=1)
        yield first, until
        until = first - DAY
    yield since, until
