"""From the platform's page to committed rows: one worker, one Meta account; beside bare SQL and products.

Run: `python -m benchmarks.page_to_rows [--ads 100000] [--rounds 3]`. AdTiger has everything on: order,
lease, budgets, fenced chunks with checkpoints, change history, ids seen, the second look.
"""

import time
from collections.abc import Callable
from functools import partial

from django.conf import settings

from benchmarks.harness import rows
from benchmarks.harness.act import measured
from benchmarks.harness.options import options
from benchmarks.harness.platform import Platform, open_platform
from benchmarks.harness.product import forget_keys, ready_database
from benchmarks.harness.report import Report
from benchmarks.harness.rounds import Contender, interleave
from benchmarks.peers import bare, bulk, packages
from benchmarks.peers.walk import Walk
from sync.engine.drain import drain
from sync.models import Ad, Change, Connection, SyncRun
from sync.models.choices import RunState

CAMPAIGNS = 100
AD_GROUPS = 1_000
CHANGED = 20  # one ad of so many: 5 %
LIMIT, ADTIGER = "the limit: fetch, parse, COPY", "AdTiger"
UNBOUND = ((1_000_000, 60.0), (1_000_000, 3600.0))  # calls and seconds: taken and settled, never in the way

BEST_PRODUCT = packages.DLT
TIMES = ("fresh, s", "unchanged, s", "5 % changed, s")

Walks = Callable[[], object]


def main() -> None:
    asked = options(__doc__, ads=(100_000, 400))
    report = Report("page_to_rows")
    ready_database()
    settings.CONNECTION_WINDOWS["meta"] = UNBOUND
    size = {"campaigns": min(CAMPAIGNS, asked.ads), "ad_groups": min(AD_GROUPS, asked.ads), "ads": asked.ads}
    with open_platform(accounts=1, **size) as platform:
        walk = Walk(platform.url, platform.token, platform.accounts[0])
        found = interleave(_contenders(platform, walk, asked.ads), rounds=asked.rounds)
    title = f"{asked.ads:,} ads"
    for unit in TIMES:
        report.compare(title, unit, found.pop(unit), bases=[LIMIT, BEST_PRODUCT])
    report.wide(title, found)
    report.save()


def _contenders(platform: Platform, walk: Walk, ads: int) -> list[Contender]:
    def contender(name: str, ready: Walks, act: Walks, *, again: bool = True) -> Contender:
        return Contender(name, partial(_measure, platform, ready, act, ads, again=again))

    own = [
        contender(LIMIT, lambda: None, partial(bare.limit, walk), again=False),
        contender("COPY and MERGE by hand", partial(bare.empty, keys=True), partial(bare.merge, walk)),
        contender(ADTIGER, partial(_ready, platform), partial(_sync, ads)),
        contender("Django's bulk_create", partial(_ready, platform), partial(bulk.walk_in, walk)),
    ]
    return [*own, *(contender(name, ready, act) for name, ready, act in packages.walks(walk))]


def _measure(platform: Platform, ready: Walks, act: Walks, ads: int, *, again: bool) -> dict[str, float]:
    """Fresh, unchanged twice (the second tells what such a run writes), and with 5 % of the ads changed."""
    ready()
    fresh = unchanged = changed = measured(act, platform)
    told: dict[str, float] = {}
    if again:
        measured(act, platform)
        unchanged = measured(act, platform)
        _edit(platform, max(1, ads // CHANGED))
        changed = measured(act, platform)
        told = {"WAL of an unchanged one, MB": unchanged.wal_mb}
    return {
        **dict(zip(TIMES, (fresh.seconds, unchanged.seconds, changed.seconds), strict=True)),
        "CPU of a fresh one, s": fresh.cpu_seconds,
        "memory, MB": fresh.memory_mb,
        "calls": fresh.calls,
        **told,
    }


def _edit(platform: Platform, count: int) -> None:
    account, seed = platform.accounts[0], time.monotonic_ns()
    platform.sandbox.control("random-edits", platform="meta", account=account, count=count, seed=seed)


def _ready(platform: Platform) -> None:
    forget_keys()
    rows.empty(slots=1)
    rows.connections(platform.accounts, tenants=1, secret=platform.token)


def _sync(ads: int) -> None:
    """In the worker's process: one full pass, from the request's row to its end."""
    rows.queue_runs()
    changes = Change.objects.count()
    drain(rows.META, rows.REGION, worker="bench")
    run = SyncRun.objects.latest("created_at")
    assert run.state == RunState.SUCCEEDED, run.error_message
    assert (run.ads_count, Ad.objects.count()) == (ads, ads), "rows are missing"
    assert Connection.objects.filter(last_full_sync_at=None).count() == 0
    assert Change.objects.count() >= changes


if __name__ == "__main__":
    main()
