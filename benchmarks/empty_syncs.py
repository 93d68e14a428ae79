"""Empty syncs a second: what the queue itself costs, beside plain Celery and BullMQ.

Run: `python -m benchmarks.empty_syncs [--runs 2000] [--rounds 3]`. AdTiger claims, writes the attempt,
finishes and keeps the run as history; the peers insert one row per job. All wait in the queue before.
The bare ones promise less on the same tables: what lies between them and AdTiger is the promises' price.
"""

from collections.abc import Callable
from functools import partial

from benchmarks.harness import bare, drains, rows
from benchmarks.harness.options import options
from benchmarks.harness.product import execute, forget_keys, ready_database
from benchmarks.harness.report import Report
from benchmarks.harness.rounds import Contender, interleave
from benchmarks.peers import bullmq, celery
from providers.base import Usage
from sync.engine import drain as loop
from sync.engine.platform import gate_for
from sync.ledger import finish
from sync.ledger.finish import Success
from sync.ledger.follow import succeed_and_claim
from sync.ledger.lease import Lease
from sync.models import SyncRun

TENANTS = 20
PRODUCT = "AdTiger, 1 slot"
NO_TOKEN = "never-used"


def main() -> None:
    asked = options(__doc__, runs=(2_000, 40))
    report = Report("empty_syncs")
    ready_database()
    jobs, warm = ["-"] * asked.runs, asked.runs // 10
    adtiger = partial(_adtiger, asked.runs, warm)
    contenders = [
        Contender(PRODUCT, partial(adtiger, slots=1, processes=1)),
        Contender("AdTiger, 10 slots, 2 processes", partial(adtiger, slots=10, processes=2)),
        Contender("AdTiger, 10 slots, 10 processes", partial(adtiger, slots=10, processes=10)),
        Contender(
            "plain Celery, 2 processes", partial(celery.measure, "empty", ["-"] * asked.runs, warm=warm)
        ),
    ]
    if bullmq.is_there():
        contenders += [
            Contender(
                f"BullMQ, concurrency {number}",
                partial(bullmq.measure, "empty", jobs, concurrency=number, warm=warm),
            )
            for number in (1, 10)
        ]
    peers = [contender.name for contender in contenders[3:]]
    bare_ones = partial(_adtiger, asked.runs, warm, slots=1, processes=1, triggers="DISABLE")
    contenders += [
        Contender("bare: oldest first, lease, history", partial(bare_ones, prepare=claim_the_oldest)),
        Contender("bare, and slots over all workers", partial(bare_ones, prepare=claim_a_slot)),
        Contender(
            "AdTiger, 1 slot, and a call's budget",
            partial(adtiger, slots=1, processes=1, prepare=take_a_call),
        ),
    ]
    found = interleave(contenders, rounds=asked.rounds)
    report.compare_all("empty syncs", found, bases=[*peers, PRODUCT])
    report.save()


def _adtiger(
    runs: int,
    warm: int,
    *,
    slots: int,
    processes: int,
    prepare: Callable[[], None] | None = None,
    triggers: str = "ENABLE",
) -> dict[str, float]:
    forget_keys()
    rows.empty(slots=slots)
    rows.connections([f"act_{number}" for number in range(1, runs + 1)], tenants=TENANTS, secret=NO_TOKEN)
    rows.queue_runs()
    execute(
        f"ALTER TABLE sync_syncrun {triggers} TRIGGER USER"
    )  # they keep the lanes of order and fair share
    try:
        return drains.measure(prepare or do_nothing, processes=processes, runs=runs, warm=warm)
    finally:
        execute("ALTER TABLE sync_syncrun ENABLE TRIGGER USER")


def do_nothing() -> None:
    """In the drain's process: let an executed run succeed at once."""
    vars(loop)["execute"] = _succeed


def claim_the_oldest() -> None:
    """In the drain's process: no more than a lease."""
    vars(loop).update(execute=_succeed_alone, claim=bare.claim)


def claim_a_slot() -> None:
    """In the drain's process: a lease, and the number of slots."""
    vars(loop).update(execute=_succeed_alone, claim=bare.claim_a_slot)


def take_a_call() -> None:
    """In the drain's process: an executed run takes a call from its budgets, as a real one does thrice."""
    vars(loop)["execute"] = _succeed_with_budget


def _succeed(run: SyncRun, *, goes_on: Callable[[], bool]) -> SyncRun | None:
    return succeed_and_claim(run, Lease.of(run), Success(calls=0))[1]


def _succeed_alone(run: SyncRun, *, goes_on: Callable[[], bool]) -> None:
    finish.succeed(Lease.of(run), Success(calls=0))


def _succeed_with_budget(run: SyncRun, *, goes_on: Callable[[], bool]) -> SyncRun | None:
    gate = gate_for(run.connection, background=True)
    gate.settle(gate.take(), Usage())
    return succeed_and_claim(run, Lease.of(run), Success(calls=1))[1]


if __name__ == "__main__":
    main()
