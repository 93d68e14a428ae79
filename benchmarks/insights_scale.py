"""Do the insights slow down as they grow? Merges, what is due, completeness, the API and the upkeep, few
rows against many.

Run: `python -m benchmarks.insights_scale [--rows 5000000] [--few 100000]`. Two databases of 37 months, filled
by SQL and asked in turn about one ad account that is the same in both; they are dropped at the end. 20
million rows take some 13 GB and fill in some ten minutes.
"""

import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from benchmarks.harness import metrics
from benchmarks.harness.act import MB, alone
from benchmarks.harness.caller import Caller
from benchmarks.harness.options import options
from benchmarks.harness.product import drop_database, execute, ready_database, use_database
from benchmarks.harness.report import Report, number
from benchmarks.harness.rounds import Contender, interleave
from benchmarks.harness.timed import median, timed
from providers.records import InsightRecord
from sync.engine.insights.completeness import completeness
from sync.engine.insights.merge import Merged, merge_insights
from sync.engine.insights.owners import remove_ownerless
from sync.engine.insights.partitions import (
    add_months,
    ensure_partitions,
    name_of,
    partitions,
)
from sync.engine.insights.plan import MONTHS, oldest_day, plan
from sync.models import Connection, InsightDay, SyncRun
from sync.schedule.cleanup import clean_up

FEW, MANY = "adtiger_bench_few", "adtiger_bench_many"
PAGE = 5_000  # rows of a report's page
CHANGED = 20  # one of so many rows
DAYS_BACK = 150 * metrics.DAY  # where the probe's ads have no rows
MONTH_AHEAD = 3
DAILY, TOTALS = "/api/insights", "/api/insights/totals"
LINES = "lines of CSV a second"


def main() -> None:
    asked = options(__doc__, rows=(5_000_000, 120_000), few=(100_000, 100_000), times=(10, 2))
    report = Report("insights_scale")
    today = timezone.now().date()
    try:
        for name, count in ((FEW, asked.few), (MANY, asked.rows)):
            report.note(_fill(name, count, today))
        contenders = [Contender(name, partial(_ask, name, today, asked.times)) for name in (FEW, MANY)]
        found = interleave(contenders, rounds=asked.rounds)
        for unit in (LINES, "MB above an idle process"):
            figures = found.pop(unit)
            report.pairs("CSV of a month", unit, {"export": (figures[FEW], figures[MANY])})
        pairs = {what: (figures[FEW], figures[MANY]) for what, figures in found.items()}
        report.pairs("insights", "ms", pairs)
        _compare_upkeep(report)
        report.save()
    finally:
        for name in (FEW, MANY):
            drop_database(name)


def _fill(name: str, count: int, today: date) -> str:
    begun = time.perf_counter()
    ready_database(name)
    rows = metrics.fill(insights=count, today=today)
    bytes_a_row = ", ".join(f"{size / rows:.0f} bytes of {what} each" for what, size in metrics.sizes())
    size = sum(size for _, size in metrics.sizes()) / MB
    return (
        f"{name}: {rows:,} rows of {Connection.objects.count():,} ad accounts in {len(partitions())} months, "
        f"{InsightDay.objects.count():,} complete days; {bytes_a_row}, {size:,.0f} MB; a month's key is "
        f"{metrics.levels_of_key()} pages deep; filled in {time.perf_counter() - begun:.0f} s"
    )


def _ask(name: str, today: date, times: int) -> dict[str, float]:
    """The medians of a round, in ms; and the export's own figures."""
    use_database(name)
    probe = metrics.probe()
    of_probe = {"connection": str(probe.pk)}
    month = {**of_probe, "range": "last_30d"}
    caller = Caller(probe.account)
    asked: dict[str, Callable[[], object]] = {
        **_merges(probe),
        "which days are due": lambda: plan(SyncRun(connection=probe, levels=[]), timezone.now()),
        "completeness of 37 months": lambda: completeness(probe, oldest_day(today), today),
        "30 days of an ad account, by day": lambda: caller.get(DAILY, level="account", **month),
        "a year's totals of its campaigns": lambda: caller.get(
            TOTALS, level="campaign", by="entity", **of_probe, **_days(today, 365)
        ),
        "30 days of a campaign's ads": lambda: caller.get(DAILY, level="ad", **month, campaign=_campaign()),
        "the last page of a month of ads": _last_page(caller, {"level": "ad", **month}),
        "a month made and dropped": partial(_make_and_drop, add_months(today, MONTH_AHEAD)),
    }
    export = partial(caller.csv_lines, DAILY, level="ad", **month)
    _, memory = alone(export)
    figures = {what: median(act, times) for what, act in asked.items()}
    export_ms = median(export, times)
    execute("VACUUM sync_insight")  # of what merges wrote and took back
    return {**figures, LINES: export() / export_ms * 1000, "MB above an idle process": memory}


def _merges(probe: Connection) -> dict[str, Callable[[], object]]:
    same = metrics.some_of_probe(PAGE)
    new = [record._replace(day=record.day - DAYS_BACK) for record in same]
    changed = [
        record._replace(impressions=record.impressions + 1) if not nth % CHANGED else record
        for nth, record in enumerate(same)
    ]
    return {
        f"merge of {PAGE:,} rows, unchanged": partial(_merge, probe, same, Merged(0, 0)),
        f"merge of {PAGE:,} rows, new": partial(_merge, probe, new, Merged(PAGE, 0)),
        f"merge of {PAGE:,} rows, 5 % changed": partial(_merge, probe, changed, Merged(0, PAGE // CHANGED)),
    }


def _merge(probe: Connection, records: list[InsightRecord], expected: Merged) -> object:
    """In a transaction that is taken back, so that the next one finds the same."""
    with transaction.atomic():
        slice = metrics.slice_of(records)
        merged = merge_insights(slice, records, connection_id=probe.pk, run_id=uuid4())
        transaction.set_rollback(True)
    assert merged == expected, merged
    return True


def _days(today: date, number: int) -> dict[str, str]:
    return {"from": str(today - timedelta(days=number - 1)), "to": str(today)}


def _campaign() -> str:
    return metrics.some_of_probe(1)[0].campaign_external_id


def _last_page(caller: Caller, query: dict[str, Any]) -> Callable[[], object]:
    """Pages are of 500; their way to the last one is not measured."""
    cursor: dict[str, str] = {}
    while (body := caller.get(DAILY, pageSize=500, **query, **cursor))["nextCursor"]:
        cursor = {"cursor": body["nextCursor"]}
    return lambda: caller.get(DAILY, pageSize=500, **query, **cursor)


def _make_and_drop(month: date) -> object:
    ensure_partitions(month, month)
    execute(f"DROP TABLE {name_of(month)}")
    return True


def _compare_upkeep(report: Report) -> None:
    """Once: what is gone is gone. There is more to do where there is more."""
    figures = {name: _upkeep(name) for name in (FEW, MANY)}
    report.table(
        ["the clean-up", "few", "many"],
        [[what, number(few), number(figures[MANY][what])] for what, few in figures[FEW].items()],
        figures,
    )


def _upkeep(name: str) -> dict[str, float]:
    """As it is when the oldest month has to go."""
    use_database(name)
    before = settings.INSIGHTS_MONTHS
    settings.INSIGHTS_MONTHS = MONTHS - 1
    idle, (cleaned, busy) = timed(remove_ownerless)[1], timed(clean_up)
    settings.INSIGHTS_MONTHS = before
    assert cleaned.partitions == 1, cleaned
    return {
        "look for metrics without an owner, ms": idle,
        "the whole clean-up when a month goes, ms": busy,
        "days of it that are forgotten": cleaned.insight_days,
    }


if __name__ == "__main__":
    main()
