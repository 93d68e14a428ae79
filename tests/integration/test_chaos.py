"""The short form of `make chaos`: a worker at each place where it may die, and both servers going away."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.processes import ROOT

pytestmark = pytest.mark.slow

SCENARIOS = ("kill-points", "valkey-killed", "postgres-restarted")
SECONDS = 300  # it takes 40; a busy machine needs longer


def test_nothing_is_lost_doubled_or_out_of_order_whatever_is_killed() -> None:
    command = [sys.executable, "-m", "tests.chaos", "--minutes", "0.1"]
    command += ["--home", str(Path(settings.HOME) / "chaos")]
    for name in SCENARIOS:
        command += ["--scenario", name]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("equal") == 2 * len(SCENARIOS)  # each told at its end, and in the table
