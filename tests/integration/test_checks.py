"""What does not add up in what a run read is found at its end, and told with numbers."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone

from providers.records import AdAccountRecord, Level
from sync.engine.checks.account import account_changes
from sync.engine.checks.catalog import KINSHIPS, orphans
from sync.engine.checks.insights import contradictions
from sync.engine.insights.partitions import ensure_partitions
from sync.models import Account, Ad, AdGroup, Campaign, Connection, Insight, InsightDay, SyncRun
from sync.models.choices import Kind, RunState
from tests.factories import make_connection, make_run

SAME = {"status": "active", "platform_status": "ACTIVE", "name": "", "raw": {}}


@pytest.fixture
def connection(account: Account) -> Connection:
    """With two whole families, which no check complains of."""
    connection = make_connection(account, "google")
    for number in ("1", "2"):
        add(connection, Campaign, number)
        add(connection, AdGroup, f"1{number}", campaign_external_id=number)
        add(connection, Ad, f"2{number}", campaign_external_id=number, ad_group_external_id=f"1{number}")
    return connection


def add(connection: Connection, model: Any, external_id: str, **columns: Any) -> None:
    model.objects.create(connection=connection, external_id=external_id, **{**SAME, **columns})


def test_whole_families_are_no_orphans(connection: Connection) -> None:
    add(make_connection(connection.account), Ad, "9", campaign_external_id="8", ad_group_external_id="7")

    assert orphans(connection.pk) == []


def test_children_without_parents_are_counted_and_their_parents_named(connection: Connection) -> None:
    add(connection, AdGroup, "13", campaign_external_id="404")
    for number in range(31, 36):
        add(connection, Ad, f"{number}", campaign_external_id="1", ad_group_external_id=f"5{number}")
    Campaign.objects.filter(external_id="2").update(removed_at=timezone.now())

    assert orphans(connection.pk) == [
        "2 ad groups belong to campaigns that the platform does not list: 2, 404.",
        "5 ads belong to ad groups that the platform does not list: 531, 532, 533 and 2 more.",
        "1 ad belongs to campaigns that the platform does not list: 2.",
    ]


def test_what_went_with_its_parent_is_no_orphan(connection: Connection) -> None:
    for model in (Campaign, AdGroup, Ad):
        model.objects.filter(external_id__endswith="2").update(removed_at=timezone.now())

    assert orphans(connection.pk) == []


@pytest.fixture
def run(connection: Connection) -> SyncRun:
    today = connection.day_of(timezone.now())
    ensure_partitions(today - timedelta(days=40), today)
    return make_run(connection, kind=Kind.INSIGHTS, state=RunState.RUNNING)


def ago(run: SyncRun, days: int) -> date:
    return run.connection.day_of(timezone.now()) - timedelta(days=days)


def deliver(
    run: SyncRun, level: Level, external_id: str, *, days: int = 3, spend: int = 100, **columns: Any
) -> None:
    """The same on yesterday and the days before it, all of which the run has read to their end."""
    for age in range(1, days + 1):
        day = {"connection": run.connection, "level": level.value, "day": ago(run, age)}
        Insight.objects.create(
            **day,
            **{
                "external_id": external_id,
                "currency": "EUR",
                "attribution": "",
                "impressions": spend * 10,
                "clicks": spend,
                "spend_micros": spend * 1_000_000,
                "conversions": 0,
                "conversion_value_micros": 0,
                "conversions_by_type": {},
                "extra": {},
                "run_id": run.pk,
                "updated_at": timezone.now(),
                **columns,
            },
        )
        done, _ = InsightDay.objects.get_or_create(
            **day, defaults={"read_at": timezone.now(), "rows": 0, "attribution": "", "run_id": run.pk}
        )
        InsightDay.objects.filter(**day).update(rows=done.rows + 1)


def deliver_all(run: SyncRun) -> None:
    deliver(run, Level.ACCOUNT, run.connection.external_id, spend=200)
    for number in ("1", "2"):
        deliver(run, Level.CAMPAIGN, number)
        deliver(run, Level.AD_GROUP, f"1{number}")
        deliver(run, Level.AD, f"2{number}")


def test_levels_that_agree_are_not_told(run: SyncRun) -> None:
    deliver_all(run)

    assert contradictions(run) == []


def test_campaigns_that_lack_something_of_the_account_are_told_with_days_and_figures(run: SyncRun) -> None:
    deliver_all(run)
    Insight.objects.filter(level="campaign", external_id="2", day=ago(run, 2)).delete()

    spend, impressions = contradictions(run)[:2]

    assert spend == (
        f"On {ago(run, 2)}: campaigns add up to 100.00 EUR of spend, the account has 200.00 EUR: 50.0 % off. "
        "Deleted ones may be hidden."
    )
    assert impressions.startswith(f"On {ago(run, 2)}: campaigns add up to 1,000 of impressions, the account")


def test_ads_are_held_against_campaigns_that_have_ads(run: SyncRun) -> None:
    deliver_all(run)
    deliver(run, Level.CAMPAIGN, "3", spend=50)
    Insight.objects.filter(level="account").update(spend_micros=250_000_000, impressions=2_500)
    add(run.connection, Campaign, "3", objective="PERFORMANCE_MAX")

    assert contradictions(run) == []

    Campaign.objects.filter(external_id="3").update(objective="SEARCH")
    told = [sentence for sentence in contradictions(run) if "spend" in sentence]
    assert told == [
        f"On 3 days from {ago(run, 3)} to {ago(run, 1)}: {some} add up to 600.00 EUR of spend, campaigns "
        "add up to 750.00 EUR (those with parts only): 20.0 % off. Deleted ones may be hidden."
        for some in ("ad groups", "ads")
    ]


@pytest.mark.parametrize(("spend", "is_told"), [(99, False), (97, True), (103, True)])
def test_small_differences_are_the_platforms_rounding(run: SyncRun, spend: int, is_told: bool) -> None:
    deliver(run, Level.ACCOUNT, "a", spend=100)
    deliver(run, Level.CAMPAIGN, "1", spend=spend)

    assert bool(contradictions(run)) == is_told


def test_today_and_what_other_runs_read_is_not_compared(run: SyncRun) -> None:
    deliver(run, Level.ACCOUNT, "a", spend=100)
    deliver(run, Level.CAMPAIGN, "1", spend=50)
    InsightDay.objects.filter(level="campaign", day__lt=ago(run, 1)).update(
        run_id=make_run(run.connection).pk
    )
    for table in (Insight, InsightDay):
        table._default_manager.filter(day=ago(run, 1)).update(day=ago(run, 0))

    assert contradictions(run) == []


def test_rows_in_another_currency_are_told(run: SyncRun) -> None:
    deliver(run, Level.ACCOUNT, "a", currency="USD")

    assert contradictions(run) == [
        f"On 3 days from {ago(run, 3)} to {ago(run, 1)}: metrics are in USD, the ad account in EUR."
    ]


def test_days_that_nobody_read_to_their_end_are_told(run: SyncRun, settings: Any) -> None:
    settings.INSIGHTS_FIRST_DAYS = 12
    deliver(run, Level.ACCOUNT, "a", days=12)
    InsightDay.objects.filter(day__in=[ago(run, 5), ago(run, 6), ago(run, 9)]).delete()

    assert contradictions(run) == [
        f"Metrics of the account are missing: {ago(run, 9)}.",
        f"Metrics of the account are missing: 2 days from {ago(run, 6)} to {ago(run, 5)}.",
    ]
    run.date_from = run.date_to = ago(run, 1)  # a backfill says nothing of what it was not asked for
    assert contradictions(run) == []


def test_an_account_that_changed_is_told_and_taken_on(connection: Connection) -> None:
    record = AdAccountRecord(
        external_id="1",
        name="Shop",
        currency="USD",
        time_zone="Asia/Tokyo",
        is_active=True,
        platform_status="ENABLED",
        is_manager=False,
        login_customer_id="",
        raw={},
    )

    assert account_changes(connection, record) == [
        "The ad account's currency was EUR and is USD: amounts read before are in EUR.",
        "The ad account's time zone was Europe/Berlin and is Asia/Tokyo: "
        "days read before are days of Europe/Berlin.",
    ]
    connection.refresh_from_db()
    assert (connection.name, connection.currency, connection.time_zone) == ("Shop", "USD", "Asia/Tokyo")
    assert account_changes(connection, record) == []


def test_the_parents_of_a_large_account_are_looked_for_without_a_join(connection: Connection) -> None:
    """The planner knows nothing of a table that was just filled, and would choose a nested loop."""
    with database.cursor() as cursor:
        for kin in KINSHIPS:
            cursor.execute(f"EXPLAIN {kin.missing}", {"connection": connection.pk})
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "SetOp Except" in plan, plan
            assert "Nested Loop" not in plan, plan
