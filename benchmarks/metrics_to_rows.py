"""From the platform's report to committed daily metrics: one worker, one Meta account; beside bare SQL and
products.

Run: `python -m benchmarks.metrics_to_rows [--ads 8700] [--days 30] [--tap 1] [--rounds 3]`. AdTiger has
everything on: order, lease, budgets, fenced chunks with checkpoints, the days' completeness, what vanished.
`--tap 0` leaves tap-facebook out, which takes minutes.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.utils import timezone

from benchmarks.harness import rows
from benchmarks.harness.act import measured
from benchmarks.harness.options import options
from benchmarks.harness.platform import Platform, open_platform
from benchmarks.harness.product import execute, forget_keys, ready_database
from benchmarks.harness.report import Report
from benchmarks.harness.rounds import Contender, interleave
from benchmarks.page_to_rows import UNBOUND
from benchmarks.peers import bare_metrics, bulk, packages
from benchmarks.peers.bare_metrics import Metrics
from benchmarks.peers.walk import Walk
from providers.records import Level
from sync.engine.drain import drain
from sync.ledger.claim import promote_due
from sync.ledger.request import request_sync
from sync.ledger.scope import Scope
from sync.ledger.wishes import Wish, only
from sync.models import Connection, Insight, SyncRun
from sync.models.choices import Kind, RunState, Trigger
from sync.schedule.hooks import Told, heed

LIMIT, ADTIGER = "the limit: fetch, parse, COPY", "AdTiger"
TIMES = ("fresh, s", "again, s", "5 % restated, s")
RESTATED = 20  # one row of so many: 5 %


def main() -> None:
    asked = options(__doc__, ads=(8_700, 40), days=(30, 2), tap=(1, 1))
    report = Report("metrics_to_rows")
    ready_database()
    settings.CONNECTION_WINDOWS["meta"] = UNBOUND
    size = {"campaigns": max(1, asked.ads // 200), "ad_groups": max(1, asked.ads // 20), "ads": asked.ads}
    with open_platform(accounts=1, **size) as platform:
        platform.sandbox.control("settings", meta_report_seconds=0)
        walk = Walk(platform.url, platform.token, platform.accounts[0])
        yesterday = timezone.now().date() - timedelta(days=1)
        metrics = Metrics(walk, yesterday - timedelta(days=asked.days - 1), yesterday)
        expected = sum(len(page) for page in metrics.pages())
        _let_make(platform, metrics, expected)
        contenders = _contenders(platform, metrics, expected, with_tap=bool(asked.tap))
        found = interleave(contenders, rounds=asked.rounds)
    title = f"{expected:,} rows"
    for unit in TIMES:
        report.compare(title, unit, found.pop(unit), bases=[LIMIT, packages.DLT])
    report.wide(title, found)
    report.save()


def _contenders(platform: Platform, metrics: Metrics, expected: int, *, with_tap: bool) -> list[Contender]:
    def contender(
        name: str, ready: Callable[[], object], act: Callable[[], object], table: str = ""
    ) -> Contender:
        return Contender(name, partial(_measure, platform, ready, act, table))

    own = [
        contender(LIMIT, lambda: None, partial(bare_metrics.limit, metrics)),
        contender(
            "COPY and MERGE by hand",
            partial(bare_metrics.empty, keys=True),
            partial(bare_metrics.merge, metrics),
            "peer_metrics",
        ),
        contender(ADTIGER, partial(_ready, platform), partial(_sync, metrics, expected), "sync_insight"),
        contender("Django's bulk_create", partial(_ready, platform), partial(bulk.read_in, metrics)),
    ]
    peers = packages.metrics(metrics.walk, metrics.since, metrics.until, with_tap=with_tap)
    return [*own, *(contender(name, ready, act) for name, ready, act in peers)]


def _measure(
    platform: Platform, ready: Callable[[], object], act: Callable[[], object], table: str
) -> dict[str, float]:
    """Fresh, the same rows once more (the third time, for the second one tidies up after the first), and with
    5 % of the rows different from the platform's. Where no table is named, nothing looks at what differs."""
    ready()
    fresh = measured(act, platform)
    measured(act, platform)
    again = restated = measured(act, platform)
    if table:
        execute(f"UPDATE {table} SET clicks = clicks + 1 WHERE abs(hashtext({table}::text)) % {RESTATED} = 0")
        restated = measured(act, platform)
    return {
        **dict(zip(TIMES, (fresh.seconds, again.seconds, restated.seconds), strict=True)),
        "CPU of a fresh one, s": fresh.cpu_seconds,
        "memory, MB": fresh.memory_mb,
        "calls": fresh.calls,
        "WAL of one again, MB": again.wal_mb,
    }


def _let_make(platform: Platform, metrics: Metrics, expected: int) -> None:
    """Let the sandbox make all reports that AdTiger asks for, as it has made the limit's: it keeps the rows.
    A first reading asks for other days at once than those that know how many rows there are."""
    _ready(platform)
    for _ in range(2):
        _sync(metrics, expected)


def _ready(platform: Platform) -> None:
    """The ads are known: by them a sync knows how many rows will come."""
    forget_keys()
    rows.empty(slots=1)
    rows.connections(platform.accounts, tenants=1, secret=platform.token)
    execute("TRUNCATE sync_insight")
    rows.queue_runs()
    drain(rows.META, rows.REGION, worker="bench")


def _sync(metrics: Metrics, expected: int) -> None:
    """In the worker's process: from the request's row to the run's end."""
    connection = Connection.objects.get()
    scope = Scope(levels=(Level.AD,), date_from=metrics.since, date_to=metrics.until)
    wish = only(Wish(Kind.INSIGHTS, scope))
    request_sync(connection.account, [connection], trigger=Trigger.SCHEDULED, source="beat", wishes=wish)
    while SyncRun.objects.open().exists():
        drain(rows.META, rows.REGION, worker="bench")
        waits_for = SyncRun.objects.filter(state=RunState.DEFERRED).values_list("report_ids", flat=True)
        ended = frozenset(report for reports in waits_for for report in reports)
        heed(Told(ended, {}))  # as when Meta's hook tells
        promote_due(rows.META, rows.REGION)
    run = SyncRun.objects.latest("created_at")
    assert run.state == RunState.SUCCEEDED, run.error_message
    assert Insight.objects.count() == expected, "rows are missing"


if __name__ == "__main__":
    main()
