"""Runs of insights from claim to end: what arrives, what it costs, and where a run goes on."""

import time
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Max
from django.utils import timezone

from providers.errors import BudgetSpent
from providers.records import InsightSlice, Level
from sync.engine import unfinished
from sync.engine.execute import execute
from sync.engine.insights.ended import remember
from sync.engine.insights.plan import oldest_day
from sync.ledger.claim import claim
from sync.ledger.recover import take_back_lost
from sync.ledger.scope import Scope
from sync.models import Account, Connection, Insight, InsightDay, SeenIds, SyncRun
from sync.models.choices import DeferReason, Kind, RunState
from tests.factories import make_connection, noon, zone_at
from tests.integration.insight_platform import Platform, days_ago, stored, use
from tests.integration.syncing import ask, make_due, work

LEVELS = list(Level)


@pytest.fixture
def connection(account: Account) -> Connection:
    return make_connection(account, "google", time_zone=noon())


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Platform:
    settings.INSIGHTS_FIRST_DAYS = 5
    platform = Platform()
    use(platform, monkeypatch)
    return platform


def fill(platform: Platform, connection: Connection, *, days: int = 5) -> None:
    for age in range(days):
        day = days_ago(connection, age)
        platform.tell(Level.ACCOUNT, day, connection.external_id, clicks=3)
        for number in range(3):
            platform.tell(Level.CAMPAIGN, day, f"c{number}", clicks=number)
            platform.tell(Level.AD, day, f"a{number}", clicks=number)


def read(connection: Connection, **scope: Any) -> SyncRun:
    run = ask(connection, kind=Kind.INSIGHTS, scope=Scope(**scope))
    work(connection)
    run.refresh_from_db()
    return run


def row_versions() -> list[Any]:
    rows = Insight.objects.extra(select={"v": "xmin::text || ctid::text"})
    return sorted(rows.values_list("level", "day", "external_id", "v"))


def slices(platform: Platform) -> list[tuple[str, int]]:
    return [(slice.level.value, (slice.until - slice.since).days + 1) for slice in platform.asked]


def test_a_first_run_reads_the_first_days_of_all_levels(connection: Connection, platform: Platform) -> None:
    fill(platform, connection, days=7)

    run = read(connection)

    assert (run.state, run.progress, run.stage) == (RunState.SUCCEEDED, 100, "succeeded")
    first = days_ago(connection, 4)
    assert stored(connection) == {key: row for key, row in platform.truth.items() if key[1] >= first}
    assert (run.insights_count, run.changes) == (35, {"created": 35})
    assert slices(platform) == [("account", 5), ("campaign", 5), ("ad_group", 5), ("ad", 5)]
    days = {(day.level, day.day): day.rows for day in InsightDay.objects.all()}
    assert len(days) == 20
    assert days["campaign", first] == 3
    assert days["ad_group", first] == 0  # nothing was delivered, and that is known
    connection.refresh_from_db()
    assert connection.last_full_sync_at is None  # of the catalog nothing was read


def test_the_next_run_reads_the_fresh_days_of_hourly_levels_and_writes_no_row(
    connection: Connection, platform: Platform
) -> None:
    fill(platform, connection)
    read(connection)
    before = row_versions()
    platform.asked.clear()

    run = read(connection)

    assert (run.state, run.changes) == (RunState.SUCCEEDED, {})
    assert slices(platform) == [("campaign", 2), ("ad", 2)]
    assert row_versions() == before


def test_by_night_a_level_that_is_read_once_a_day_ends_yesterday(
    account: Account, platform: Platform
) -> None:
    connection = make_connection(account, "google", time_zone=zone_at(1))
    fill(platform, connection)

    assert read(connection).state == RunState.SUCCEEDED

    newest = InsightDay.objects.values("level").annotate(newest=Max("day")).values_list("level", "newest")
    today, yesterday = days_ago(connection, 0), days_ago(connection, 1)
    assert dict(newest) == {"account": yesterday, "campaign": today, "ad_group": yesterday, "ad": today}


def test_what_was_restated_differs_and_what_vanished_goes(connection: Connection, platform: Platform) -> None:
    fill(platform, connection)
    read(connection)
    yesterday, today = days_ago(connection, 1), days_ago(connection, 0)
    platform.tell(Level.AD, yesterday, "a1", clicks=50)
    platform.tell(Level.AD, today, "new")
    del platform.truth[Level.AD, yesterday, "a2"]
    del platform.truth[Level.CAMPAIGN, today, "c0"]

    run = read(connection)

    assert run.changes == {"created": 1, "updated": 1, "removed": 2}
    assert stored(connection) == platform.truth
    assert InsightDay.objects.get(level="ad", day=yesterday).rows == 2
    assert Insight.objects.get(level="ad", day=yesterday, external_id="a1").run_id == run.pk
    assert not SeenIds.objects.exists()


def test_a_named_range_is_read_month_by_month_the_newest_first(
    connection: Connection, platform: Platform
) -> None:
    until = days_ago(connection, 40)
    since = (until.replace(day=1) - timedelta(days=45)).replace(day=15)
    platform.tell(Level.AD, since, "old")

    run = read(connection, levels=("ad",), date_from=since, date_to=until)

    assert run.state == RunState.SUCCEEDED
    asked = platform.asked
    assert [slice.until for slice in asked] == sorted((slice.until for slice in asked), reverse=True)
    assert {slice.since.day for slice in asked} == {1, 15}
    assert (asked[0].until, asked[-1].since) == (until, since)
    assert InsightDay.objects.filter(is_final=True).count() == (until - since).days + 1
    assert stored(connection) == platform.truth


def test_final_days_are_not_read_again(connection: Connection, platform: Platform) -> None:
    since, until = days_ago(connection, 40), days_ago(connection, 20)
    read(connection, levels=("ad",), date_from=since, date_to=until)
    platform.asked.clear()

    read(connection, levels=("ad",), date_from=since, date_to=until)

    assert platform.asked == [InsightSlice(Level.AD, days_ago(connection, 28), until)]


def test_another_attribution_reads_all_known_days_again(connection: Connection, platform: Platform) -> None:
    read(connection, date_from=days_ago(connection, 60), date_to=days_ago(connection, 50))
    read(connection)
    Connection.objects.update(attribution="conversion_date")
    platform.asked.clear()

    read(connection)

    assert set(InsightDay.objects.values_list("attribution", flat=True)) == {"conversion_date"}
    assert {slice for slice in slices(platform) if slice[0] == "account"} == {("account", 5), ("account", 11)}


def test_pending_reports_leave_the_slot_and_cost_no_attempt(
    connection: Connection, platform: Platform
) -> None:
    fill(platform, connection)
    platform.pending = lambda slice: 2 if slice.level in (Level.CAMPAIGN, Level.AD) else 0

    run = read(connection)

    assert (run.state, run.defer_reason, run.failed_attempts) == ("deferred", DeferReason.REPORT, 0)
    assert run.waiting_for == "2 reports of the platform"
    assert run.report_ids == ["2", "4"]  # as the questions were put
    assert run.available_at is not None
    assert 25 < (run.available_at - timezone.now()).total_seconds() <= 30
    assert [slice.level for slice in platform.asked] == LEVELS  # none waited for another's report
    assert set(InsightDay.objects.values_list("level", flat=True)) == {"account", "ad_group"}
    assert 0 < run.progress < 99

    remember(["2"])
    make_due(run)
    work(connection)
    run.refresh_from_db()
    assert (run.state, platform.polls) == ("deferred", ["2"])  # only the one that ended was looked at
    for begun in run.checkpoint["begun"]:
        begun["ready_at"] = 0
    SyncRun.objects.update(checkpoint=run.checkpoint)
    make_due(run)
    work(connection)
    run.refresh_from_db()
    assert run.state == "deferred"
    for begun in run.checkpoint["begun"]:
        begun["ready_at"] = 0
    SyncRun.objects.update(checkpoint=run.checkpoint)
    make_due(run)
    work(connection)

    run.refresh_from_db()
    assert (run.state, run.failed_attempts) == (RunState.SUCCEEDED, 0)
    assert len(platform.asked) == 4  # each report was asked for once
    assert stored(connection) == platform.truth


def test_a_worker_whose_clock_is_behind_waits_for_reports_as_long_as_any(
    connection: Connection, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(platform, connection)
    platform.pending = lambda _: 1
    run = read(connection)
    now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() - timedelta(minutes=1))
    SyncRun.objects.filter(pk=run.pk).update(available_at=now())  # by the database's clock

    assert work(connection) == 1

    run.refresh_from_db()
    assert (run.state, platform.polls) == (RunState.DEFERRED, [])
    assert run.available_at is not None
    assert run.available_at > now() + timedelta(minutes=1)


def test_a_budget_whose_server_is_behind_starts_nothing_again_at_once(
    connection: Connection, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused for a moment that is over already by the database's clock."""
    monkeypatch.setattr(unfinished, "AGAIN", timedelta(minutes=1))  # however slow this machine is
    fill(platform, connection)
    refusals = iter(range(3))

    def refuse(_: InsightSlice) -> None:
        if next(refusals, None) is not None:
            raise BudgetSpent("spent", retry_at=time.time() - 1)

    platform.before_page = refuse

    run = read(connection)

    assert (run.state, run.attempts.count()) == (RunState.DEFERRED, 1)


def test_days_that_the_platform_tells_no_more_when_they_are_read_cost_the_others_nothing(
    connection: Connection, platform: Platform
) -> None:
    oldest = oldest_day(days_ago(connection, 0))
    asked_for_days_ago = oldest - timedelta(days=3)

    run = read(connection, levels=("ad",), date_from=asked_for_days_ago, date_to=oldest + timedelta(days=3))

    assert run.state == RunState.SUCCEEDED
    assert platform.asked == [InsightSlice(Level.AD, oldest, oldest + timedelta(days=3))]


def test_no_more_than_four_reports_are_prepared_at_once(connection: Connection, platform: Platform) -> None:
    platform.pending = lambda _: 1
    until = days_ago(connection, 40)

    run = read(connection, levels=("ad",), date_from=until - timedelta(days=300), date_to=until)

    assert (run.state, len(platform.asked)) == ("deferred", 4)
    assert run.waiting_for == "4 reports of the platform"


def test_what_is_too_much_is_split_by_days(connection: Connection, platform: Platform) -> None:
    fill(platform, connection)
    platform.too_many = 6  # rows; two days of ads

    run = read(connection, levels=("ad",))

    assert run.state == RunState.SUCCEEDED
    assert [days for _, days in slices(platform)] == [5, 2, 3, 1, 2]
    assert stored(connection) == {key: row for key, row in platform.truth.items() if key[0] == Level.AD}


def test_a_day_that_is_too_much_alone_fails_behind_all_others(
    connection: Connection, platform: Platform
) -> None:
    fill(platform, connection)
    today = days_ago(connection, 0)
    for number in range(5):
        platform.tell(Level.AD, today, f"b{number}")
    platform.too_many = 3  # six in halves

    run = read(connection, levels=("ad",))

    assert (run.state, run.failed_attempts, run.error_code) == ("deferred", 1, "too_much_data")
    assert str(today) in run.error_message
    assert InsightDay.objects.count() == 4
    platform.too_many = 10
    make_due(run)
    work(connection)
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
    assert InsightDay.objects.count() == 5


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


def test_a_killed_worker_costs_one_page_and_hides_nothing_that_vanished(
    connection: Connection, platform: Platform
) -> None:
    fill(platform, connection)
    read(connection)
    gone = (Level.AD, days_ago(connection, 1), "a0")
    del platform.truth[gone]
    pages: list[InsightSlice] = []

    def die(slice: InsightSlice) -> None:
        pages.append(slice)
        if len(pages) == 4:  # the second page of ads
            raise Killed

    platform.before_page = die
    run = ask(connection, kind=Kind.INSIGHTS)
    claimed = claim("google", "default", worker="doomed")
    assert claimed is not None
    with pytest.raises(Killed):
        execute(claimed)
    assert gone in stored(connection)

    platform.before_page = lambda _: None
    SyncRun.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    take_back_lost()
    work(connection)

    run.refresh_from_db()
    assert (run.state, run.failed_attempts, run.changes) == (RunState.SUCCEEDED, 0, {"removed": 1})
    assert stored(connection) == platform.truth


def test_a_late_worker_writes_no_day(connection: Connection, platform: Platform) -> None:
    fill(platform, connection)
    ask(connection, kind=Kind.INSIGHTS)
    late = claim("google", "default", worker="late")
    assert late is not None
    SyncRun.objects.update(lease_token=uuid4())

    execute(late)

    assert not Insight.objects.exists()
    assert not InsightDay.objects.exists()


@pytest.mark.parametrize(("since", "until", "asked"), [(1, 0, False), (2, 2, True), (9, 0, True)])
def test_conversions_by_type_are_asked_for_with_every_older_day(
    connection: Connection, platform: Platform, since: int, until: int, *, asked: bool
) -> None:
    days = {"date_from": days_ago(connection, since), "date_to": days_ago(connection, until)}

    read(connection, levels=("campaign",), **days)

    assert [slice.by_type for slice in platform.asked] == [asked]


def fill_two_campaigns(platform: Platform, connection: Connection) -> None:
    """Four ads of today in each, which are too much together."""
    for number in range(8):
        campaign = {"campaign_external_id": f"c{number // 4}"}
        platform.tell(Level.AD, days_ago(connection, 0), f"a{number}", **campaign)


def test_a_day_in_parts_is_as_old_as_its_first_question(connection: Connection, platform: Platform) -> None:
    fill_two_campaigns(platform, connection)
    platform.too_many = 6
    pages: list[datetime] = []
    platform.before_page = lambda _: pages.append(timezone.now())

    read(connection, levels=("ad",))

    day = InsightDay.objects.get(level="ad", day=days_ago(connection, 0))
    assert day.rows == 8
    assert day.read_at < pages[0]


def test_a_part_that_begins_again_forgets_nothing_of_another(
    connection: Connection, platform: Platform
) -> None:
    fill_two_campaigns(platform, connection)
    read(connection, levels=("ad",))
    platform.too_many = 6
    platform.pending = lambda slice: slice.campaigns.end == "c1"  # the first part needs a report
    pages: list[InsightSlice] = []

    def die(slice: InsightSlice) -> None:
        pages.append(slice)
        if pages.count(slice) == 2:  # the second page of the other part
            raise Killed

    platform.before_page = die
    run = ask(connection, kind=Kind.INSIGHTS, scope=Scope(levels=("ad",)))
    claimed = claim("google", "default", worker="doomed")
    assert claimed is not None
    with pytest.raises(Killed):
        execute(claimed)
    run.refresh_from_db()
    run.checkpoint["begun"][0] |= {"cursor": "gone:999", "ready_at": 0}
    expired = timezone.now() - timedelta(seconds=1)
    SyncRun.objects.filter(pk=run.pk).update(checkpoint=run.checkpoint, lease_expires_at=expired)

    platform.before_page, platform.pending = lambda _: None, lambda _: 0
    take_back_lost()
    work(connection)
    make_due(run)
    work(connection)

    run.refresh_from_db()
    assert (run.state, run.failed_attempts, run.changes) == (RunState.SUCCEEDED, 1, {})
    assert stored(connection) == platform.truth
