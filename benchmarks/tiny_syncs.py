"""Tiny syncs a second: one HTTP call, five rows written, a row of history; beside Celery and BullMQ.

Run: `python -m benchmarks.tiny_syncs [--runs 1000] [--rounds 3]`. AdTiger's two worker processes keep
every guarantee: order, slots, lease and heartbeat, budgets, fenced chunk, changes, second look. Its run
is cut to its first stream, so that it makes one call as the peers do.
"""

import urllib.parse
from collections.abc import Sequence
from functools import partial

import orjson

from benchmarks.harness import drains, rows
from benchmarks.harness.options import options
from benchmarks.harness.platform import Platform, open_platform
from benchmarks.harness.product import forget_keys, ready_database
from benchmarks.harness.report import Report
from benchmarks.harness.rounds import Contender, interleave
from benchmarks.peers import bullmq, celery
from providers.meta.client import PAGE_SIZE
from providers.meta.fields import FIELDS, STATUSES
from providers.records import Stream
from sync.engine import copy
from sync.models import Campaign

TENANTS = 20
CAMPAIGNS = 5
SLOTS = 3  # the guide's concurrency


def main() -> None:
    asked = options(__doc__, runs=(1_000, 40))
    report = Report("tiny_syncs")
    ready_database()
    warm = asked.runs // 10
    with open_platform(accounts=asked.runs, campaigns=CAMPAIGNS) as platform:
        contenders = _contenders(platform, warm)
        found = interleave(contenders, rounds=asked.rounds)
    report.compare_all("tiny syncs", found, bases=[contender.name for contender in contenders[2:]])
    report.save()


def _contenders(platform: Platform, warm: int) -> list[Contender]:
    jobs, url = _paths(platform.accounts), platform.url
    contenders = [
        Contender(
            f"AdTiger, {SLOTS} slots, {n} process{'es' * (n > 1)}",
            partial(_adtiger, platform, warm, processes=n),
        )
        for n in (1, 2)
    ]
    contenders.append(
        Contender("plain Celery, 2 processes", partial(celery.measure, "tiny", jobs, warm=warm, sandbox=url))
    )
    if bullmq.is_there():
        contenders += [
            Contender(
                f"BullMQ, concurrency {n}",
                partial(bullmq.measure, "tiny", jobs, concurrency=n, warm=warm, sandbox=url),
            )
            for n in (1, 3, 10)
        ]
    return contenders


def _paths(accounts: Sequence[str]) -> list[str]:
    """What the peers call: the very question that AdTiger's client asks."""
    query = {
        "fields": FIELDS[Stream.CAMPAIGNS],
        "effective_status": orjson.dumps(STATUSES[Stream.CAMPAIGNS]).decode(),
        "summary": "total_count",
        "limit": str(PAGE_SIZE),
    }
    return [f"/meta/v26.0/{account}/campaigns?{urllib.parse.urlencode(query)}" for account in accounts]


def _adtiger(platform: Platform, warm: int, *, processes: int) -> dict[str, float]:
    forget_keys()
    rows.empty(slots=SLOTS)
    rows.connections(platform.accounts, tenants=TENANTS, secret=platform.token)
    rows.queue_runs()
    runs = len(platform.accounts)
    figures = drains.measure(only_campaigns, processes=processes, runs=runs, warm=warm)
    assert Campaign.objects.count() == runs * CAMPAIGNS, "rows are missing"
    return figures


def only_campaigns() -> None:
    """In the drain's process: a run that is one call long."""
    vars(copy)["ORDER"] = (Stream.CAMPAIGNS,)


if __name__ == "__main__":
    main()
