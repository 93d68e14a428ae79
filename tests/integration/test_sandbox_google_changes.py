"""The sandbox tells changes as Google does: the latest of each resource, in a finite range, up to a limit."""

from datetime import UTC, datetime, timedelta

import pytest

from providers.sandbox.constants import Platform
from providers.sandbox.process import Sandbox
from tests.integration.sandbox_callers import Ads, open_account

pytest_plugins = "tests.integration.sandbox_fixtures"

TIME = "change_status.last_change_date_time"
DAY = timedelta(days=1)


@pytest.fixture
def customer(sandbox: Sandbox) -> str:
    return open_account(sandbox, Platform.GOOGLE, campaigns=3, ad_groups=9, ads=27, time_zone="Asia/Tokyo")


def day(from_now: int) -> str:
    return f"{datetime.now(UTC) + from_now * DAY:%Y-%m-%d}"


def asked(where: str | None = None, limit: str = "LIMIT 10000") -> str:
    fields = "resource_name, resource_type, resource_status, last_change_date_time, campaign, ad_group_ad"
    names = ", ".join(f"change_status.{field}" for field in fields.split(", "))
    within = where or f"{TIME} >= '{day(-2)}' AND {TIME} <= '{day(2)}'"
    return " ".join(["SELECT", names, "FROM change_status WHERE", within, limit])


def told(ads: Ads, customer: str) -> list[dict[str, str]]:
    return [row["changeStatus"] for row in ads.stream(customer, asked())]


def edit(sandbox: Sandbox, customer: str, external_id: str, **changes: object) -> None:
    sandbox.control("edit", platform="google", account=customer, id=external_id, **changes)


def first(sandbox: Sandbox, customer: str, kind: str) -> str:
    """Of those that are not removed."""
    told = sandbox.truth("google", customer)[kind]
    return min(str(one) for one in told if told[one]["status"] != "REMOVED")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        (asked(limit=""), "LIMIT_NOT_SPECIFIED"),
        (asked(limit="LIMIT 10001"), "INVALID_LIMIT_CLAUSE"),
        (asked(f"{TIME} >= '{day(-2)}'"), "CHANGE_DATE_RANGE_INFINITE"),
        (asked(f"{TIME} <= '{day(-2)}'"), "CHANGE_DATE_RANGE_INFINITE"),
        (asked("change_status.resource_type = CAMPAIGN"), "CHANGE_DATE_RANGE_INFINITE"),
        (asked(f"{TIME} >= '{day(0)}' AND {TIME} <= '{day(-2)}'"), "CHANGE_DATE_RANGE_NEGATIVE"),
        (asked(f"{TIME} BETWEEN '{day(-92)}' AND '{day(0)}'"), "START_DATE_TOO_OLD"),
    ],
)
def test_a_query_that_google_refuses_is_refused(ads: Ads, customer: str, query: str, name: str) -> None:
    assert ads.error(customer, query) == (400, "changeStatusError", name)


EVENT_TIME = "change_event.change_date_time"


def events(where: str | None = None, limit: str = "LIMIT 10000") -> str:
    fields = "change_resource_type, change_resource_name, user_email, changed_fields, change_date_time"
    names = ", ".join(f"change_event.{field}" for field in fields.split(", "))
    within = where or f"{EVENT_TIME} >= '{day(-2)}' AND {EVENT_TIME} <= '{day(2)}'"
    return " ".join(["SELECT", names, "FROM change_event WHERE", within, limit])


@pytest.mark.parametrize(
    ("query", "name"),
    [
        (events(limit=""), "LIMIT_NOT_SPECIFIED"),
        (events(limit="LIMIT 10001"), "INVALID_LIMIT_CLAUSE"),
        (events(f"{EVENT_TIME} >= '{day(-2)}'"), "CHANGE_DATE_RANGE_INFINITE"),
        (events(f"{EVENT_TIME} >= '{day(0)}' AND {EVENT_TIME} <= '{day(-2)}'"), "CHANGE_DATE_RANGE_NEGATIVE"),
        (events(f"{EVENT_TIME} BETWEEN '{day(-32)}' AND '{day(0)}'"), "START_DATE_TOO_OLD"),
    ],
)
def test_a_query_for_events_has_rules_of_its_own(ads: Ads, customer: str, query: str, name: str) -> None:
    assert ads.error(customer, query) == (400, "changeEventError", name)


def test_every_change_is_an_event(sandbox: Sandbox, ads: Ads, customer: str) -> None:
    campaign = first(sandbox, customer, "campaigns")
    edit(sandbox, customer, campaign, name="One", by="alice@example.com")
    edit(sandbox, customer, campaign, name="Two", daily_budget=5_000_000)

    rows = [row["changeEvent"] for row in ads.stream(customer, events())]

    assert [(row["changeResourceType"], row["changedFields"]) for row in rows] == [
        ("CAMPAIGN", "name"),
        ("CAMPAIGN", "name"),
        ("CAMPAIGN_BUDGET", "amountMicros"),
    ]
    assert rows[0]["userEmail"] == "alice@example.com"
    assert rows[0]["changeResourceName"] == f"customers/{customer}/campaigns/{campaign}"


def test_only_the_latest_change_of_a_resource_is_told(sandbox: Sandbox, ads: Ads, customer: str) -> None:
    ad = first(sandbox, customer, "ads")
    edit(sandbox, customer, ad, name="One")
    edit(sandbox, customer, ad, name="Two")

    (change,) = told(ads, customer)

    assert change["adGroupAd"] == f"customers/{customer}/adGroupAds/{ad}"
    assert (
        change["resourceName"].partition("/changeStatus/")[2].split("-", 1)[1] == f"3-{ad.replace('~', '-')}"
    )
    assert (change["resourceType"], change["resourceStatus"]) == ("AD_GROUP_AD", "CHANGED")


def test_times_are_those_of_the_customers_clock(sandbox: Sandbox, ads: Ads, customer: str) -> None:
    edit(sandbox, customer, first(sandbox, customer, "campaigns"), name="One")

    (change,) = told(ads, customer)

    at = datetime.fromisoformat(change["lastChangeDateTime"] + "+09:00")
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)
    assert len(change["lastChangeDateTime"]) == len("2026-01-01 00:00:00.000000")


def test_a_budget_is_a_resource_of_its_own(sandbox: Sandbox, ads: Ads, customer: str) -> None:
    campaign = first(sandbox, customer, "campaigns")
    edit(sandbox, customer, campaign, daily_budget=5_000_000)
    edit(sandbox, customer, campaign, name="Renamed", daily_budget=6_000_000)

    assert sorted(change["resourceType"] for change in told(ads, customer)) == ["CAMPAIGN", "CAMPAIGN_BUDGET"]


def test_what_is_added_and_removed_says_so(sandbox: Sandbox, ads: Ads, customer: str) -> None:
    sandbox.control("create", platform="google", account=customer, kind="campaigns")
    sandbox.control("remove", platform="google", account=customer, id=first(sandbox, customer, "ad_groups"))

    assert [change["resourceStatus"] for change in told(ads, customer)] == ["ADDED", "REMOVED"]


def test_what_google_decides_itself_is_no_change(sandbox: Sandbox, ads: Ads, customer: str) -> None:
    edit(sandbox, customer, first(sandbox, customer, "ads"), review="DISAPPROVED")

    assert told(ads, customer) == []


def test_a_change_may_be_told_late(sandbox: Sandbox, ads: Ads, customer: str) -> None:
    sandbox.control("settings", google_change_delay=180)
    edit(sandbox, customer, first(sandbox, customer, "ads"), name="One")

    assert told(ads, customer) == []

    sandbox.control("settings", google_change_delay=0)
    assert len(told(ads, customer)) == 1
