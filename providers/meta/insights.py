"""Read the daily metrics of one ad account: a small answer at once, a larger one through a report run.

Days are the ad account's, both ends included; a day on which something was not delivered has no row.
Archived and deleted entities are asked for explicitly, and no breakdown of actions, so that a level's rows
add up to the level above it. `providers.meta.insight_rows` says which field becomes which value.
"""

from collections.abc import Callable, Iterator

from providers.errors import CursorExpired, InvalidRequest, PlatformFault, ProviderError, TooMuchData
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
from providers.meta.reports import Reports, Run
from providers.meta.selection import condition
from providers.meta.usage import ADS_INSIGHTS
from providers.records import InsightPage, InsightSlice, Level

ENDPOINT = "insights"
PAGE_ROWS = 1_000  # of an answer at once: it has to be made while the call waits
# A report takes a call to submit, one or two to look, and one for each 5,000 rows.
AT_ONCE_ROWS = 2 * PAGE_ROWS
AT_ONCE_PAGES = 4  # where more came than was expected: what is left may be anything
TOO_WIDE = "100/1487534"  # for both ways to ask: only a narrower question helps
TOO_SLOW = "2/1504044"  # to be answered at once


class Insights:
    """The insights of one ad account."""

    def __init__(self, graph: Graph, account_id: str, currency: Callable[[], str]) -> None:
        self._graph = graph
        self._account_id = account_id
        self._currency = currency
        self._reports = Reports(graph, account_id)
        self._too_heavy = set[Level]()  # to be answered at once, as Meta said

    def pages(
        self, slice: InsightSlice, *, attribution: str, cursor: str | None, expected_rows: int
    ) -> Iterator[InsightPage]:
        """Read a slice page by page, or raise `ReportPending`; also after some pages, and then all rows come
        again, from the report. A cursor of a run leads on with that run: for a slice there is never a
        second one while the first lives."""
        question = self._question(slice, attribution)
        params = _params(slice, question.attribution)
        run = Run.decode(cursor)
        if run is not None:
            _check_same(run.attribution, question)
            yield from self._reports.read(run, params, question)
            return
        if cursor or (expected_rows <= AT_ONCE_ROWS and slice.level not in self._too_heavy):
            try:
                yield from self._at_once(params, question, cursor)
            except (TooMuchData, PlatformFault) as error:
                if not _is_for_a_report(error):
                    raise
                self._too_heavy.add(slice.level)
            else:
                return
        raise self._reports.submit(params, question.attribution, expected_rows=expected_rows)

    def _at_once(self, params: Params, question: Question, cursor: str | None) -> Iterator[InsightPage]:
        """Its cursors are `<attribution>:<after>`."""
        attribution, _, after = (cursor or f"{question.attribution}:").partition(":")
        _check_same(attribution, question)
        path, walk = f"{self._account_id}/insights", Walk()
        for _ in range(AT_ONCE_PAGES):
            walk.step(after)
            asked = params | {"limit": str(PAGE_ROWS)} | continuing(after)
            body = self._graph.get(path, asked, endpoint=ENDPOINT, use_case=ADS_INSIGHTS)
            with reading("Meta"):
                records = insight_records(body["data"], question)
                after = after_of(body)
            yield InsightPage(records, f"{question.attribution}:{after}" if after else None)
            if not after:
                return
        raise self._reports.submit(params, question.attribution)

    def _question(self, slice: InsightSlice, attribution: str) -> Question:
        attribution = attribution or DEFAULT_ATTRIBUTION
        if attribution not in ATTRIBUTION_WINDOWS:
            known = ", ".join(ATTRIBUTION_WINDOWS)
            raise InvalidRequest(f"Meta has no attribution {attribution!r}: choose one of {known}")
        return Question(slice.level, self._account_id, self._currency(), attribution)


def _check_same(attribution: str, question: Question) -> None:
    """Rows that are counted by two rules are no slice."""
    if attribution != question.attribution:
        raise CursorExpired("The stored page cursor belongs to another attribution")


def _is_for_a_report(error: ProviderError) -> bool:
    """Whether what can't be answered at once may be prepared."""
    if isinstance(error, TooMuchData):
        return error.platform_code != TOO_WIDE
    return error.platform_code == TOO_SLOW


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
