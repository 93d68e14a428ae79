"""What a selection means at Google: the queries that it takes, which share no row.

GAQL knows no OR, and a list holds at most 20,000 values.
"""

from collections.abc import Iterable
from typing import NamedTuple

from providers.base import Selection
from providers.errors import CursorExpired, InvalidRequest
from providers.google.queries import ID, numbers
from providers.records import Stream

IDS_PER_QUERY = 10_000  # half of what a filter may hold, and all that one `change_status` can tell


class Part(NamedTuple):
    """One query's share: its conditions, and whom it is for where they let others pass as well."""

    conditions: tuple[str, ...] = ()
    only: frozenset[str] | None = None


def parts_of(stream: Stream, selection: Selection) -> list[Part]:
    """The queries for a stream, in the order in which cursors count them; none where nothing is selected."""
    if selection.since is not None:
        raise InvalidRequest("Google filters no stream by time: ask `changed` what to read")
    if selection.is_all:
        return [Part()]
    parts: list[Part] = []
    outside: tuple[str, ...] = ()
    for field, ids in _above(stream, selection):
        lists = [numbers(some) for some in _some(ids)]
        parts += [Part((*outside, f"{field} IN ({some})")) for some in lists]
        outside += tuple(f"{field} NOT IN ({some})" for some in lists)
    for some in _some(_own(stream, selection)):
        number = numbers(external_id.rpartition("~")[2] for external_id in some)
        only = frozenset(some) if stream is Stream.ADS else None  # other ad groups may hold the same ad
        parts.append(Part((*outside, f"{ID[stream]} IN ({number})"), only))
    return parts


class Place(NamedTuple):
    """Where a walk through the parts goes on: behind a row of one of them, or at its beginning."""

    part: int = 0
    after: str | None = None

    @property
    def cursor(self) -> str:
        """The first part's cursors are bare external ids."""
        return f"{self.part}:{self.after or ''}" if self.part or not self.after else self.after


def place_of(cursor: str | None, parts: list[Part]) -> Place:
    """Read a cursor. `CursorExpired` where the selection no longer has its part."""
    if cursor is None:
        return Place()
    number, _, after = cursor.rpartition(":")
    part = int(numbers([number])) if number else 0
    if part >= len(parts):
        raise CursorExpired("The selection has changed since the cursor was given")
    return Place(part, after or None)


def _above(stream: Stream, selection: Selection) -> list[tuple[str, tuple[str, ...]]]:
    """Whose children the stream is to hold."""
    above = [("campaign.id", selection.campaign_ids), ("ad_group.id", selection.ad_group_ids)]
    depth = {Stream.CAMPAIGNS: 0, Stream.AD_GROUPS: 1, Stream.ADS: 2}
    return above[: depth[stream]] if selection.with_children else []


def _own(stream: Stream, selection: Selection) -> tuple[str, ...]:
    match stream:
        case Stream.CAMPAIGNS:
            return selection.campaign_ids
        case Stream.AD_GROUPS:
            return selection.ad_group_ids
        case Stream.ADS:
            if not all("~" in external_id for external_id in selection.ad_ids):
                raise InvalidRequest("Google's ads are named by ad group and ad, as 33~44")
            return selection.ad_ids


def _some(ids: Iterable[str]) -> list[list[str]]:
    """As many as one query takes, each once and in one order, so that cursors keep their meaning."""
    each = sorted(set(ids))
    return [each[start : start + IDS_PER_QUERY] for start in range(0, len(each), IDS_PER_QUERY)]
