"""An hourly round of all connections with the default limits and slots: time to drain, processor, memory.

Run: `python -m benchmarks.hourly_round [--connections 150] [--tenth 1]`. By default a call takes 30 to
150 ms, a tenth of what the platforms take; `--connections 1000 --tenth 10` is the real thing: 25 minutes.
What it is compared with is the best there can be: the calls' own time, shared by the slots.
"""

import math
import time
from functools import partial
from pathlib import Path

from django.conf import settings

from benchmarks.harness import rows
from benchmarks.harness.cpu import Cpu, per_job
from benchmarks.harness.options import options
from benchmarks.harness.platform import Platform, open_platform
from benchmarks.harness.process import Process
from benchmarks.harness.product import forget_keys, ready_database
from benchmarks.harness.report import Report
from benchmarks.harness.rounds import Contender, Figures, Spread, interleave
from benchmarks.harness.worker import send_hints, worker
from sync.models import SyncRun
from sync.models.choices import RunState
from sync.schedule.tick import tick

LATENCY = (30, 150)  # ms of a call, a tenth of the platforms'
REAL_LATENCY = 0.9  # seconds of a call: the middle of 0.3 and 1.5
PER_TENANT = 10
TICK_SECONDS = 5  # as beat ticks
MANY = 10_000  # connections, for the forecast


def main() -> None:
    asked = options(__doc__, connections=(150, 4), tenth=(1, 1))
    report = Report("hourly_round")
    ready_database()
    low, high = (bound * asked.tenth for bound in LATENCY)
    with open_platform(accounts=asked.connections, campaigns=2, ad_groups=4, ads=8) as platform:
        platform.sandbox.control("settings", latency={"meta": f"{low}-{high}"})
        mean = (low + high) / 2000
        found = interleave(
            [Contender("AdTiger", partial(one_round, platform, mean_latency=mean))], rounds=asked.rounds
        )
    report.wide(f"{asked.connections:,} connections", found)
    report.note(_forecast(found, asked.connections, mean))
    report.save()


def _forecast(found: dict[str, Figures], connections: int, mean_latency: float) -> str:
    """Computed, not run: what the slots do in an hour at the platforms' own latency."""
    slots = settings.CONCURRENCY["meta"]
    took, calls = (Spread.of(found[unit]["AdTiger"]).median for unit in ("seconds to drain", "calls a run"))
    own = took * slots / connections - calls * mean_latency  # AdTiger's part of a run, in seconds
    each = own + calls * REAL_LATENCY
    return (
        f"Computed from that, for calls of {REAL_LATENCY} s: {slots} slots do {3600 * slots / each:,.0f} "
        f"such runs an hour; {MANY:,} connections an hour need {math.ceil(MANY * each / 3600)} slots."
    )


def one_round(platform: Platform, *, mean_latency: float) -> dict[str, float]:
    """Queue all of the platform's accounts and let a worker drain them."""
    forget_keys()
    slots, runs = settings.CONCURRENCY["meta"], len(platform.accounts)
    rows.empty(slots=slots)
    rows.connections(platform.accounts, tenants=max(1, runs // PER_TENANT), secret=platform.token)
    rows.queue_runs()
    cpu = Cpu()
    with worker(processes=slots) as running:
        send_hints(slots)
        begun = time.perf_counter()
        cost = per_job(cpu, _Ticking().done, lambda: running.works, warm=1, jobs=runs)
        took, memory = time.perf_counter() - begun, _memory(running)
    calls = sum(SyncRun.objects.values_list("calls", flat=True))
    best = calls * mean_latency / slots
    return {
        "seconds to drain": took,
        "percent of the best": 100 * best / took,
        "CPU ms a run": cost,
        "MB of the worker": memory,
        "calls a run": calls / runs,
    }


class _Ticking:
    """Ticks as beat does, while somebody looks how much is done."""

    def __init__(self) -> None:
        self._ticked_at = -math.inf

    def done(self) -> int:
        if time.monotonic() - self._ticked_at > TICK_SECONDS:
            tick()
            self._ticked_at = time.monotonic()
        return SyncRun.objects.filter(state=RunState.SUCCEEDED).count()


def _memory(process: Process) -> float:
    """Of the worker with its children, in MB; what they share is counted once."""
    total = 0.0
    for pid in process.group():
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) / 1024
    return total


if __name__ == "__main__":
    main()
