"""What the demo shows: its runs while they run, and at the end the copy beside the platform."""

from collections.abc import Iterable

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from adtiger.up.comparison import Comparison
from sync.ledger.waiting import waiting_for
from sync.models import SyncRun

_BAR_WIDTH = 20
_FIGURES = ("Records", "Calls", "Copied", "Platform")  # aligned to the right


class Progress:
    """The runs' state: a live table on a terminal, elsewhere a line per change."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False)
        self._told: dict[SyncRun, str] = {}

    def __enter__(self) -> "Progress":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, runs: list[SyncRun]) -> None:
        """As things stand now."""
        waits = waiting_for(runs)
        told = {run: waits.get(run.pk, run.error_message) for run in runs}
        if self._console.is_terminal:
            self._live.update(_runs(told), refresh=True)
            return
        for run, why in told.items():
            line = f"{run.connection}, {run.kind}: {run.stage}{f' ({why})' if why else ''}"
            if self._told.get(run) != line:
                self._told[run] = line
                self._console.print(line, highlight=False)


def _runs(told: dict[SyncRun, str]) -> Table:
    table = _table("First syncs", "Ad account", "Kind", "State", "", "Records", "Calls", "")
    for run, why in told.items():
        bar = ProgressBar(completed=run.progress, width=_BAR_WIDTH)
        records = f"{run.records_count:,}"
        table.add_row(str(run.connection), run.kind, run.stage, bar, records, str(run.calls), why)
    return table


def result(rows: Iterable[Comparison]) -> Table:
    """What was copied, beside what the platform has."""
    table = _table(
        "Copied, beside what the platform has", "Ad account", "Rows, or days", "Copied", "Platform", ""
    )
    for row in rows:
        verdict = "[green]equal[/]" if row.is_equal else f"[red]{len(row.differing)} differ[/]"
        table.add_row(row.connection, row.stream, f"{row.copied:,}", f"{row.platform:,}", verdict)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name, justify="right" if name in _FIGURES else "left")
    return table
