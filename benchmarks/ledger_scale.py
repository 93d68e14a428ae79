"""Does the queue slow down as it grows? Claim, tick, status and position, small against ten times as large.

Run: `python -m benchmarks.ledger_scale [--waiting 100000] [--history 1000000]`. Two databases, filled by
SQL, asked in turn; the small one has a tenth of both, and as many runs per tenant. Then once more with
90 % of the connections paused.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial

from django.contrib.auth.models import User

from benchmarks.harness import rows
from benchmarks.harness.caller import Caller
from benchmarks.harness.options import options
from benchmarks.harness.product import ready_database, use_database
from benchmarks.harness.report import Report
from benchmarks.harness.rounds import Contender, interleave
from benchmarks.harness.timed import timed
from sync.ledger import finish
from sync.ledger.claim import claim
from sync.ledger.lease import Lease
from sync.ledger.position import positions
from sync.models import Account, SyncRun
from sync.models.choices import RunState
from sync.schedule.tick import tick

SMALL, LARGE = "adtiger_bench_small", "adtiger_bench_large"
PER_TENANT = 100  # connections
PAUSED = 90  # percent
SLOTS = 1_000  # a claim must never find them all busy
NO_TOKEN = "never-used"


def main() -> None:
    asked = options(__doc__, waiting=(100_000, 2_000), history=(1_000_000, 5_000), times=(30, 2))
    report = Report("ledger_scale")
    for name, part in ((SMALL, 10), (LARGE, 1)):
        took = _fill(name, waiting=asked.waiting // part, history=asked.history // part)
        report.note(
            f"{name}: {asked.waiting // part:,} wait, {asked.history // part:,} ended; filled in {took:.0f} s"
        )
    _compare(report, "all may start", rounds=asked.rounds, times=asked.times)
    for name in (SMALL, LARGE):
        use_database(name)
        rows.pause(percent=PAUSED)
    _compare(report, f"{PAUSED} % paused", rounds=asked.rounds, times=asked.times)
    report.save()


def _fill(name: str, *, waiting: int, history: int) -> float:
    begun = time.perf_counter()
    ready_database(name)
    User.objects.all().delete()
    rows.empty(slots=SLOTS)
    ids = [f"act_{number}" for number in range(1, waiting + 1)]
    rows.connections(ids, tenants=waiting // PER_TENANT, secret=NO_TOKEN)
    rows.history(runs=history)
    rows.queue_runs()
    return time.perf_counter() - begun


def _compare(report: Report, case: str, *, rounds: int, times: int) -> None:
    contenders = [Contender(name, partial(_ask, name, times)) for name in (SMALL, LARGE)]
    found = interleave(contenders, rounds=rounds)
    report.pairs(case, "ms", {what: (figures[SMALL], figures[LARGE]) for what, figures in found.items()})


def _ask(name: str, times: int) -> dict[str, float]:
    """The medians of a round, in ms."""
    use_database(name)
    some = SyncRun.objects.filter(state=RunState.QUEUED, connection__paused_at=None)
    run = some.order_by("queued_at", "pk")[some.count() // 2]
    caller = Caller(Account.objects.get(pk=run.account_id))
    asked: dict[str, Callable[[], object]] = {
        "claim": _claim,
        "tick": tick,
        "status": lambda: caller.get("/api/sync/status"),
        "position": lambda: positions([run]),
    }
    return {what: _median(act, times) for what, act in asked.items()}


def _claim() -> SyncRun | None:
    return claim(rows.META, rows.REGION, worker="bench")


def _median(act: Callable[[], object], times: int) -> float:
    """Milliseconds; what was claimed is given back outside of the time."""
    taken = []
    for _ in range(times + 1):
        result, took = timed(act)
        taken.append(took)
        assert result, "it found nothing"
        if isinstance(result, SyncRun):
            finish.give_back(Lease.of(result), message="", calls=0)
    return statistics.median(taken[1:])  # the first one connects and loads


if __name__ == "__main__":
    main()
