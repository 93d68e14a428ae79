"""The benchmarks still run: each at its smallest size, on servers of the suite. No figure is judged.

Those that measure peers, too, are only loaded: the peers are installed from elsewhere, and what they
lose would be waited for.
"""

import os
import re
import subprocess
import sys
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest
from django.conf import settings

from tests.processes import ROOT

FILES = sorted((ROOT / "benchmarks").glob("[a-z]*.py"))
WITH_PEERS = [path.stem for path in FILES if "benchmarks.peers" in path.read_text()]
ALONE = [path.stem for path in FILES if path.stem not in WITH_PEERS]


def run(name: str, option: str) -> str:
    """One at a time, over all of the suite's processes, for they work on one database."""
    home = Path(settings.HOME)
    with (home / "benchmarks.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", option],
            cwd=ROOT,
            env={**os.environ, "ADTIGER_BENCH_HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", ALONE)
def test_a_benchmark_runs_to_its_end_at_its_smallest_size(name: str) -> None:
    assert re.search(r"\d", run(name, "--smallest")), "it told no figure"


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_PEERS)
def test_a_benchmark_with_peers_loads_and_tells_its_sizes(name: str) -> None:
    assert re.search("--(runs|burst|ads)", run(name, "--help"))
