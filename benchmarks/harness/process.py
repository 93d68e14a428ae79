"""Processes of a benchmark: started in a group of their own, ended with it, their output in a log."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.harness.product import HOME, ROOT

NONE: Mapping[str, str] = {}
GRACE = 10  # seconds to end in good order; then they are killed


class Process:
    """One process for the length of a `with` block."""

    def __init__(
        self, name: str, command: Sequence[str], cwd: Path = ROOT, environment: Mapping[str, str] = NONE
    ) -> None:
        self.log = HOME / "logs" / f"{name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=cwd,
                env={**os.environ, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def works(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def group(self) -> list[int]:
        """The process and all that it started."""
        folders = Path("/proc").glob("[0-9]*")
        return [int(one.name) for one in folders if os.getpgid(int(one.name)) == self._process.pid]

    def wait(self) -> None:
        """Until it ends by itself, which it is about to do."""
        if self._process.wait(GRACE) != 0:
            raise RuntimeError(f"it ended with code {self._process.returncode}; see {self.log}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()  # it ends its own children
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
