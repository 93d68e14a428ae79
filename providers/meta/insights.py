"""Read the daily metrics of one ad account: a small answer at once, a larger one through a report run.

Days are the ad account's, both ends included; a day on which something was not delivered has no row.
Archived and deleted entities are asked for explicitly, and no breakdown of actions, so that a level's rows
add up to the level above it. `providers.meta.insight_rows` says which field becomes which value.
"""

from collections.abc import Callable, Iterator

from providers.errors import InvalidRequest
from providers.http import reading
from providers.meta.fields import (
    ATTRIBUTION_WINDOWS,
    DEFAULT_ATTRIBUTION,
    INSIGHT_FIELDS,
    INSIGHT_LEVELS,
    INSIGHT_STREAMS,
    STATUSES,
)
from providers.meta.graph import Graph, Params, Walk, after_of, continuing, json_text
from providers.meta.insight_rows import Question, insight_records
from providers.meta.selection import condition
from providers.meta.usage import ADS_INSIGHTS
from providers.records import InsightPage, InsightSlice, Level

ENDPOINT = "insights"
PAGE_ROWS = 1_000  # of an answer at once: it has to be made while the call waits


class Insights:
    """The insights of one ad account."""

    def __init__(self, graph: Graph, account_id: str, currency: Callable[[], str]) -> None:
        self._graph = graph
        self._account_id = account_id
        self._currency = currency

    def pages(
        self, slice: InsightSlice, *, attribution: str, cursor: str | None, expected_rows: int
    ) -> Iterator[InsightPage]:
        """Read a slice page by page."""
        question = self._question(slice, attribution)
        params = _params(slice, question.attribution) | {"limit": str(PAGE_ROWS)}
        walk, after = Walk(), cursor or ""
        while True:
            walk.step(after)
            path = f"{self._account_id}/insights"
            body = self._graph.get(path, params | continuing(after), endpoint=ENDPOINT, use_case=ADS_INSIGHTS)
            with reading("Meta"):
                records = insight_records(body["data"], question)
                after = after_of(body)
            yield InsightPage(records, after or None)
            if not after:
                return

    def _question(self, slice: InsightSlice, attribution: str) -> Question:
        attribution = attribution or DEFAULT_ATTRIBUTION
        if attribution not in ATTRIBUTION_WINDOWS:
            known = ", ".join(ATTRIBUTION_WINDOWS)
            raise InvalidRequest(f"Meta has no attribution {attribution!r}: choose one of {known}")
        return Question(slice.level, self._account_id, self._currency(), attribution)


def _params(slice: InsightSlice, attribution: str) -> Params:
    """The question, for both ways to ask it."""
    params = {
        "level": INSIGHT_LEVELS[slice.level],
        "fields": INSIGHT_FIELDS[slice.level],
        "time_range": json_text({"since": slice.since.isoformat(), "until": slice.until.isoformat()}),
        "time_increment": "1",
        "action_attribution_windows": json_text(ATTRIBUTION_WINDOWS[attribution]),
    }
    if slice.level is Level.ACCOUNT:
        return params
    statuses = STATUSES[INSIGHT_STREAMS[slice.level]]
    shown = condition(f"{INSIGHT_LEVELS[slice.level]}.effective_status", "IN", statuses)
    return params | {"filtering": json_text([shown])}
