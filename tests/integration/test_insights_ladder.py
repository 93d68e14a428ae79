"""What is too much for Meta is asked for in narrower questions, step by step, and nothing is missing then."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from providers.records import InsightRecord
from providers.sandbox.process import Sandbox
from sync.engine.platform import budget_store
from sync.ledger.scope import Scope
from sync.models import Account, Connection, Insight, InsightDay, SeenIds, SyncRun
from sync.models.choices import Kind, RunState
from tests.integration.insight_platform import Key, days_ago, stored
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.integration.syncing import make_due, sync, work
from tests.platforms import connect, platform  # noqa: F401  (fixtures)

FIELDS = 14  # of a question for ads
DAYS = 2


@pytest.fixture
def connection(platform: Sandbox, account: Account) -> Connection:
    platform.control("settings", meta_report_seconds=0)
    return connect(platform, account, "meta", campaigns=4, ad_groups=12, ads=120)


def read(connection: Connection, *, days: int = 1, levels: tuple[str, ...] = ("ad",)) -> SyncRun:
    """The days up to yesterday."""
    scope = Scope(levels=levels, date_from=days_ago(connection, days), date_to=days_ago(connection, 1))
    return finish(sync(connection, kind=Kind.INSIGHTS, scope=scope))


def finish(run: SyncRun) -> SyncRun:
    """Look after its reports at once, again and again."""
    for _ in range(200):
        if run.state != RunState.DEFERRED or run.failed_attempts:
            return run
        begun = [{**one, "ready_at": one["ready_at"] and 1.0} for one in run.checkpoint["begun"]]
        SyncRun.objects.filter(pk=run.pk).update(checkpoint={**run.checkpoint, "begun": begun})
        make_due(run)
        work(run.connection)
        run.refresh_from_db()
    raise AssertionError(run.waiting_for)


def truth(connection: Connection, **how: Any) -> dict[Key, InsightRecord]:
    """What is read where nothing is too much; afterwards nothing is there."""
    run = read(connection, **how)
    assert run.state == RunState.SUCCEEDED
    found = stored(connection)
    forget(connection)
    return found


def forget(connection: Connection) -> None:
    Insight.objects.filter(connection=connection).delete()
    InsightDay.objects.filter(connection=connection).delete()


def largest(rows: dict[Key, InsightRecord], parent: str) -> int:
    """The most rows below one parent."""
    return max(Counter(getattr(row, parent) for row in rows.values()).values())


def refuse(platform: Sandbox, connection: Connection, *, by_reports: bool, **limit: int) -> None:
    """More than that is too much; by reports: no larger answer is given at once, and a report fails."""
    account = connection.external_id
    if by_reports:
        platform.fault("meta", "too_much_data", account=account, endpoint="insights", cells=2_000)
    platform.fault("meta", "too_wide", account=account, late=by_reports, **limit)


def calls(platform: Sandbox, connection: Connection) -> dict[str, int]:
    (counted,) = platform.calls(platform="meta", account=connection.external_id)["subjects"].values()
    return dict(counted["endpoints"])


def test_where_nothing_is_too_much_it_costs_no_call_more(platform: Sandbox, connection: Connection) -> None:
    read(connection, levels=("ad_group", "ad"))

    assert calls(platform, connection) == {"insights": 2}


WAYS = pytest.mark.parametrize("by_reports", [False, True], ids=["at once", "by reports"])


@WAYS
@pytest.mark.parametrize("rung", ["days", "campaigns", "ad groups", "fields"])
def test_what_is_too_much_is_read_in_parts(
    platform: Sandbox, connection: Connection, rung: str, *, by_reports: bool
) -> None:
    expected = truth(connection, days=DAYS)
    by_day = Counter(day for _, day, _ in expected)
    day = {key: row for key, row in expected.items() if key[1] == max(by_day, key=lambda day: by_day[day])}
    limit = {
        "days": {"rows": len(day)},
        "campaigns": {"rows": len(day) - 1},
        "ad groups": {"rows": largest(day, "campaign_external_id") - 1},
        "fields": {"cells": largest(day, "ad_group_external_id") * FIELDS - 1},
    }[rung]
    refuse(platform, connection, by_reports=by_reports, **limit)

    run = read(connection, days=DAYS)

    assert (run.state, run.failed_attempts) == (RunState.SUCCEEDED, 0)
    assert stored(connection) == expected
    assert {day.day: day.rows for day in InsightDay.objects.all()} == by_day
    assert not SeenIds.objects.exists()
    again = read(connection, days=DAYS)
    assert (again.state, again.changes) == (RunState.SUCCEEDED, {})  # no half of a row was blanked


def test_parts_by_campaigns_cost_a_call_each_and_one_to_find_them(
    platform: Sandbox, connection: Connection
) -> None:
    expected = truth(connection)
    before = calls(platform, connection)["insights"]
    refuse(platform, connection, by_reports=False, rows=len(expected) - 1)

    read(connection)

    assert calls(platform, connection) == {"insights": before + 4}  # refused, the campaigns, two halves


def test_what_was_refused_is_divided_without_asking_for_a_day(
    platform: Sandbox, connection: Connection
) -> None:
    expected = truth(connection)
    refuse(platform, connection, by_reports=False, rows=len(expected) - 1)
    read(connection)
    before = calls(platform, connection)["insights"]

    read(connection)

    assert calls(platform, connection)["insights"] == before + 3  # the campaigns, two halves
    budget_store().client.flushdb()  # a day later
    read(connection)
    assert calls(platform, connection)["insights"] == before + 7
    assert stored(connection) == expected


def test_a_day_that_no_step_helps_fails_behind_all_others_with_its_name(
    platform: Sandbox, connection: Connection
) -> None:
    expected = truth(connection)
    ad_groups = Counter(row.ad_group_external_id for row in expected.values())
    most = max(ad_groups.values())
    refuse(platform, connection, by_reports=False, rows=most - 1)

    run = read(connection)

    assert (run.state, run.failed_attempts, run.error_code) == (RunState.DEFERRED, 1, "too_much_data")
    assert f"ad {days_ago(connection, 1)}" in run.error_message
    assert Insight.objects.count() == sum(count for count in ad_groups.values() if count < most)
    assert not InsightDay.objects.exists()
    platform.control("faults/clear")
    make_due(run)
    work(connection)
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
    assert stored(connection) == expected


def test_parts_that_are_denied_cost_no_other_level(platform: Sandbox, connection: Connection) -> None:
    day = truth(connection)
    before = calls(platform, connection)["insights"]
    refuse(platform, connection, by_reports=False, rows=len(day) - 1)
    platform.fault(
        "meta", "access_denied", account=connection.external_id, endpoint="insights", after_calls=1
    )

    run = read(connection, levels=("campaign", "ad"))

    assert (run.state, len(run.access_issues)) == (RunState.SUCCEEDED, 1)
    assert set(InsightDay.objects.values_list("level", flat=True)) == {"campaign"}
    assert calls(platform, connection)["insights"] == before + 3  # campaigns; ads, refused; whose, denied


SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
NO_SHRINKING = [Phase.explicit, Phase.reuse, Phase.generate]  # of examples that take a second each


@settings(max_examples=12, deadline=None, suppress_health_check=SLOW, phases=NO_SHRINKING)
@example(cells=2, by_reports=True)  # reports of several days that are too much, each in its time
@given(cells=st.integers(1, 1_200), by_reports=st.booleans())
def test_whatever_is_too_much_the_rows_are_the_truth_or_the_run_names_the_days(
    platform: Sandbox, connection: Connection, cells: int, *, by_reports: bool
) -> None:
    how: dict[str, Any] = {"days": DAYS, "levels": ("campaign", "ad_group", "ad")}
    expected = truth(connection, **how)
    refuse(platform, connection, by_reports=by_reports, cells=cells)

    run = read(connection, **how)

    days = set(InsightDay.objects.filter(connection=connection).values_list("level", "day"))
    found = stored(connection)
    assert found.items() <= expected.items()
    complete = {key: row for key, row in expected.items() if (key[0].value, key[1]) in days}
    assert complete.items() <= found.items()
    stuck = {(level, days_ago(connection, age)) for level in how["levels"] for age in (1, DAYS)} - days
    assert (run.state == RunState.SUCCEEDED) is not bool(stuck)
    assert all(f"{level} {day}" in run.error_message for level, day in stuck)
    SyncRun.objects.all().delete()
    forget(connection)
    platform.control("faults/clear")
