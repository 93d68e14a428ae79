"""Meta's report runs: submitted, prepared over a while, read by pages; and what goes wrong with them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from providers.sandbox.fault_kinds import Fate
from providers.sandbox.faults import Fault
from providers.sandbox.ledger import Clock
from providers.sandbox.meta_errors import TOO_WIDE, MetaError, bad_parameter, not_visible
from providers.sandbox.meta_insight_query import InsightQuery
from providers.sandbox.meta_insights import InsightRow, rows_of
from providers.sandbox.meta_query import Tree, parse_fields

FIRST_ID = 120_210_000_000_000_000  # past 2^53, as the entities' are, and apart from theirs
ID_STEP = 7_919
NOT_STARTED = 0.2  # of the time that a run takes
DEFAULT_FIELDS = "id,account_id,time_ref,time_completed,async_status,async_percent_completion"


@dataclass(eq=False)
class Report:
    """One run. `seconds` is how long it takes; `fault` what becomes of it instead."""

    id: int
    query: InsightQuery
    fields: str
    submitted_at: float
    seconds: float
    fault: Fault | None = None
    _rows: list[InsightRow] | None = None

    @property
    def fate(self) -> Fate:
        if self.fault is None:
            return Fate.NONE
        return Fate.FAILED if self.fault.is_late else Fate(self.fault.text("fate", Fate.LATE))

    def _after(self, default: float) -> float:
        return self.fault.seconds("seconds", default) if self.fault else 0.0

    def status(self, age: float) -> tuple[str, int]:
        """The status and the percentage; only the first is ever to be believed."""
        if self.fate == Fate.LATE:
            age -= self._after(5)
        if self.fate == Fate.EARLY and age < self._after(5):
            return "Job Running", 100
        if age < self.seconds * NOT_STARTED:
            return "Job Not Started", 0
        if age < self.seconds or self.fate == Fate.STUCK:
            return "Job Running", int(99 * min(1.0, age / max(self.seconds, 0.001)))
        return {Fate.FAILED: ("Job Failed", 40), Fate.SKIPPED: ("Job Skipped", 0)}.get(
            self.fate, ("Job Completed", 100)
        )

    @property
    def ends_after(self) -> float | None:
        """Seconds from its submission to its end; None for one that has none."""
        match self.fate:
            case Fate.STUCK:
                return None
            case Fate.LATE:
                return self.seconds + self._after(5)
            case Fate.EARLY:
                return max(self.seconds, self._after(5))
        return self.seconds

    @property
    def succeeds(self) -> bool:
        return self.fate not in (Fate.FAILED, Fate.SKIPPED)

    def is_hidden(self, age: float) -> bool:
        """Not to be seen yet."""
        return self.fate == Fate.HIDDEN and age < self._after(2)

    def rows(self) -> list[InsightRow]:
        """The result, which no later edit changes."""
        if self._rows is None:
            self._rows = rows_of(self.query)
        return self._rows

    def error(self) -> dict[str, Any]:
        """What a failed run tells of itself."""
        if self.fate != Fate.FAILED or self.fault is None or self.fault.flag("silent", default=False):
            return {}
        code, subcode = TOO_WIDE if self.fault.is_late else (-2, 2490547)
        return {
            "error_code": self.fault.number("code", code),
            "error_subcode": self.fault.number("subcode", subcode),
            "error_message": self.fault.text("message", "The report failed"),
            "error_user_title": "The report failed",
            "error_user_msg": "Please try again.",
        }


@dataclass
class Reports:
    """All runs, by id."""

    clock: Clock
    _reports: dict[int, Report] = field(default_factory=dict)
    _made: int = 0

    def submit(self, query: InsightQuery, fields: str, seconds: float, faults: Sequence[Fault]) -> Report:
        """A new run, with the first fault that is about such."""
        fault = next((fault for fault in faults if fault.kind == "report" or fault.is_late), None)
        self._made += 1
        number = FIRST_ID + self._made * ID_STEP
        report = Report(number, query, fields, self.clock(), seconds, fault)
        self._reports[number] = report
        return report

    def find(self, node: str) -> Report | None:
        return self._reports.get(int(node)) if node.isdigit() else None

    def forget(self) -> None:
        """As Meta does after thirty days."""
        self._reports.clear()

    def told(self, report: Report, fields: str) -> dict[str, Any]:
        """`GET /{report run}`"""
        age = self._age(report)
        status, percent = report.status(age)
        done = status == "Job Completed"
        facts = {
            "id": str(report.id),
            "report_run_id": str(report.id),
            "account_id": report.query.account.id,
            "time_ref": int(report.submitted_at),
            "time_completed": int(report.submitted_at + report.seconds) if done else 0,
            "async_status": status,
            "async_percent_completion": percent,
            "is_running": not done or age < 2 * report.seconds,  # also true of one that has just ended
            "date_start": report.query.since.isoformat(),
            "date_stop": report.query.until.isoformat(),
        } | (report.error() if status == "Job Failed" else {})
        wanted = parse_fields(fields or DEFAULT_FIELDS)
        if unknown := set(wanted) - set(facts) - _ERRORS:
            raise bad_parameter(
                f"Tried accessing nonexisting field ({min(unknown)}) on node type (AdReportRun)"
            )
        return {name: facts[name] for name in Tree(id=Tree()) | wanted if name in facts}

    def check_ready(self, report: Report) -> None:
        """Reading a run before its end is an error that passes; after a bad end, one that stays."""
        status, _ = report.status(self._age(report))
        if status in ("Job Failed", "Job Skipped"):
            raise bad_parameter("The report run has no result")
        if status != "Job Completed":
            raise MetaError(2601, "(#2601) The report is not ready", subcode=1815107, is_transient=True)

    def _age(self, report: Report) -> float:
        age = self.clock() - report.submitted_at
        if report.is_hidden(age):
            raise not_visible(str(report.id))
        return age


_ERRORS = frozenset({"error_code", "error_subcode", "error_message", "error_user_title", "error_user_msg"})
