"""Does a sync grow dearer with its ad account? Processor time per row and memory, small against large.

Run: `python -m benchmarks.growth [--small 10000] [--large 200000] [--rounds 3]`. One worker, one Meta
account of so many ads, everything on; a row is a campaign, an ad set or an ad.
"""

from functools import partial

from django.conf import settings

from benchmarks.harness import rows
from benchmarks.harness.act import Cost, measured
from benchmarks.harness.options import options
from benchmarks.harness.platform import Platform, open_platform
from benchmarks.harness.product import forget_keys, ready_database
from benchmarks.harness.report import Report
from benchmarks.harness.rounds import Contender, interleave
from benchmarks.page_to_rows import UNBOUND
from sync.engine.drain import drain
from sync.ledger.claim import promote_due
from sync.models import Ad, Connection, SyncRun
from sync.models.choices import RunState

ADS_PER_AD_GROUP, AD_GROUPS_PER_CAMPAIGN = 20, 10
PASSES = FRESH, UNCHANGED = "fresh", "unchanged"
CPU = "CPU ms per 1,000 rows"
MEMORY = "peak above an idle worker, MB"


def main() -> None:
    asked = options(__doc__, small=(10_000, 40), large=(200_000, 400))
    report = Report("growth")
    ready_database()
    settings.CONNECTION_WINDOWS["meta"] = UNBOUND
    small, large = (f"{ads:,} ads" for ads in (asked.small, asked.large))
    with open_platform(accounts=1, **_size(asked.small)) as platform:
        [of_small, of_large] = [*platform.accounts, *platform.open(accounts=1, **_size(asked.large))]
        contenders = [
            Contender(small, partial(_measure, platform, of_small, asked.small)),
            Contender(large, partial(_measure, platform, of_large, asked.large)),
        ]
        found = interleave(contenders, rounds=asked.rounds)
    for unit in (CPU, MEMORY):
        passes = {name: f"{name}: {unit}" for name in PASSES}
        pairs = {name: (found[key][small], found[key][large]) for name, key in passes.items()}
        report.pairs(f"{small} and {large}", unit, pairs)
    report.save()


def _size(ads: int) -> dict[str, int]:
    ad_groups = max(1, ads // ADS_PER_AD_GROUP)
    return {"campaigns": max(1, ad_groups // AD_GROUPS_PER_CAMPAIGN), "ad_groups": ad_groups, "ads": ads}


def _measure(platform: Platform, external_id: str, ads: int) -> dict[str, float]:
    """A first pass, and the third: the second one tidies up after the first."""
    forget_keys()
    rows.empty(slots=1)
    rows.connections([external_id], tenants=1, secret=platform.token)
    sync = partial(_sync, ads)
    fresh = measured(sync, platform)
    measured(sync, platform)
    unchanged = measured(sync, platform)
    return {**_figures(FRESH, fresh), **_figures(UNCHANGED, unchanged)}


def _figures(name: str, cost: Cost) -> dict[str, float]:
    run = SyncRun.objects.latest("created_at")
    count = run.campaigns_count + run.ad_groups_count + run.ads_count  # the same in each pass
    return {
        f"{name}: {CPU}": cost.cpu_seconds * 1000 / count * 1000,
        f"{name}: {MEMORY}": cost.memory_mb,
    }


def _sync(ads: int) -> None:
    """In the worker's process: one full pass, to its end, however often it leaves its slot to others."""
    rows.queue_runs()
    while SyncRun.objects.open().exists():
        drain(rows.META, rows.REGION, worker="bench")
        waiting = SyncRun.objects.filter(state=RunState.DEFERRED)
        waiting.update(available_at=Connection.objects.get().created_at)
        promote_due(rows.META, rows.REGION)
    run = SyncRun.objects.latest("created_at")
    assert run.state == RunState.SUCCEEDED, run.error_message
    assert (run.ads_count, Ad.objects.count()) == (ads, ads), "rows are missing"


if __name__ == "__main__":
    main()
