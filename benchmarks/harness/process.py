"""Processes of a benchmark: started in a group of their own, ended with it, their output in a log."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from benchmarks.harness.product import HOME, ROOT

GRACE = 10  # seconds to end in good order; then they are killed


class Process:
    """One process for the length of a `with` block."""

    def __init__(self, name: str, command: Sequence[str], **environment: str) -> None:
        self.log = HOME / "logs" / f"{name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603  (our own programs)
                command,
                cwd=ROOT,
                env=os.environ | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                os.killpg(self._process.pid, sign)
                try:
                    self._process.wait(GRACE)
                except subprocess.TimeoutExpired:
                    continue


def until(holds: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Look until it holds; fail with `what` when it does not in time."""
    ends_at = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends_at:
            raise TimeoutError(f"{what} did not come within {seconds:g} s")
        time.sleep(0.05)  # often enough for rounds of seconds, too seldom to disturb them
