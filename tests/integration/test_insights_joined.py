"""Who joins a run that waits for its reports gets what was asked for, and no report is asked for twice."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from providers.records import Level
from providers.sandbox.process import Sandbox
from sync.ledger.scope import Scope
from sync.models import Account, Connection, InsightDay, SeenIds, SyncRun
from sync.models.choices import Kind, RunState, Trigger
from tests.factories import make_connection, noon
from tests.integration.insight_platform import Platform, days_ago, stored, use
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.integration.syncing import ask, sync, work
from tests.integration.test_insights import slices
from tests.integration.test_insights_ladder import calls, finish
from tests.platforms import connect, platform  # noqa: F401  (fixtures)

DAYS = 5


@pytest.fixture
def connection(account: Account) -> Connection:
    return make_connection(account, "google", time_zone=noon())


@pytest.fixture
def told(connection: Connection, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Platform:
    """A platform that prepares a report for ads."""
    settings.INSIGHTS_FIRST_DAYS = DAYS
    platform = Platform(pending=lambda slice: slice.level is Level.AD)
    for age in range(DAYS):
        for level in Level:
            for number in range(4):
                platform.tell(level, days_ago(connection, age), f"{level}{number}")
    use(platform, monkeypatch)
    return platform


def read(connection: Connection, *, trigger: Trigger = Trigger.SCHEDULED, **scope: Any) -> SyncRun:
    """What was asked for until something has to be waited for."""
    run = ask(connection, kind=Kind.INSIGHTS, trigger=trigger, scope=Scope(**scope))
    work(connection)
    run.refresh_from_db()
    return run


def read_ads(connection: Connection, since: int, until: int, *, trigger: Trigger) -> SyncRun:
    days = {"date_from": days_ago(connection, since), "date_to": days_ago(connection, until)}
    return read(connection, trigger=trigger, levels=("ad",), **days)


def test_a_person_is_shown_todays_rows_of_now_while_the_report_goes_on(
    connection: Connection, told: Platform
) -> None:
    waits = read(connection)
    told.asked.clear()
    today = days_ago(connection, 0)
    told.tell(Level.CAMPAIGN, today, "campaign0", clicks=7)
    del told.truth[Level.CAMPAIGN, today, "campaign1"]

    run = read(connection, trigger=Trigger.MANUAL)

    assert run.pk == waits.pk
    assert slices(told) == [("campaign", 2)]  # of the levels that every sync reads, the one that was done
    assert finish(run).state == RunState.SUCCEEDED
    assert told.polls == ["4"]
    assert stored(connection) == told.truth
    assert InsightDay.objects.filter(level="ad").count() == DAYS
    assert not SeenIds.objects.exists()


def test_what_vanished_between_two_readings_of_a_run_goes(connection: Connection, told: Platform) -> None:
    finish(read(connection))
    read(connection)
    del told.truth[Level.CAMPAIGN, days_ago(connection, 0), "campaign1"]

    run = finish(read(connection, trigger=Trigger.MANUAL))

    assert (run.state, run.changes) == (RunState.SUCCEEDED, {"removed": 1})
    assert stored(connection) == told.truth


def test_a_schedule_that_joins_for_more_days_reads_no_day_twice(
    connection: Connection, told: Platform
) -> None:
    told.pending = lambda slice: slice.since == days_ago(connection, 80)  # the oldest
    read_ads(connection, 80, 10, trigger=Trigger.SCHEDULED)
    asked = list(told.asked)

    run = read_ads(connection, 12, 5, trigger=Trigger.SCHEDULED)

    assert finish(run).state == RunState.SUCCEEDED
    more = [(one.since, one.until) for one in told.asked[len(asked) :]]
    assert more == [(days_ago(connection, 9), days_ago(connection, 5))]
    assert InsightDay.objects.filter(level="ad").count() == 76
    assert run.expected["insights"] == run.checkpoint["planned"]


def test_a_report_of_long_ago_is_not_shown_to_a_person_as_new(connection: Connection, told: Platform) -> None:
    run = read(connection)
    for begun in run.checkpoint["begun"]:
        begun["began_at"] = (timezone.now() - timedelta(hours=2)).isoformat()
    SyncRun.objects.update(checkpoint=run.checkpoint)
    told.asked.clear()

    run = read(connection, trigger=Trigger.MANUAL)

    assert slices(told) == [("campaign", 2), ("ad", 5)]
    assert finish(run).state == RunState.SUCCEEDED
    assert stored(connection) == told.truth


def test_another_attribution_meanwhile_plans_anew(connection: Connection, told: Platform) -> None:
    read(connection)
    Connection.objects.update(attribution="conversion_date")
    told.asked.clear()

    run = read(connection, trigger=Trigger.MANUAL)

    assert finish(run).state == RunState.SUCCEEDED
    assert slices(told) == [("account", 5), ("campaign", 5), ("ad_group", 5), ("ad", 5)]
    assert set(InsightDay.objects.values_list("attribution", flat=True)) == {"conversion_date"}


def test_metas_reports_are_submitted_once_whoever_joins(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "meta")
    sync(connection)
    platform.control("settings", meta_report_seconds=0)
    waits = read(connection)
    assert waits.report_ids
    before = calls(platform, connection)

    joined = read(connection, trigger=Trigger.MANUAL)
    done = finish(joined)

    after = calls(platform, connection)
    assert (joined.pk, done.state) == (waits.pk, RunState.SUCCEEDED)
    assert after["insights_async"] == before["insights_async"] == len(waits.report_ids)
    fresh = 4 - len(waits.report_ids)  # levels that were read before, their two newest days once more
    assert after["insights"] - before["insights"] == fresh
