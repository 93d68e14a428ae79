"""The sandbox tells metrics as Google does, and refuses what Google refuses, by its names."""

import pytest

from providers.sandbox.constants import Platform
from providers.sandbox.process import Sandbox
from tests.integration.sandbox_callers import Ads, open_account

pytest_plugins = "tests.integration.sandbox_fixtures"

DATES = "segments.date BETWEEN '2026-10-20' AND '2026-11-02'"


def daily(resource: str, fields: str) -> str:
    return " ".join(["SELECT segments.date,", fields, "FROM", resource, "WHERE", DATES])


@pytest.fixture(autouse=True)
def a_fixed_day(sandbox: Sandbox) -> None:
    sandbox.control("settings", today="2026-11-20")


@pytest.fixture(scope="module")
def account(sandbox_process: Sandbox) -> str:
    """Nobody edits it."""
    return open_account(sandbox_process, Platform.GOOGLE, campaigns=6, ad_groups=12, ads=60, seed=5)


@pytest.mark.parametrize(
    ("query", "family", "name"),
    [
        ("metrics.video_views FROM campaign", "query", "UNRECOGNIZED_FIELD"),
        ("metrics.average_cpv FROM campaign", "query", "UNRECOGNIZED_FIELD"),
        ("segments.date, metrics.clicks FROM campaign", "query", "EXPECTED_FILTERS_ON_DATE_RANGE"),
        (
            "segments.date, metrics.clicks FROM campaign WHERE segments.date >= '2026-11-01'",
            "query",
            "EXPECTED_FILTERS_ON_DATE_RANGE",
        ),
        (
            f"metrics.conversions FROM campaign WHERE segments.conversion_action_name = 'x' AND {DATES}",
            "query",
            "EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE",
        ),
        (
            f"segments.conversion_action_name, metrics.clicks FROM campaign WHERE {DATES}",
            "query",
            "PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
        ),
        (
            "segments.date, metrics.clicks FROM campaign WHERE segments.date = '2021-01-01'",
            "dateRange",
            "REQUESTED_DATE_GRANULARITY_NOT_SUPPORTED",
        ),
        (
            "metrics.clicks FROM campaign WHERE segments.date BETWEEN '2026-11-02' AND '2026-11-01'",
            "dateRange",
            "START_DATE_AFTER_END_DATE",
        ),
        (
            "metrics.clicks FROM campaign WHERE segments.date BETWEEN 'May' AND 'June'",
            "query",
            "INVALID_DATE_FORMAT",
        ),
        ("metrics.clicks FROM customer_client", "query", "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE"),
    ],
)  # fmt: skip
def test_a_query_that_google_refuses_is_refused(
    ads: Ads, account: str, query: str, family: str, name: str
) -> None:
    assert ads.error(account, f"SELECT {query}") == (400, f"{family}Error", name)


def test_too_many_values_are_refused_by_name(ads: Ads, account: str) -> None:
    ids = ", ".join(map(str, range(20_001)))
    query = " ".join(["SELECT campaign.id FROM campaign WHERE campaign.id IN (", ids, ")"])

    assert ads.error(account, query) == (400, "queryError", "FILTER_HAS_TOO_MANY_VALUES")


def test_only_a_selected_day_leaves_out_what_is_zero(sandbox: Sandbox, ads: Ads, account: str) -> None:
    fields = "SELECT ad_group_ad.ad.id, metrics.impressions"
    whole = ads.stream(account, f"{fields} FROM ad_group_ad WHERE {DATES}")
    daily = ads.stream(account, f"{fields}, segments.date FROM ad_group_ad WHERE {DATES}")

    assert len(whole) == len(sandbox.truth("google", account)["ads"])
    assert any("impressions" not in row["metrics"] for row in whole)
    assert all(int(row["metrics"]["impressions"]) > 0 for row in daily)
    assert sum(int(row["metrics"].get("impressions", 0)) for row in whole) == sum(
        int(row["metrics"]["impressions"]) for row in daily
    )


def test_months_of_long_ago_are_told_in_sum(ads: Ads, account: str) -> None:
    query = "SELECT metrics.clicks FROM customer WHERE segments.date BETWEEN '2022-01-01' AND '2022-12-31'"

    assert len(ads.stream(account, query)) == 1


def test_whole_numbers_are_text_and_the_rest_numbers(ads: Ads, account: str) -> None:
    query = daily("customer", "metrics.cost_micros, metrics.conversions")
    row = ads.stream(account, query)[0]

    assert isinstance(row["metrics"]["costMicros"], str)
    assert isinstance(row["metrics"]["conversions"], float)
    assert row["segments"] == {"date": row["segments"]["date"]}


def test_the_truth_is_what_the_wire_says(sandbox: Sandbox, ads: Ads, account: str) -> None:
    query = daily("campaign", "campaign.id, metrics.cost_micros")
    told = sandbox.insights("google", account, "campaign", "2026-10-20", "2026-11-02")

    assert {
        (row["segments"]["date"], row["campaign"]["id"]): int(row["metrics"]["costMicros"])
        for row in ads.stream(account, query)
    } == {(row["day"], row["id"]): row["cost_micros"] for row in told if row["cost_micros"]}
