"""Child processes that are kept running: started apart, restarted when they exit, ended cleanly.

A child holds its lock file for as long as it lives. So one that outlived a killed supervisor is known
by the lock, not by a pid that may be somebody else's by now, and is ended before its successor starts.
"""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from adtiger.embedded import EmbeddedError, lock

_FIRST_PAUSE = 1.0  # seconds before a restart; doubled each time …
_LONGEST_PAUSE = 30.0  # … up to this
_HEALTHY_SECONDS = 60.0  # who lived this long starts again without a history
_KILL_PATIENCE = 10.0  # seconds for the kernel to end a killed group
_LOG_LIMIT = 10_000_000  # bytes; a longer log is moved aside (.1) before the next start


@dataclass(eq=False)
class Child:
    """One process: what to run, and how long it may take to end after SIGTERM."""

    name: str
    command: Sequence[str]
    cwd: Path
    home: Path
    grace: float
    restarts: int = 0
    _process: "subprocess.Popen[bytes] | None" = None
    _started_at: float = 0.0
    _pause: float = _FIRST_PAUSE
    _due_at: float = 0.0

    @property
    def log(self) -> Path:
        return self.home / "logs" / f"{self.name}.log"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; a process of an earlier life that still holds its place is ended first."""
        for folder in (self._lock.parent, self.log.parent):
            folder.mkdir(parents=True, exist_ok=True)
        end_leftover(self._lock, grace=self.grace)
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        place = f"Another {self.name} was just started."
        with lock.hold(self._lock, patience=0, otherwise=place) as held, self.log.open("ab") as log:
            os.ftruncate(held, 0)  # no pid is better than an old one
            self._process = subprocess.Popen(  # noqa: S603  (our own program with our own arguments)
                self.command,
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[held],
                start_new_session=True,  # the terminal's Ctrl-C is for us alone
            )
            os.pwrite(held, str(self._process.pid).encode(), 0)
        self._started_at = time.monotonic()

    def tend(self) -> bool:
        """Start it again if it exited and its pause is over; True if it did."""
        if self._process is None or self._process.poll() is None:
            return False
        now = time.monotonic()
        if not self._due_at:
            if now - self._started_at > _HEALTHY_SECONDS:
                self._pause = _FIRST_PAUSE
            self._due_at = now + self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        if now < self._due_at:
            return False
        self._due_at = 0.0
        self.restarts += 1
        self.start()
        return True

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the process itself, which ends its own children."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def wait(self) -> None:
        """Wait for its end; after its grace the whole group is killed."""
        if self._process is None:
            return
        try:
            self._process.wait(self.grace)
        except subprocess.TimeoutExpired:
            _kill_group(self._process.pid, signal.SIGKILL)
            self._process.wait()
        end_leftover(self._lock, grace=0)  # what it left behind
        self._process = None

    @property
    def _lock(self) -> Path:
        return self.home / "run" / f"{self.name}.lock"


def end_leftover(path: Path, *, grace: float) -> None:
    """End the process group that holds this lock file, if one does."""
    if not lock.is_held(path):
        return
    group = int(path.read_text() or 0)
    stuck = f"The process that holds {path} can't be ended; end it by hand."
    for sign, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, _KILL_PATIENCE)):
        if group:
            _kill_group(group, sign)
        try:
            with lock.hold(path, patience=patience, otherwise=stuck):
                return
        except EmbeddedError:
            if sign == signal.SIGKILL:
                raise


def _kill_group(group: int, sign: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # gone already
        os.killpg(group, sign)
