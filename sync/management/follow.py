"""Follow runs to their end in a terminal: bars where one looks, lines where a log is kept.

Guarantee: however the waiting ends, the syncs go on.
"""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from django.core.management.base import BaseCommand
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

from sync.ledger.waiting import RELATED, waiting_for
from sync.management.output import console, plain
from sync.models import SyncRun
from sync.models.choices import ConnectionStatus, RunState

EVERY = 0.3  # seconds between two looks: quick for the eye, nothing for the database
RUNS_A_SECOND = 1_000  # read at most: who follows all connections looks less often
BARS = 20  # fit on a screen


class _View(Protocol):
    """What shows the runs."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, runs: list[SyncRun], ended: int) -> None:
        """`runs` were open at the last look; `ended` of all that are followed have ended by now."""


def follow(
    ids: Sequence[UUID], command: BaseCommand, *, timeout: float | None = None, quiet: bool = False
) -> bool:
    """Wait until all have ended; True when all succeeded. Ctrl-C and `timeout` end only the waiting.

    What waits for access that the platform denies is not waited for: only a person can end that.
    """
    ends_at = time.monotonic() + timeout if timeout is not None else float("inf")
    bars = command.stdout.isatty() and not quiet
    view: _View = _Bars(command, len(ids)) if bars else _Lines(command, quiet=quiet)
    how = f"history --run {ids[0]}" if len(ids) == 1 else "queue"
    try:
        with view:
            if (succeeded := _watch(ids, view, ends_at)) is not None:
                return succeeded
        why = f"Still going after {timeout:g} s"
    except KeyboardInterrupt:
        why = "No longer waiting"
    command.stderr.write(f"{why}; the syncs go on. Follow them with `manage.py {how}`.")
    return False


def _watch(ids: Sequence[UUID], view: _View, ends_at: float) -> bool | None:
    """Whether all succeeded; None when the time was up first."""
    open_ids = set(ids)
    succeeded = True
    while True:
        found = SyncRun.objects.filter(pk__in=open_ids).select_related("account", *RELATED)
        runs = list(found.order_by("pk"))
        succeeded &= len(runs) == len(open_ids)  # an account can be deleted, and its runs with it
        open_ids = {run.pk for run in runs if run.is_open and not _is_denied(run)}
        succeeded &= all(run.state == RunState.SUCCEEDED for run in runs if run.pk not in open_ids)
        view.show(runs, len(ids) - len(open_ids))
        if not open_ids:
            return succeeded
        if time.monotonic() > ends_at:
            return None
        time.sleep(max(EVERY, len(open_ids) / RUNS_A_SECOND))


def _is_denied(run: SyncRun) -> bool:
    return run.connection.status == ConnectionStatus.ACCESS_DENIED and run.state != RunState.RUNNING


def _words(run: SyncRun, waits: dict[UUID, str]) -> str:
    if run.pk in waits:
        return f"waits for {waits[run.pk]}"
    if run.state == RunState.FAILED:
        return f"failed: {run.error_message}"
    if run.state == RunState.SUCCEEDED and (noted := [*run.access_issues, *run.data_discrepancies]):
        more = f" (and {len(noted) - 1} more, see `history --run {run.pk}`)" if noted[1:] else ""
        return f"succeeded, but: {noted[0].removesuffix('.')}{more}"
    return run.stage.replace("_", " ")


class _Lines:
    """One line whenever something changed."""

    def __init__(self, command: BaseCommand, *, quiet: bool) -> None:
        self._command = command
        self._quiet = quiet
        self._last: dict[UUID, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to restore."""

    def show(self, runs: list[SyncRun], ended: int) -> None:
        if self._quiet:
            return
        waits = waiting_for(runs)
        for run in runs:
            line = f"{_name(run)}: {_words(run, waits)}, {run.records_count} records"
            if self._last.get(run.pk) != line:
                self._command.stdout.write(line)
            self._last[run.pk] = line
        self._command.stdout.flush()  # into a file or a pipe, else, nothing goes before the end


class _Bars:
    """A bar per run; of many, a bar for all and those of what runs or failed."""

    def __init__(self, command: BaseCommand, total: int) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description}", markup=False),  # names may hold brackets
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[words]}", markup=False),
            console=console(command),
        )
        self._total = total
        self._all: TaskID | None = None
        if total > BARS:
            self._all = self._progress.add_task("All", total=total, words="")
        self._tasks: dict[UUID, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, runs: list[SyncRun], ended: int) -> None:
        if self._all is not None:
            self._progress.update(self._all, completed=ended, words=f"{ended:,} of {self._total:,} ended")
            runs = [run for run in runs if run.pk in self._tasks or _is_worth_a_bar(run)]
        waits = waiting_for(runs)
        for run in runs:
            if run.pk not in self._tasks:
                self._tasks[run.pk] = self._progress.add_task(_name(run), total=100, words="")
            words = f"{_words(run, waits)} ({run.records_count:,} records)"
            is_shown = self._all is None or _is_worth_a_bar(run)
            self._progress.update(self._tasks[run.pk], completed=run.progress, words=words, visible=is_shown)


def _name(run: SyncRun) -> str:
    return plain(f"{run.connection}, {run.task}")


def _is_worth_a_bar(run: SyncRun) -> bool:
    return run.state in (RunState.RUNNING, RunState.FAILED)
