"""What a selection means to Meta: which listings, narrowed by which filters."""

from datetime import datetime
from typing import Any, NamedTuple

from providers.base import Selection
from providers.meta.fields import LEVELS
from providers.meta.graph import json_text
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


def filtering(stream: Stream, part: Slice, since: datetime | None) -> dict[str, str]:
    """The parameter; every field with its prefix, for without one it filters nothing."""
    filters = [condition(f"{part.level}.id", "IN", part.ids)] if part.level else []
    if since is not None:
        # Strict at Meta, and in whole seconds: from one before, nothing of that second is missed.
        updated = f"{LEVELS[stream]}.updated_time"
        filters.append(condition(updated, "GREATER_THAN", int(since.timestamp()) - 1))
    return {"filtering": json_text(filters)} if filters else {}


def condition(field: str, operator: str, value: object) -> dict[str, Any]:
    """One filter; all of a call's are met at once."""
    return {"field": field, "operator": operator, "value": value}
