"""What of a single day is too much for Meta, in parts: below some campaigns, some ad groups, or in two
questions that each ask for half of the fields.

Which parents a day has is asked of Meta itself, by their ids alone: whatever has a row is below one that has.
A stored slice names ranges of ids, so it is short, and what came since belongs to one of them, too.
"""

from datetime import date
from math import ceil
from typing import Any, NamedTuple

from providers.errors import TooMuchData
from providers.http import reading
from providers.meta.fields import INSIGHT_LEVELS, INSIGHT_STREAMS, STATUSES
from providers.meta.graph import Body, Graph, Params, Walk, after_of, continuing, json_text
from providers.meta.selection import IDS_PER_CALL, condition
from providers.meta.usage import ADS_INSIGHTS
from providers.records import EVERY_ID, Ids, InsightSlice, Level

ENDPOINT = "insights"
PAGE_ROWS, SMALLEST_PAGE = 1_000, 50  # of ids and days alone
# By which parents a level is divided, the farthest first: the slice's field, and their level.
RUNGS: dict[Level, tuple[tuple[str, Level], ...]] = {
    Level.AD_GROUP: (("campaigns", Level.CAMPAIGN),),
    Level.AD: (("campaigns", Level.CAMPAIGN), ("ad_groups", Level.AD_GROUP)),
}


class _Asked(NamedTuple):
    """Whose ids are asked for."""

    level: Level
    day: date
    campaigns: Ids  # that they are in


class Parents:
    """Who has rows on which day, as this ad account told it lately."""

    def __init__(self, graph: Graph, account_id: str) -> None:
        self._graph = graph
        self._account_id = account_id
        self._known: dict[_Asked, list[str]] = {}  # in their order
        self._limit = PAGE_ROWS

    def narrower(self, slice: InsightSlice) -> list[InsightSlice]:
        """The parts of a slice of a single day; none where it is asked for in halves already."""
        if slice.in_halves:
            return []
        for name, level in RUNGS.get(slice.level, ()):
            try:
                ids = self._ids(slice, level)
            except TooMuchData:
                break  # even of who they are
            if len(ids) > 1:
                size = min(IDS_PER_CALL, ceil(len(ids) / 2))
                ranges = getattr(slice, name).cut(ids[::size])
                return [slice._replace(**{name: part}) for part in ranges]
        return [slice._replace(in_halves=True)]

    def is_empty(self, slice: InsightSlice) -> bool:
        """Whether the slice is below parents that are not there any more."""
        return any(not self._ids(slice, level) for level in _narrowed(slice))

    def conditions(self, slice: InsightSlice) -> list[dict[str, Any]]:
        """Filters for what is below the slice's parents."""
        return [
            condition(f"{INSIGHT_LEVELS[level]}.id", "IN", self._ids(slice, level))
            for level in _narrowed(slice)
        ]

    def _ids(self, slice: InsightSlice, level: Level) -> list[str]:
        """Of the slice's campaigns, or of the ad groups in them."""
        if level is Level.CAMPAIGN:
            asked, own = _Asked(level, slice.since, EVERY_ID), slice.campaigns
        else:
            asked, own = _Asked(level, slice.since, slice.campaigns), slice.ad_groups
        if asked not in self._known:
            self._known[asked] = sorted(self._ask(asked))
        return [one for one in self._known[asked] if own.has(one)]

    def _ask(self, asked: _Asked) -> set[str]:
        name = f"{INSIGHT_LEVELS[asked.level]}_id"
        params, after, walk = self._params(asked, name), "", Walk()
        ids = set[str]()
        while True:
            walk.step(after)
            body = self._page(params | continuing(after))
            with reading("Meta"):
                ids |= {str(row[name]) for row in body["data"]}
                after = after_of(body)
            if not after:
                return ids

    def _page(self, params: Params) -> Body:
        """Where Meta asks for less, a smaller one at once."""
        path = f"{self._account_id}/insights"
        while True:
            try:
                asked = params | {"limit": str(self._limit)}
                return self._graph.get(path, asked, endpoint=ENDPOINT, use_case=ADS_INSIGHTS)
            except TooMuchData:
                if self._limit <= SMALLEST_PAGE:
                    raise
            self._limit = max(SMALLEST_PAGE, self._limit // 2)

    def _params(self, asked: _Asked, name: str) -> Params:
        filters = [shown(asked.level)]
        if asked.campaigns != EVERY_ID:
            within = InsightSlice(Level.AD_GROUP, asked.day, asked.day, campaigns=asked.campaigns)
            filters += self.conditions(within)
        return {
            "level": INSIGHT_LEVELS[asked.level],
            "fields": name,
            "time_range": json_text({"since": asked.day.isoformat(), "until": asked.day.isoformat()}),
            "filtering": json_text(filters),
        }


def shown(level: Level) -> dict[str, Any]:
    """The filter for a level's rows in every status: without it archived and deleted ones are left out."""
    return condition(f"{INSIGHT_LEVELS[level]}.effective_status", "IN", STATUSES[INSIGHT_STREAMS[level]])


def _narrowed(slice: InsightSlice) -> list[Level]:
    """By which parents: ad groups are in campaigns, so they alone tell enough."""
    if slice.ad_groups != EVERY_ID:
        return [Level.AD_GROUP]
    return [Level.CAMPAIGN] if slice.campaigns != EVERY_ID else []
