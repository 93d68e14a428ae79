"""The demo: sync every connection through the real workers, then compare the copy with the platform.

Exits 0 only when every run succeeded, every copied row equals what the sandbox holds, and so do the sums
of each day's metrics at every level.
"""

import time
from uuid import UUID

from rich.console import Console

from adtiger.up.comparison import Comparison, compare_all
from adtiger.up.metrics import compare_metrics
from adtiger.up.progress import Progress, result
from sync.ledger.waiting import RELATED
from sync.ledger.wishes import of_person
from sync.management.ask import ask
from sync.models import Connection, SyncRun
from sync.models.choices import Priority, RunState

_DEADLINE_SECONDS = 200.0  # a run takes seconds, a spent budget a minute; the whole demo has four minutes
_POLL_SECONDS = 0.2


def main(arguments: list[str]) -> int:
    """`demo SANDBOX_URL`"""
    console = Console()
    connections = list(Connection.objects.select_related("account").order_by("provider", "external_id"))
    started_at = time.monotonic()
    asked = ask(connections, wishes=of_person, priority=Priority.MANUAL)  # beat may have been first
    runs = _follow(console, asked.ids)
    seconds = time.monotonic() - started_at
    rows = [*compare_all(connections, arguments[0]), *compare_metrics(connections, arguments[0])]
    console.print(result(rows))
    found = troubles(runs, rows)
    for trouble in found:
        console.print(f"[red]{trouble}[/]", highlight=False)
    if not found:
        total = sum(run.records_count for run in runs)
        console.print(
            f"{len(connections)} ad accounts, {total:,} rows read, all equal, in {seconds:.1f} s.",
            highlight=False,
        )
    return 1 if found else 0


def _follow(console: Console, ids: list[UUID]) -> list[SyncRun]:
    """Show the runs until all have ended or the time is up."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    wanted = SyncRun.objects.filter(pk__in=ids).select_related(*RELATED)
    with Progress(console) as progress:
        while True:
            runs = list(wanted.order_by("provider", "connection__external_id", "kind"))
            progress.show(runs)
            if not any(run.is_open for run in runs) or time.monotonic() > deadline:
                return runs
            time.sleep(_POLL_SECONDS)


def troubles(runs: list[SyncRun], rows: list[Comparison]) -> list[str]:
    """What is not as it should be, a sentence each."""
    found = [] if runs else ["There is no connection to sync."]
    for run in runs:
        if run.is_open:
            late = f"not synced within {_DEADLINE_SECONDS:.0f} s, still {run.stage}"
            found.append(f"{run.connection}, {run.kind}: {late}.")
        elif run.state != RunState.SUCCEEDED:
            found.append(f"{run.connection}, {run.kind}: {run.state}. {run.error_message}")
    for row in rows:
        if not row.is_equal:
            some = ", ".join(row.differing[:3])
            found.append(f"{row.connection}: {len(row.differing)} {row.stream} differ, e.g. {some}.")
    return found
