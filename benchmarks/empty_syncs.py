"""Empty syncs a second: what the queue itself costs, beside plain Celery and BullMQ.

Run: `python -m benchmarks.empty_syncs [--runs 2000] [--rounds 3]`. AdTiger claims, writes the attempt,
finishes and keeps the run as history; the peers insert one row per job. All wait in the queue before.
"""

from functools import partial

from benchmarks.harness import drains, rows
from benchmarks.harness.options import options
from benchmarks.harness.product import forget_keys, ready_database
from benchmarks.harness.report import Report
from benchmarks.harness.rounds import Contender, interleave
from benchmarks.peers import bullmq, celery
from sync.engine import drain as loop
from sync.ledger import finish
from sync.ledger.lease import Lease
from sync.models import SyncRun

TENANTS = 20
NO_TOKEN = "never-used"  # noqa: S105  (nothing is called)


def main() -> None:
    asked = options(__doc__, runs=(2_000, 40))
    report = Report("empty_syncs")
    ready_database()
    warm = asked.runs // 10
    contenders = [
        Contender("AdTiger, 1 slot", partial(_adtiger, asked.runs, warm, slots=1, processes=1)),
        Contender(
            "AdTiger, 10 slots, 2 processes", partial(_adtiger, asked.runs, warm, slots=10, processes=2)
        ),
        Contender(
            "AdTiger, 10 slots, 10 processes", partial(_adtiger, asked.runs, warm, slots=10, processes=10)
        ),
        Contender(
            "plain Celery, 2 processes", partial(celery.measure, "empty", ["-"] * asked.runs, warm=warm)
        ),
    ]
    if bullmq.is_there():
        contenders += [
            Contender(
                f"BullMQ, concurrency {n}",
                partial(bullmq.measure, "empty", ["-"] * asked.runs, concurrency=n, warm=warm),
            )
            for n in (1, 10)
        ]
    found = interleave(contenders, rounds=asked.rounds)
    report.compare_all("empty syncs", found, bases=[contender.name for contender in contenders[3:]])
    report.save()


def _adtiger(runs: int, warm: int, *, slots: int, processes: int) -> dict[str, float]:
    forget_keys()
    rows.empty(slots=slots)
    rows.connections([f"act_{number}" for number in range(1, runs + 1)], tenants=TENANTS, secret=NO_TOKEN)
    rows.queue_runs()
    return drains.measure(do_nothing, processes=processes, runs=runs, warm=warm)


def do_nothing() -> None:
    """In the drain's process: let an executed run succeed at once."""
    vars(loop)["execute"] = _succeed


def _succeed(run: SyncRun) -> None:
    finish.succeed(Lease.of(run), calls=0)


if __name__ == "__main__":
    main()
