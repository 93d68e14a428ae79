"""The short form of `make chaos`: PostgreSQL goes away, and workers die at each place or wake too late."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from adtiger import embedded
from adtiger.embedded import lock
from tests.processes import ROOT, eventually

pytestmark = pytest.mark.slow

# Not those in which Valkey forgets: then calls that may be in flight count for 40 s.
SCENARIOS = ("postgres-restarted", "kill-points", "freeze-workers")
COMMAND = (sys.executable, "-m", "tests.chaos", "--minutes", "0.1", "--home")
HOME = Path(settings.HOME)  # each test has one of its own below it, as they may run at the same time
SECONDS = 300  # it takes 40; a busy machine needs longer


def test_nothing_is_lost_doubled_or_out_of_order_whatever_is_killed() -> None:
    command = [*COMMAND, str(HOME / "chaos"), *(word for name in SCENARIOS for word in ("--scenario", name))]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("equal") == 2 * len(SCENARIOS)  # each told at its end, and in the table


def test_who_is_interrupted_leaves_nothing_running() -> None:
    home = HOME / "interrupted-chaos"
    log = home / "logs" / "beat.log"  # the last to start; to look at its lock could keep it from taking it
    log.unlink(missing_ok=True)
    command = [*COMMAND, str(home)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as chaos:
        eventually(lambda: log.exists() and log.stat().st_size > 0, seconds=SECONDS, what="the fleet's start")
        chaos.send_signal(signal.SIGTERM)
        assert chaos.wait(SECONDS) == 130

    assert not any(lock.is_held(held) for held in (home / "run").glob("*.lock"))
    assert embedded.status(home) == (None, None)
