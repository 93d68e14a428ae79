"""The demo: sync every connection through the real workers, then compare the copy with the platform.

Exits 0 only when every run succeeded and every copied row equals what the sandbox holds.
"""

import time
from collections.abc import Iterable

from rich.console import Console
from rich.live import Live
from rich.table import Table

from adtiger.up.comparison import Comparison, compare
from sync.errors import AlreadySyncing
from sync.ledger.request import request_sync
from sync.models import Connection, SyncRun
from sync.models.choices import RunState, Trigger

_DEADLINE_SECONDS = 150.0  # one run takes some seconds; the whole demo has four minutes
_POLL_SECONDS = 0.25


def main(arguments: list[str]) -> int:
    """`demo SANDBOX_URL`"""
    console = Console()
    connections = list(Connection.objects.select_related("account").order_by("provider", "external_id"))
    started_at = time.monotonic()
    runs = _follow(console, [_request(connection) for connection in connections])
    failed = [run for run in runs if run.state != RunState.SUCCEEDED]
    rows = [row for connection in connections for row in compare(connection, arguments[0])]
    console.print(_result(rows))
    console.print(_summary(runs, failed, rows, time.monotonic() - started_at))
    return 0 if rows and not failed and all(row.is_equal for row in rows) else 1


def _request(connection: Connection) -> SyncRun:
    """Ask for a sync; beat may have been first, then that one is followed."""
    try:
        asked = request_sync(connection.account, [connection], trigger=Trigger.MANUAL, source="command")
    except AlreadySyncing as exc:
        return SyncRun.objects.get(pk=exc.run_id)
    return asked.runs[0]


def _follow(console: Console, runs: list[SyncRun]) -> list[SyncRun]:
    """Show the runs until all have ended or the time is up: live on a terminal, else a line per change."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    shown: dict[str, str] = {}
    with Live(console=console, auto_refresh=False, transient=False) as live:
        while True:
            runs = _reload(runs)
            if console.is_terminal:
                live.update(_progress(runs), refresh=True)
            else:
                _print_changes(console, runs, shown)
            if not any(run.is_open for run in runs) or time.monotonic() > deadline:
                return runs
            time.sleep(_POLL_SECONDS)


def _reload(runs: Iterable[SyncRun]) -> list[SyncRun]:
    fresh = SyncRun.objects.filter(pk__in=[run.pk for run in runs]).select_related("connection")
    return list(fresh.order_by("provider", "connection__external_id"))


def _print_changes(console: Console, runs: Iterable[SyncRun], shown: dict[str, str]) -> None:
    for run in runs:
        if shown.get(str(run.pk)) != run.stage:
            shown[str(run.pk)] = run.stage
            console.print(f"{run.connection}: {run.stage} {_why(run)}".rstrip(), highlight=False)


def _progress(runs: Iterable[SyncRun]) -> Table:
    table = Table(title="First syncs", title_justify="left")
    for name in ("Ad account", "State", "Done", "Records", "Calls", ""):
        table.add_column(name, justify="right" if name in ("Done", "Records", "Calls") else "left")
    for run in runs:
        done, records = f"{run.progress} %", f"{run.records_count:,}"
        table.add_row(str(run.connection), run.stage, done, records, str(run.calls), _why(run))
    return table


def _why(run: SyncRun) -> str:
    """What it waits for, or why it failed."""
    return run.waiting_for or run.error_message


def _result(rows: Iterable[Comparison]) -> Table:
    table = Table(title="Copied, beside what the platform has", title_justify="left")
    for name in ("Ad account", "Stream", "Copied", "Platform", ""):
        table.add_column(name, justify="right" if name in ("Copied", "Platform") else "left")
    for row in rows:
        verdict = "[green]equal[/]" if row.is_equal else f"[red]{len(row.differing)} differ[/]"
        table.add_row(row.connection, row.stream, f"{row.copied:,}", f"{row.platform:,}", verdict)
    return table


def _summary(runs: list[SyncRun], failed: list[SyncRun], rows: list[Comparison], seconds: float) -> str:
    differing = [row for row in rows if not row.is_equal]
    if not rows or failed or differing:
        return (
            f"[red]The demo failed:[/] {len(failed)} of {len(runs)} syncs, {len(differing)} streams differ."
        )
    return (
        f"{len(runs)} ad accounts, {sum(row.copied for row in rows):,} rows, all equal, in {seconds:.1f} s."
    )
