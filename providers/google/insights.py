"""Read the daily metrics of one customer: one operation per slice, or two with conversions by type.

Days are the customer's, both ends included; a day on which something was not delivered has no row.
`providers.google.insight_rows` says which field becomes which value.
"""

from collections.abc import Callable, Iterator
from datetime import date
from itertools import chain

from providers.google import insight_queries
from providers.google.insight_rows import ByType, Question, insight_records, key_of
from providers.google.paging import paged
from providers.google.stream import Row
from providers.google.walk import Key, Walk, ids_key
from providers.http import reading
from providers.records import InsightPage, InsightRecord, InsightSlice

Ask = Callable[[str], Iterator[list[Row]]]


class Insights:
    """The insights of one customer, through `ask`, which makes a query."""

    def __init__(self, ask: Ask, currency: str, today: date) -> None:
        self._ask = ask
        self._currency = currency
        self._today = today

    def pages(
        self, slice: InsightSlice, *, attribution: str, cursor: str | None, size: int
    ) -> Iterator[InsightPage]:
        """Read a slice by day and id; the cursor is both of the last record: `2026-11-01/33~44`.

        What came before a cut is yielded before its error.
        """
        attribution = attribution or insight_queries.ATTRIBUTIONS[0]
        insight_queries.check(slice, attribution, self._today)
        start = _start(cursor)
        first = date.fromordinal(start[0]) if start else slice.since
        question = Question(slice.level, self._currency, attribution)
        records = self._records(slice, question, first, start)
        for page, is_end in paged(records, size):
            yield InsightPage(page, None if is_end else f"{page[-1].day}/{page[-1].external_id}")

    def _records(
        self, slice: InsightSlice, question: Question, first: date, start: Key
    ) -> Iterator[list[InsightRecord]]:
        walk = Walk(start, key_of)
        by_type: ByType | None = None
        if slice.by_type:
            rows = self._ask(insight_queries.types(slice, question.attribution, first))
            by_type = ByType(chain.from_iterable(rows), question)
        for some in self._ask(insight_queries.metrics(slice, question.attribution, first)):
            with reading("Google"):
                records = walk.fresh(insight_records(some, question, by_type))
            yield records


def _start(cursor: str | None) -> Key:
    """The key of what was read last; no key for the beginning."""
    if cursor is None:
        return ()
    day, _, external_id = cursor.partition("/")
    return date.fromisoformat(day).toordinal(), *ids_key(external_id)
