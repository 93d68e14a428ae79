"""Read the daily metrics of one ad account: a small answer at once, a larger one through a report run.

Days are the ad account's, both ends included; a day on which something was not delivered has no row.
Archived and deleted entities are asked for explicitly, and no breakdown of actions, so that a level's rows
add up to the level above it. `providers.meta.insight_rows` says which field becomes which value.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from zlib import crc32

from providers.errors import CursorExpired, InvalidRequest, PlatformFault, ProviderError, TooMuchData
from providers.http import reading
from providers.meta.fields import (
    ATTRIBUTION_WINDOWS,
    DEFAULT_ATTRIBUTION,
    INSIGHT_FIELDS,
    INSIGHT_HALVES,
    INSIGHT_LEVELS,
)
from providers.meta.graph import Graph, Params, Walk, after_of, continuing, json_text
from providers.meta.halves import Halves
from providers.meta.insight_rows import Question, insight_records
from providers.meta.parents import Parents, shown
from providers.meta.reports import Reports, Run
from providers.meta.usage import ADS_INSIGHTS
from providers.records import InsightPage, InsightSlice, Level
from providers.values import Row

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
        self.parents = Parents(graph, account_id)
        self._graph = graph
        self._account_id = account_id
        self._currency = currency
        self._reports = Reports(graph, account_id)
        self._too_heavy = set[Level]()  # as a whole, to be answered at once, as Meta said

    def pages(
        self, slice: InsightSlice, *, attribution: str, cursor: str | None, expected_rows: int
    ) -> Iterator[InsightPage]:
        """Read a slice page by page, or raise `ReportPending`; also after some pages, and then all rows come
        again, from the report. A cursor of a run leads on with that run: for a slice there is never a
        second one while the first lives."""
        question = self._question(slice, attribution)
        if cursor is None and self.parents.is_empty(slice):
            yield InsightPage([], None)
            return
        if slice.in_halves:
            yield self._in_halves(slice, question, cursor, expected_rows)
            return
        asked = self._asking(slice, question, INSIGHT_FIELDS[slice.level])
        run = Run.decode(cursor)
        if run is not None:
            _check_same(run.attribution, question)
            yield from self._reports.read(run, asked, question)
            return
        if cursor or self._is_small(slice, expected_rows):
            with self._or_by_a_report(slice):
                yield from self._at_once(slice, asked(), question, cursor)
                return
        raise self._reports.submit(asked(), question.attribution, expected_rows=expected_rows)

    def _in_halves(
        self, slice: InsightSlice, question: Question, cursor: str | None, expected_rows: int
    ) -> InsightPage:
        questions = [self._asking(slice, question, fields) for fields in INSIGHT_HALVES[slice.level]]
        halves = Halves(questions, question, self._reports)
        if cursor is None and self._is_small(slice, expected_rows):
            with self._or_by_a_report(slice):
                return halves.at_once(self._answers)
        return halves.by_reports(cursor, expected_rows)

    @contextmanager
    def _or_by_a_report(self, slice: InsightSlice) -> Iterator[None]:
        """Passes over what a report may answer."""
        try:
            yield
        except (TooMuchData, PlatformFault) as error:
            if not _is_for_a_report(error):
                raise
            if slice.is_whole and error.platform_code:
                self._too_heavy.add(slice.level)

    def _is_small(self, slice: InsightSlice, expected_rows: int) -> bool:
        """Whether it may be answered while the call waits."""
        return expected_rows <= AT_ONCE_ROWS and not (slice.is_whole and slice.level in self._too_heavy)

    def _at_once(
        self, slice: InsightSlice, params: Params, question: Question, cursor: str | None
    ) -> Iterator[InsightPage]:
        """Its cursors are `<attribution>:<after>`; of a part's, the parents that it asks for belong to it."""
        attribution, _, after = (cursor or "").partition(":")
        of_part = "" if slice.is_whole else f"{crc32(params['filtering'].encode()):x}."
        if cursor:
            _check_same(attribution.removeprefix(of_part), question)
        for rows, following in self._answers(params, after):
            with reading("Meta"):
                records = insight_records(rows, question)
            yield InsightPage(records, f"{of_part}{question.attribution}:{following}" if following else None)

    def _answers(self, params: Params, after: str = "") -> Iterator[tuple[list[Row], str]]:
        """Pages of rows, each with the cursor of the next one; too many of them are for a report."""
        path, walk = f"{self._account_id}/insights", Walk()
        for _ in range(AT_ONCE_PAGES):
            walk.step(after)
            asked = params | {"limit": str(PAGE_ROWS)} | continuing(after)
            body = self._graph.get(path, asked, endpoint=ENDPOINT, use_case=ADS_INSIGHTS)
            with reading("Meta"):
                rows, after = list(body["data"]), after_of(body)
            yield rows, after
            if not after:
                return
        raise TooMuchData("Meta has far more rows than were expected")

    def _asking(self, slice: InsightSlice, question: Question, fields: str) -> Callable[[], Params]:
        """The question, for both ways to ask it; whoever its parents are is asked for when it is put."""

        def params() -> Params:
            params = {
                "level": INSIGHT_LEVELS[slice.level],
                "fields": fields,
                "time_range": json_text({"since": slice.since.isoformat(), "until": slice.until.isoformat()}),
                "time_increment": "1",
                "action_attribution_windows": json_text(ATTRIBUTION_WINDOWS[question.attribution]),
            }
            if slice.level is Level.ACCOUNT:
                return params
            filters = [shown(slice.level), *self.parents.conditions(slice)]
            return params | {"filtering": json_text(filters)}

        return params

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
