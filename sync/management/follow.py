"""Follow runs to their end in a terminal: bars where one looks, lines where a log is kept."""

import time
from uuid import UUID

from django.core.management.base import BaseCommand
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

from sync.ledger.waiting import RELATED, waiting_for
from sync.management.output import console
from sync.models import SyncRun
from sync.models.choices import RunState

EVERY = 0.3  # seconds between two looks: quick for the eye, nothing for the database


def follow(
    runs: list[SyncRun], command: BaseCommand, *, timeout: float | None = None, quiet: bool = False
) -> bool:
    """Wait until all have ended; True when all succeeded. Ctrl-C and `timeout` end only the waiting."""
    ids = [run.pk for run in runs]
    ends_at = time.monotonic() + timeout if timeout is not None else None
    view = _Lines(command, quiet=quiet) if quiet or not command.stdout.isatty() else _Bars(command)
    try:
        with view:
            while True:
                now = list(
                    SyncRun.objects.filter(pk__in=ids).select_related("account", *RELATED).order_by("pk")
                )
                view.show(now)
                if not any(run.is_open for run in now):
                    return all(run.state == RunState.SUCCEEDED for run in now)
                if ends_at is not None and time.monotonic() > ends_at:
                    command.stderr.write(f"Still going after {timeout:g} s; `manage.py history` follows.")
                    return False
                time.sleep(EVERY)
    except KeyboardInterrupt:
        command.stderr.write("No longer waiting; the syncs go on. `manage.py history` shows them.")
        return False


def _words(run: SyncRun, waits: dict[UUID, str]) -> str:
    if run.state in (RunState.QUEUED, RunState.DEFERRED):
        return f"waits for {waits.get(run.pk, 'its turn')}"
    if run.state == RunState.FAILED:
        return f"failed: {run.error_message}"
    return run.stage.replace("_", " ")


class _Lines:
    """One line whenever something changed."""

    def __init__(self, command: BaseCommand, *, quiet: bool) -> None:
        self._command = command
        self._quiet = quiet
        self._last: dict[UUID, str] = {}

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to restore."""

    def show(self, runs: list[SyncRun]) -> None:
        waits = waiting_for(runs)
        for run in runs:
            line = f"{run.connection}: {_words(run, waits)}, {run.records_count} records"
            if not self._quiet and self._last.get(run.pk) != line:
                self._command.stdout.write(line)
            self._last[run.pk] = line


class _Bars:
    """A bar per run."""

    def __init__(self, command: BaseCommand) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[words]}"),
            console=console(command),
        )
        self._tasks: dict[UUID, TaskID] = {}

    def __enter__(self) -> "_Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, runs: list[SyncRun]) -> None:
        waits = waiting_for(runs)
        for run in runs:
            if run.pk not in self._tasks:
                self._tasks[run.pk] = self._progress.add_task(str(run.connection), total=100, words="")
            words = f"{_words(run, waits)} ({run.records_count:,} records)"
            self._progress.update(self._tasks[run.pk], completed=run.progress, words=words)
