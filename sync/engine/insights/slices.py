"""Days as slices: whole where a platform can answer them at once, the newest first. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from providers.records import EVERY_ID, Ids, InsightSlice, Level

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
    return newest_first(slices)


def newest_first(slices: Iterable[InsightSlice]) -> list[InsightSlice]:
    """In the order of a run; of one time the small levels first."""
    levels = list(Level)
    return sorted(slices, key=lambda one: (-one.until.toordinal(), levels.index(one.level)))


def days_of(slice: InsightSlice) -> list[date]:
    """Each of them."""
    return [slice.since + number * DAY for number in range(days_in(slice))]


def halves(slice: InsightSlice) -> tuple[InsightSlice, InsightSlice]:
    """The newer and the older half of a slice of several days."""
    middle = slice.since + (slice.until - slice.since) // 2
    return slice._replace(since=middle + DAY), slice._replace(until=middle)


def as_text(slice: InsightSlice) -> str:
    """Short, for a checkpoint: `ad 2026-11-01 2026-11-01 campaigns=12..15 in_halves`."""
    return " ".join([slice.level.value, str(slice.since), str(slice.until), *_narrowing(slice)])


def of_text(text: str) -> InsightSlice:
    """From the text of `as_text`."""
    level, since, until, *narrowing = text.split()
    slice = InsightSlice(Level(level), date.fromisoformat(since), date.fromisoformat(until))
    for word in narrowing:
        name, _, ids = word.partition("=")
        told: dict[str, Any] = {name: Ids(*ids.split("..")) if ids else True}
        slice = slice._replace(**told)
    return slice


def part_of(slice: InsightSlice) -> str:
    """Which part of its day it is; empty where it is all of it."""
    return " ".join(_narrowing(slice))


def whole(slice: InsightSlice) -> InsightSlice:
    """All of the slice's days."""
    return InsightSlice(slice.level, slice.since, slice.until)


def _narrowing(slice: InsightSlice) -> Iterable[str]:
    for name, ids in (("campaigns", slice.campaigns), ("ad_groups", slice.ad_groups)):
        if ids != EVERY_ID:
            yield f"{name}={ids.first}..{ids.end}"
    if slice.in_halves:
        yield "in_halves"


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
