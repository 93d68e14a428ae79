"""A slice whose fields are asked for in two questions, its rows joined before anybody sees one.

Only the last step of what is too much, so there are few rows: they are kept in memory until both answers are
there, and are one page. So no row is ever half of what it was, and nothing of a half is stored.
"""

from collections.abc import Callable, Iterable
from typing import NoReturn

from providers.errors import CursorExpired, ReportPending
from providers.http import reading
from providers.meta.fields import INSIGHT_LEVELS
from providers.meta.graph import Params
from providers.meta.insight_rows import Question, insight_records
from providers.meta.reports import Reports, Run
from providers.records import InsightPage
from providers.values import Row

MARK = "halves "  # begins the cursor: the runs that were asked for so far, one after the other


class Halves:
    """The two questions of one slice."""

    def __init__(self, questions: list[Callable[[], Params]], question: Question, reports: Reports) -> None:
        self._questions = questions
        self._question = question
        self._reports = reports

    def at_once(self, pages: Callable[[Params], Iterable[tuple[list[Row], str]]]) -> InsightPage:
        """Both answered while the calls wait."""
        answers = (pages(params()) for params in self._questions)
        return self._joined([row for rows, _ in answer for row in rows] for answer in answers)

    def by_reports(self, cursor: str | None, expected_rows: int) -> InsightPage:
        """Both prepared, one after the other; raises `ReportPending` until they are."""
        runs = _runs(cursor)
        if not runs:
            self._submit([], expected_rows)
        for run in runs:
            if run.attribution != self._question.attribution:
                raise CursorExpired("The stored page cursor belongs to another attribution")
        last = len(runs) - 1
        self._wait_for(runs, last, lambda: self._reports.check(runs[last], self._questions[last]))
        if len(runs) < len(self._questions):
            self._submit(runs, expected_rows)
        return self._joined(self._rows(runs, place) for place in range(len(runs)))

    def _submit(self, runs: list[Run], expected_rows: int) -> NoReturn:
        params = self._questions[len(runs)]()
        pending = self._reports.submit(params, self._question.attribution, expected_rows=expected_rows)
        raise _pending(runs, pending)

    def _rows(self, runs: list[Run], place: int) -> list[Row]:
        rows: list[Row] = []

        def read() -> None:
            rows.extend(row for page, _ in self._reports.rows(runs[place]) for row in page)

        self._wait_for(runs, place, read)
        return rows

    def _wait_for(self, runs: list[Run], place: int, act: Callable[[], None]) -> None:
        """What is pending of one run is pending of them all."""
        try:
            act()
        except ReportPending as pending:
            raise _pending(runs[:place], pending, runs[place + 1 :]) from None

    def _joined(self, answers: Iterable[list[Row]]) -> InsightPage:
        """Each entity's day with all its fields; one that only one answer has lacks the others', as they are
        left out where they are nothing."""
        joined: dict[tuple[object, object], Row] = {}
        name = f"{INSIGHT_LEVELS[self._question.level]}_id"
        with reading("Meta"):
            for rows in answers:
                for row in rows:
                    joined.setdefault((row.get(name), row.get("date_start")), {}).update(row)
            return InsightPage(insight_records(list(joined.values()), self._question), None)


def _runs(cursor: str | None) -> list[Run]:
    parts = (cursor or "").removeprefix(MARK).split()
    runs = (Run.decode(part) for part in parts)
    return [run._replace(after="") for run in runs if run is not None]  # each is read as a whole


def _pending(before: list[Run], pending: ReportPending, behind: Iterable[Run] = ()) -> ReportPending:
    cursors = [*(run.encode() for run in before), pending.cursor, *(run.encode() for run in behind)]
    return ReportPending(
        MARK + " ".join(cursors), retry_after=pending.retry_after, report_id=pending.report_id
    )
