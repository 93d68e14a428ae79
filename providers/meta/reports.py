"""Report runs: what Meta prepares while nobody waits.

A run is submitted once for its slice, looked at ever more rarely, and read by large pages when its status
says so; no other sign is proof. What ends without a result is submitted anew, a few times.
"""

import re
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, Self

from providers.errors import (
    RETRYABLE,
    AccessDenied,
    CursorExpired,
    LimitReached,
    PlatformFault,
    ProviderError,
    ReportPending,
    TooMuchData,
)
from providers.http import reading
from providers.meta.errors import error_of
from providers.meta.graph import Body, Graph, Params, Walk, after_of, continuing
from providers.meta.insight_rows import Question, insight_records
from providers.meta.usage import ADS_INSIGHTS
from providers.records import InsightPage
from providers.values import Row

Asked = Callable[[], Params]  # the question, which may take calls to put

ENDPOINT = "reports"
FIELDS = "async_status,async_percent_completion,error_code,error_subcode,error_message"
PAGE_ROWS = 5_000  # of a result that is ready: the most that has been seen
SMALLEST_PAGE = 250
FIRST_LOOK = 10.0  # seconds that a small run is left alone
LONGEST_LOOK = 300.0  # seconds between two looks at most
ROWS_PER_SECOND = 1_000.0  # of what a run may prepare: only for the first look
LATEST_FIRST_LOOK = 20.0  # seconds
HIDDEN_SECONDS = 120.0  # a new run can't be seen at once, everywhere
STUCK_SECONDS = 1_800.0  # most take a minute, long ones ten
SUBMISSIONS = 3
NOT_VISIBLE, NOT_READY = "100/33", "2601"

_RUN = re.compile(r"run:(\d{1,20}):(\w+):(\d{1,3}):(\d{1,11}):(\d{1,3}):(.*)", re.DOTALL)


class Run(NamedTuple):
    """A report run and what was read of it; safe to store, for it holds no token."""

    id: str
    attribution: str  # that it was asked for with
    submission: int  # of its slice, counted from 1
    submitted_at: int  # unix seconds
    looks: int = 0
    after: str = ""

    @classmethod
    def decode(cls, cursor: str | None) -> Self | None:
        """From the text of `encode`; None for the cursor of anything else."""
        match = _RUN.fullmatch(cursor or "")
        if match is None:
            return None
        run_id, attribution, submission, submitted_at, looks, after = match.groups()
        return cls(run_id, attribution, int(submission), int(submitted_at), int(looks), after)

    def encode(self) -> str:
        """`run:<id>:<attribution>:<submission>:<submitted at>:<looks>:<after>`"""
        return ":".join(("run", *map(str, self)))

    @property
    def age(self) -> float:
        """Seconds since it was submitted."""
        return time.time() - self.submitted_at


class Reports:
    """The report runs of one ad account."""

    def __init__(self, graph: Graph, account_id: str) -> None:
        self._graph = graph
        self._account_id = account_id
        self._limit = PAGE_ROWS

    def submit(
        self, params: Params, attribution: str, *, expected_rows: int = 0, submission: int = 1
    ) -> ReportPending:
        """Submit a run; what it gives is to be raised."""
        path = f"{self._account_id}/insights"
        body = self._graph.post(path, params, endpoint=ENDPOINT, use_case=ADS_INSIGHTS)
        with reading("Meta"):
            run = Run(str(int(body["report_run_id"])), attribution, submission, int(time.time()))
        wait = min(FIRST_LOOK + expected_rows / ROWS_PER_SECOND, LATEST_FIRST_LOOK)
        return ReportPending(run.encode(), retry_after=wait, report_id=run.id)

    def read(self, run: Run, params: Asked, question: Question) -> Iterator[InsightPage]:
        """Look at a run and read it where it is ready; else raises what `check` does."""
        self.check(run, params)
        for rows, left in self.rows(run):
            with reading("Meta"):
                records = insight_records(rows, question)
            yield InsightPage(records, left.encode() if left.after else None)

    def check(self, run: Run, params: Asked) -> None:
        """Look at a run. Where it is not ready: raises `ReportPending` with a cursor of this run or of the
        next one, for which the question is asked again, or what made it fail."""
        failure = self._look(run)
        if failure is not None:
            raise self._anew(run, params, failure)

    def rows(self, run: Run) -> Iterator[tuple[list[Row], Run]]:
        """A result that is ready, page by page, each with where it goes on."""
        walk = Walk()
        while True:
            walk.step(run.after)
            try:
                body = self._page(run)
            except CursorExpired:
                if not run.after:
                    raise
                walk, run = Walk(), run._replace(after="")  # the result is still there: read it once more
                continue
            with reading("Meta"):
                rows, run = list(body["data"]), run._replace(after=after_of(body))
            yield rows, run
            if not run.after:
                return

    def _look(self, run: Run) -> ProviderError | None:
        """None when it is ready; why it will never be; or raises `ReportPending`."""
        try:
            body = self._graph.get(run.id, {"fields": FIELDS}, endpoint=ENDPOINT, use_case=ADS_INSIGHTS)
        except AccessDenied as error:
            if error.platform_code != NOT_VISIBLE:
                raise
            if run.age < HIDDEN_SECONDS:
                raise self._later(run) from None
            return PlatformFault("Meta no longer knows a report that it was asked for")
        with reading("Meta"):
            status = str(body["async_status"])
        match status:
            case "Job Completed":
                return None
            case "Job Failed":
                return _failure(body)
            case "Job Skipped":
                return PlatformFault("Meta skipped a report that it was asked for")
        if run.age < STUCK_SECONDS:
            raise self._later(run)
        return PlatformFault(f"Meta did not finish a report in {STUCK_SECONDS / 60:.0f} minutes")

    def _later(self, run: Run) -> ReportPending:
        """Each look comes after twice the time of the one before."""
        run = run._replace(looks=min(run.looks + 1, 99))
        wait = min(FIRST_LOOK * 2**run.looks, LONGEST_LOOK)
        return ReportPending(run.encode(), retry_after=wait, report_id=run.id)

    def _anew(self, run: Run, params: Asked, failure: ProviderError) -> Exception:
        """The next run of the slice, where another one may help; after some of them, nothing of it is left to
        lead on from."""
        if isinstance(failure, TooMuchData) or not isinstance(failure, (*RETRYABLE, LimitReached)):
            return failure
        if run.submission < SUBMISSIONS:
            return self.submit(params(), run.attribution, submission=run.submission + 1)
        return CursorExpired(f"{failure}, {SUBMISSIONS} times in a row", platform_code=failure.platform_code)

    def _page(self, run: Run) -> Body:
        """One page of the result; where Meta asks for less, a smaller one at once."""
        path = f"{run.id}/insights"
        while True:
            params = {"limit": str(self._limit)} | continuing(run.after)
            try:
                return self._graph.get(path, params, endpoint=ENDPOINT, use_case=ADS_INSIGHTS)
            except TooMuchData:
                if self._limit <= SMALLEST_PAGE:
                    raise
            except PlatformFault as error:
                if not error.platform_code.startswith(NOT_READY):
                    raise
                raise self._later(run) from None
            self._limit = max(SMALLEST_PAGE, self._limit // 2)


def _failure(body: Body) -> ProviderError:
    """What a failed run tells; older versions tell nothing."""
    if not body.get("error_code"):
        return PlatformFault("Meta failed to prepare a report")
    error = {
        "code": body["error_code"],
        "error_subcode": body.get("error_subcode"),
        "message": body.get("error_message", ""),
    }
    return error_of(200, {"error": error}, {})
