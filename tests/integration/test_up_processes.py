"""Children are kept running, ended cleanly, and never doubled, even after their supervisor was killed."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adtiger.embedded import lock
from adtiger.up import processes
from adtiger.up.processes import Child, end_leftover
from tests.processes import eventually

PROJECT = Path(__file__).resolve().parents[2]
DEADLINE = 20  # seconds
SAY = "import os; print('pid', os.getpid(), flush=True);"


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Child]]:
    """Children that a test makes; whatever happens, they are ended. Restarts come quickly."""
    monkeypatch.setattr(processes, "_FIRST_PAUSE", 0.05)
    made: list[Child] = []
    yield made
    for child in made:
        child.ask_to_stop()
        child.wait()


@pytest.fixture
def make_child(tmp_path: Path, children: list[Child]) -> Callable[..., Child]:
    def make(script: str, *, name: str = "child", grace: float = 5) -> Child:
        child = Child(name, [sys.executable, "-c", SAY + script], cwd=tmp_path, home=tmp_path, grace=grace)
        children.append(child)
        return child

    return make


def pids(child: Child) -> list[int]:
    """The pids that its log tells, one per life."""
    if not child.log.exists():
        return []
    return [int(line.split()[1]) for line in child.log.read_text().splitlines() if line.startswith("pid ")]


def wait_for_lives(child: Child, count: int) -> None:
    eventually(lambda: len(pids(child)) == count, seconds=DEADLINE, what=f"life {count}")


def lives(pid: int) -> bool:
    """Neither gone nor a zombie, which has no command line."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


def test_a_child_that_exits_is_started_again_and_keeps_its_log(make_child: Callable[..., Child]) -> None:
    child = make_child("import time; time.sleep(60)")
    child.start()
    wait_for_lives(child, 1)

    os.kill(pids(child)[0], signal.SIGKILL)
    eventually(child.tend, seconds=DEADLINE, what="a restart")
    wait_for_lives(child, 2)

    assert child.is_running
    assert child.restarts == 1


def test_restarts_of_a_child_that_fails_at_once_come_ever_slower(
    make_child: Callable[..., Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    child = make_child("raise SystemExit(3)")
    child.start()
    restarted_at = []
    clock = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: clock)

    for _ in range(4):
        wait_until_exited(child)
        while not child.tend():
            clock += 0.01
        restarted_at.append(clock)

    pauses = [round(later - earlier, 1) for earlier, later in itertools.pairwise(restarted_at)]
    assert pauses == sorted(pauses)
    assert pauses[-1] > 3 * pauses[0]


def wait_until_exited(child: Child) -> None:
    for _ in range(DEADLINE * 50):
        if not child.is_running:
            return
        time.sleep(0.02)
    raise AssertionError("it did not exit in time")


def test_a_child_that_ignores_the_signal_is_killed_with_its_own_children(
    make_child: Callable[..., Child],
) -> None:
    child = make_child(
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "subprocess.run([sys.executable, '-c', 'import os, time; print(\"pid\", os.getpid(), flush=True);"
        "time.sleep(60)'])",
        grace=0.2,
    )
    child.start()
    wait_for_lives(child, 2)

    child.ask_to_stop()
    child.wait()

    assert not child.is_running
    eventually(lambda: not any(lives(pid) for pid in pids(child)), seconds=DEADLINE, what="its end")


def test_a_child_of_a_killed_supervisor_is_ended_before_its_successor_starts(
    make_child: Callable[..., Child], tmp_path: Path
) -> None:
    child = make_child("import time; time.sleep(60)")
    supervisor = f"""
import os, sys
from pathlib import Path
from adtiger.up.processes import Child
home = Path({str(tmp_path)!r})
Child("child", {list(child.command)!r}, cwd=home, home=home, grace=5).start()
os.kill(os.getpid(), {signal.SIGKILL.value})
"""
    killed = subprocess.run([sys.executable, "-c", supervisor], cwd=PROJECT, check=False)
    assert killed.returncode == -signal.SIGKILL
    wait_for_lives(child, 1)
    assert lock.is_held(tmp_path / "run" / "child.lock")

    child.start()

    wait_for_lives(child, 2)
    first, second = pids(child)
    eventually(lambda: not lives(first), seconds=DEADLINE, what="its end")
    assert child.is_running
    assert lives(second)


def test_nothing_is_ended_for_a_lock_that_nobody_holds(tmp_path: Path) -> None:
    bystander = subprocess.Popen(["sleep", "60"], start_new_session=True)
    (tmp_path / "child.lock").write_text(str(bystander.pid))

    end_leftover(tmp_path / "child.lock", grace=0)

    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()
