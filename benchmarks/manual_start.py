"""From a person's request to the start of the sync: idle, in the hourly burst, and beside a long sync.

Run: `python -m benchmarks.manual_start [--asked 12] [--burst 4000] [--latency-ms 300] [--rounds 3]`. A real
worker, calls of 300 ms, small runs of three calls; requests come at random moments of a call. The bar is
one chunk: a page's call and its commit. BullMQ has as many slots, priorities, jobs of three such calls.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from django.db.models import F, Sum
from django.utils import timezone

from benchmarks.harness import rows
from benchmarks.harness.options import options
from benchmarks.harness.platform import Platform, open_platform
from benchmarks.harness.product import forget_keys, ready_database
from benchmarks.harness.report import Report
from benchmarks.harness.rounds import Contender, interleave
from benchmarks.harness.worker import send_hints, until, worker
from benchmarks.peers import bullmq
from sync.ledger.request import request_sync
from sync.models import Connection, SyncAttempt, SyncRun
from sync.models.choices import ENDED, RunState, Trigger

SLOTS = 2
TENANTS = 50
ROOMY = "1000000/60"  # budgets are measured elsewhere


def main() -> None:
    asked = options(__doc__, asked=(12, 2), burst=(4_000, 40), latency_ms=(300, 10), ads=(100_000, 4_000))
    report = Report("manual_start")
    ready_database()
    with open_platform(accounts=asked.asked + asked.burst, campaigns=1, ad_groups=1, ads=1) as platform:
        long = platform.open(accounts=1, campaigns=10, ad_groups=100, ads=asked.ads)
        platform = platform.slow(asked.latency_ms / 1000)
        mine, others = platform.accounts[: asked.asked], platform.accounts[asked.asked :]
        burst = f"{asked.burst:,} others wait"
        contenders = [
            Contender("AdTiger, 2 slots, idle", partial(_ask, platform, mine, [], slots=SLOTS)),
            Contender(f"AdTiger, 2 slots, {burst}", partial(_ask, platform, mine, others, slots=SLOTS)),
            Contender("AdTiger, its only slot in a long sync", partial(_ask, platform, mine, long, slots=1)),
        ]
        if bullmq.is_there():
            contenders += [
                Contender(
                    f"BullMQ, 2 slots, {name}", partial(bullmq.starts, platform, mine, waiting, slots=SLOTS)
                )
                for name, waiting in (("idle", []), (burst, others))
            ]
        found = interleave(contenders, rounds=asked.rounds)
    report.wide("request to start", found)
    report.save()


def _ask(platform: Platform, mine: list[str], others: list[str], *, slots: int) -> dict[str, float]:
    """Ask for one after the other, each when the one before has ended, while the others are at work."""
    with _at_work(platform, mine, others, slots=slots):
        waits, dice = [], random.Random(len(others))
        for connection in Connection.objects.filter(external_id__in=mine).select_related("account"):
            if others:
                until(SyncRun.objects.running().exists, what="a start of the others")
            time.sleep(dice.random() * platform.latency)  # at any moment of a call
            begun = timezone.now()
            run = request_sync(connection.account, [connection], trigger=Trigger.MANUAL, source="api").made[0]
            until(SyncRun.objects.filter(pk=run.pk, state__in=ENDED).exists, what="the end of a manual sync")
            run.refresh_from_db()
            assert run.started_at is not None
            assert run.state == RunState.SUCCEEDED, run.error_message
            waits.append((run.started_at - begun).total_seconds() * 1000)
        left = SyncRun.objects.filter(connection__external_id__in=others).open().exists()
        assert left or not others, "the others had ended before everybody had asked: take more of them"
        figures = bullmq.percentiles(waits)
        return figures | {"p99 in chunks": figures["p99 in ms"] / _chunk_ms()}


@contextmanager
def _at_work(platform: Platform, mine: list[str], others: list[str], *, slots: int) -> Iterator[None]:
    """A worker that has begun with the others' runs."""
    forget_keys()
    rows.empty(slots=slots)
    rows.connections([*mine, *others], tenants=min(TENANTS, len(mine)), secret=platform.token)
    if others:
        rows.queue_runs(others)
    with worker(processes=slots, META_CONNECTION_WINDOWS=ROOMY):
        if others:
            send_hints(slots)
            until(SyncAttempt.objects.filter(calls__gt=0).exists, what="the first chunk of the others")
        yield


def _chunk_ms() -> float:
    """What a call and its commit took, over all attempts that ended."""
    ended = SyncAttempt.objects.filter(ended_at__isnull=False, calls__gt=0)
    told = ended.aggregate(spent=Sum(F("ended_at") - F("started_at")), calls=Sum("calls"))
    return float(told["spent"].total_seconds() * 1000 / told["calls"])


if __name__ == "__main__":
    main()
