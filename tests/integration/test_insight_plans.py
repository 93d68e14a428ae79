"""Whatever reads or writes metrics touches the months that it is about, and these by their key.

Three years of 20 ad accounts; PostgreSQL itself counts which partitions are scanned, and in which way.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection as database
from django.utils import timezone

from providers.records import InsightRecord, InsightSlice, Level
from sync.engine.checks.insights import contradictions
from sync.engine.incoming import SMALL_PAGE
from sync.engine.insights.days import any_rows, complete, remove_vanished
from sync.engine.insights.merge import merge_insights
from sync.engine.insights.partitions import add_months, ensure_partitions, months, name_of
from sync.engine.insights.work import Begun
from sync.models import Account, Connection, SyncRun
from tests.factories import make_ad, make_campaign, make_complete, make_connection, make_credential, make_run
from tests.integration.api_callers import Caller, by_token
from tests.integration.insight_platform import record

Counts = dict[str, tuple[int, int]]  # by partition: sequential scans and those of its key

MONTHS = 36
ADS = 8  # of each ad account, with as many campaigns; they deliver on every day
DAY = timedelta(days=1)
FILL = """
    INSERT INTO sync_insight (connection_id, run_id, updated_at, impressions, clicks, spend_micros,
        conversion_value_micros, day, level, external_id, campaign_external_id, ad_group_external_id,
        currency, attribution, conversions, conversions_by_type, extra)
    SELECT c.id, c.id, now(), 10, 1, 1000000, 0, day::date, level, level || n, 'campaign1', '', 'EUR',
        '7d_click_1d_view', 0, '{}', '{}'
    FROM sync_connection c, generate_series(%(since)s::date, %(until)s::date, interval '3 days') AS day,
        unnest(ARRAY['ad', 'campaign']) AS level, generate_series(1, %(ads)s) AS n
"""
SCANS = """
    SELECT relname, seq_scan, idx_scan FROM pg_stat_xact_user_tables
    JOIN pg_inherits ON inhrelid = relid WHERE inhparent = 'sync_insight'::regclass
"""


@pytest.fixture
def today() -> date:
    return timezone.now().date()


@pytest.fixture
def connection(account: Account, today: date) -> Connection:
    """One of 20, all with metrics of every third day of 36 months."""
    credential = make_credential(account)
    first, *_ = [make_connection(account, credential=credential, time_zone="UTC") for _ in range(20)]
    make_campaign(first, external_id="campaign1")
    make_ad(first, external_id="ad1")
    since = add_months(today, 1 - MONTHS)
    ensure_partitions(since, today)
    with database.cursor() as cursor:
        cursor.execute(FILL, {"since": since, "until": today, "ads": ADS})
        cursor.execute("ANALYZE sync_insight, sync_connection")
    return first


@pytest.fixture
def run(connection: Connection) -> SyncRun:
    return make_run(connection)


def touched(act: Callable[[], object]) -> Counts:
    """The partitions that PostgreSQL scanned for it."""
    before = _scans()
    act()
    now = {name: (rows - before[name][0], key - before[name][1]) for name, (rows, key) in _scans().items()}
    return {name: counts for name, counts in now.items() if any(counts)}


def _scans() -> Counts:
    with database.cursor() as cursor:
        cursor.execute(SCANS)
        return {name: (rows, key) for name, rows, key in cursor.fetchall()}


def assert_only_months_of(since: date, until: date, act: Callable[[], object], what: str) -> None:
    found = touched(act)
    assert found.keys() == {name_of(month) for month in months(since, until)}, what
    assert {rows for rows, _ in found.values()} == {0}, f"{what} scans whole months: {found}"


def two_months(today: date) -> tuple[date, date]:
    """Ten days of one, and ten of the next, a year ago."""
    first = add_months(today, -11)
    return first - 10 * DAY, first + 9 * DAY


def records(since: date, until: date, ads: int) -> list[InsightRecord]:
    days = [since + DAY * nth for nth in range((until - since).days + 1)]
    return [record(day, f"ad{nth}") for day in days for nth in range(1, ads + 1)]


def test_a_sync_touches_the_months_of_its_slice(connection: Connection, run: SyncRun, today: date) -> None:
    since, until = two_months(today)
    slice = InsightSlice(Level.AD, since, until)
    small, large = records(since, until, 2), records(since, until, ADS)
    assert len(small) <= SMALL_PAGE < len(large)
    owner = {"connection_id": connection.pk, "run_id": uuid4()}
    make_complete(connection, *(since + DAY * nth for nth in range(20)), level=Level.AD, run_id=run.pk)
    begun = Begun(slice, datetime.now(UTC), may_vanish=True)
    wholly: dict[str, Callable[[], object]] = {
        "a small page": lambda: merge_insights(slice, small, **owner),
        "a small page again": lambda: merge_insights(slice, small, **owner),
        "a large page": lambda: merge_insights(slice, large, **owner),
        "a large page again": lambda: merge_insights(slice, large, **owner),
        "what vanished": lambda: remove_vanished(run, slice, large),
        "completed days": lambda: complete(run, begun, "click_date"),
        "whether levels agree": lambda: contradictions(run),
    }

    for what, act in wholly.items():
        assert_only_months_of(since, until, act, what)
    assert len(touched(lambda: any_rows(run, slice))) == 1  # the first row will do


def test_a_prepared_plan_touches_no_other_months_either(connection: Connection, today: date) -> None:
    """PostgreSQL goes over to a plan for all days when it has run a statement some times."""
    since, until = two_months(today)
    owner = {"connection_id": connection.pk, "run_id": uuid4()}
    slices = [InsightSlice(Level.AD, since + DAY * nth, until) for nth in range(8)]

    for slice in slices:
        page = records(slice.since, slice.until, 2)
        assert_only_months_of(slice.since, until, partial(merge_insights, slice, page, **owner), "it")


def test_the_api_touches_the_months_that_are_asked_for(
    connection: Connection, victor: Any, account: Account, today: date
) -> None:
    since, until = two_months(today)
    caller: Caller = by_token(victor, account)
    one = {"connection": str(connection.pk), "level": "ad"}
    for path, query in (
        ("/api/insights", one),
        ("/api/insights", {"level": "ad"}),
        ("/api/insights", {**one, "campaign": "campaign1"}),
        ("/api/insights", {**one, "id": "ad1"}),
        ("/api/insights", {**one, "ordering": "-spendMicros"}),
        ("/api/insights", {**one, "ordering": "-day,-id"}),
        ("/api/insights/totals", {**one, "by": "day"}),
        ("/api/insights/totals", {**one, "by": "entity", "level": "campaign"}),
        ("/api/insights/totals", {"by": "all", "level": "campaign"}),
    ):
        asked = {**query, "from": str(since), "to": str(until), "pageSize": "500"}
        if path.endswith("totals") or "ordering" in query:
            asked.pop("pageSize")
        body = caller.get(path, **asked).body
        assert body["results"], (path, body)
        assert_only_months_of(since, until, partial(caller.get, path, **asked), f"{path} {query}")
