"""Workers and beat, started as an operator starts them, and the ways in which they end."""

import os
import signal
import sys
from pathlib import Path

from adtiger.up.processes import Child
from tests.processes import ROOT, eventually

WORKERS = ("worker-1", "worker-2")
BEAT = "beat"
GRACE = 30.0  # seconds; as `make up` gives: a worker's soft shutdown takes up to 20


class Member(Child):
    """A child that can be killed."""

    def kill(self) -> None:
        """The process and its children at once, as the kernel does when memory is out."""
        self._signal_group(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def behead(self) -> None:
        """The process alone: its pool is left behind, and at work."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """All of it stands still, as a machine does that is suspended."""
        self._signal_group(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it stood, and knows nothing of the time that went by."""
        self._signal_group(signal.SIGCONT)

    def _signal_group(self, sign: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, sign)


class Fleet:
    """All processes of the product, by name."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.members: dict[str, Member] = {}

    def start(self) -> None:
        """Two workers for all queues, and beat."""
        for name in WORKERS:
            self.add(name, "worker", "all")
        self.add(BEAT, "beat")

    def add(self, name: str, *command: str) -> None:
        """One more, by a `manage.py` command."""
        member = Member(name, [sys.executable, "manage.py", *command], ROOT, self._home, GRACE)
        self.members[name] = member
        member.start()

    def tend(self) -> None:
        """Start again what ended: at once, not ever more slowly as a supervisor does."""
        for member in self.members.values():
            if not member.is_running:
                member.start()

    def restart(self, name: str) -> None:
        """End one in good order, and start it again."""
        member = self.members[name]
        member.ask_to_stop()
        eventually(lambda: not member.is_running, seconds=GRACE, what=f"the end of {name}")
        member.start()

    def remove(self, name: str) -> None:
        """End one for good."""
        member = self.members.pop(name)
        member.ask_to_stop()
        member.wait()

    def stop(self) -> None:
        """End all."""
        for member in self.members.values():
            member.ask_to_stop()
        for name in list(self.members):
            self.remove(name)
