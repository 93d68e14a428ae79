"""What a selection means to Meta: which listings, narrowed by which filters."""

from datetime import datetime
from typing import Any, NamedTuple

from providers.base import Selection
from providers.meta.fields import FIELDS, LEVELS, STATUSES
from providers.meta.graph import Params, json_text
from providers.records import Stream

IDS_PER_CALL = 50  # makes URLs of 2 kB: much longer ones have been answered with 500


class Slice(NamedTuple):
    """One listing: the rows that are, or are below, one of `ids` at `level`; without a level, all."""

    level: str = ""
    ids: tuple[str, ...] = ()


def slices_of(stream: Stream, selection: Selection) -> list[Slice]:
    """The listings that give all of the stream that is selected, parents' first; none where nothing is.

    Filters are all met at once, so what is chosen at two levels takes two listings.
    """
    chosen = dict(
        zip(Stream, (selection.campaign_ids, selection.ad_group_ids, selection.ad_ids), strict=True)
    )
    if not any(chosen.values()):
        return [Slice()]
    streams = list(Stream)
    above = streams[: streams.index(stream)] if selection.with_children else []
    return [
        Slice(LEVELS[level], ids[start : start + IDS_PER_CALL])
        for level in (*above, stream)
        for ids in (chosen[level],)
        for start in range(0, len(ids), IDS_PER_CALL)
    ]


class Listing(NamedTuple):
    """A stream's rows in a slice, of those only what was updated since a time."""

    stream: Stream
    slice: Slice
    since: datetime | None = None

    @property
    def is_short(self) -> bool:
        """Whether it is likely to be one page: a few ids, or what changed lately."""
        return self.slice.level == LEVELS[self.stream] or (not self.slice.level and self.since is not None)

    def params(self, after: str, limit: int) -> Params:
        """Of the call for one page; the first one tells how many rows there are in all."""
        params = {"fields": FIELDS[self.stream], "limit": str(limit)} | self.filters()
        return params | ({"after": after} if after else {"summary": "total_count"})

    def filters(self) -> Params:
        """Every status; and every filter with its prefix, for without one it filters nothing."""
        every = {"effective_status": json_text(STATUSES[self.stream])}
        level, ids = self.slice
        filters = [condition(f"{level}.id", "IN", ids)] if level else []
        if self.since is not None:
            # Strict at Meta, and in whole seconds: from one before, nothing of that second is missed.
            updated = f"{LEVELS[self.stream]}.updated_time"
            filters.append(condition(updated, "GREATER_THAN", int(self.since.timestamp()) - 1))
        return every | ({"filtering": json_text(filters)} if filters else {})


def short_listings(first: Listing, selection: Selection) -> list[Listing]:
    """From this one on, in the order of a sync: the short listings of a selection; none where the first is
    not short."""
    streams = list(Stream)
    listings = [
        Listing(stream, part, selection.since)
        for stream in streams[streams.index(first.stream) :]
        for part in slices_of(stream, selection)
    ]
    return [one for one in listings[listings.index(first) :] if one.is_short] if first.is_short else []


def condition(field: str, operator: str, value: object) -> dict[str, Any]:
    """One filter; all of a call's are met at once."""
    return {"field": field, "operator": operator, "value": value}
