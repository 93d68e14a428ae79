"""The sandbox's insights read like Meta's, and add up."""

import json
from collections import Counter
from typing import Any

import pytest

from providers.sandbox.constants import Platform
from providers.sandbox.process import Sandbox
from tests.integration.sandbox_callers import Graph, open_account

pytest_plugins = "tests.integration.sandbox_fixtures"

SINCE, UNTIL = "2026-10-20", "2026-11-02"
DAYS = json.dumps({"since": SINCE, "until": UNTIL})
STATUSES = ["ACTIVE", "PAUSED", "ARCHIVED", "DELETED", "IN_PROCESS", "WITH_ISSUES", "CAMPAIGN_PAUSED"]
AD_STATUSES = [*STATUSES, "ADSET_PAUSED", "PENDING_REVIEW", "DISAPPROVED", "PREAPPROVED"]
FIELDS = "campaign_id,adset_id,ad_id,impressions,clicks,spend,reach,frequency,actions,action_values"


@pytest.fixture(autouse=True)
def a_fixed_day(sandbox: Sandbox) -> None:
    sandbox.control("settings", today="2026-11-20")


def insights(graph: Graph, node: str, **params: Any) -> list[dict[str, Any]]:
    asked = {"fields": FIELDS, "time_range": DAYS, "time_increment": 1, "limit": 500}
    return graph.all(f"{node}/insights", **asked | params)


def every(level: str) -> str:
    statuses = AD_STATUSES if level == "ad" else STATUSES[: 7 if level == "adset" else 6]
    return json.dumps([{"field": f"{level}.effective_status", "operator": "IN", "value": statuses}])


def sums(rows: list[dict[str, Any]], name: str) -> dict[str, int]:
    days: Counter[str] = Counter()
    for row in rows:
        days[row["date_start"]] += round(float(row[name]) * 100)
    return dict(days)


@pytest.mark.parametrize("name", ["impressions", "clicks", "spend"])
def test_the_levels_add_up_when_the_deleted_are_asked_for(graph: Graph, ad_account: str, name: str) -> None:
    whole = sums(insights(graph, ad_account), name)

    assert len(whole) == 14
    for level in ("campaign", "adset", "ad"):
        assert sums(insights(graph, ad_account, level=level, filtering=every(level)), name) == whole


def test_people_do_not_add_up(graph: Graph, ad_account: str) -> None:
    ads = sums(insights(graph, ad_account, level="ad", filtering=every("ad")), "reach")

    assert all(row < ads[day] for day, row in sums(insights(graph, ad_account), "reach").items())


def test_deleted_and_archived_ads_have_to_be_asked_for(
    sandbox: Sandbox, graph: Graph, ad_account: str
) -> None:
    truth = sandbox.truth("meta", ad_account)["ads"]
    gone = {key for key, ad in truth.items() if ad["effective_status"] in ("ARCHIVED", "DELETED")}
    shown = {row["ad_id"] for row in insights(graph, ad_account, level="ad")}
    asked = {row["ad_id"] for row in insights(graph, ad_account, level="ad", filtering=every("ad"))}

    assert not shown & gone
    assert asked & gone
    assert asked - gone == shown


def test_a_day_without_delivery_has_no_row(graph: Graph, ad_account: str) -> None:
    rows = insights(graph, ad_account, level="ad")

    assert len(rows) < 14 * len({row["ad_id"] for row in rows})


def test_the_truth_is_what_the_wire_says(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    truth = sandbox.insights("meta", ad_account, "ad", SINCE, UNTIL)
    rows = insights(graph, ad_account, level="ad", filtering=every("ad"))

    assert {(row["ids"]["ad"], row["day"], row["spend"]) for row in truth} == {
        (row["ad_id"], row["date_start"], round(float(row["spend"]) * 100)) for row in rows
    }


def test_the_same_seed_delivers_the_same_and_another_one_does_not(sandbox: Sandbox, graph: Graph) -> None:
    accounts = [
        open_account(sandbox, Platform.META, campaigns=2, ad_groups=3, ads=5, seed=seed, currency="USD")
        for seed in (5, 6)
    ]

    first, second = (insights(graph, account) for account in accounts)

    assert first == insights(graph, accounts[0])
    assert [row["spend"] for row in first] != [row["spend"] for row in second]


def test_conversions_of_a_day_grow_for_four_weeks(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    def bought(today: str) -> int:
        sandbox.control("settings", today=today)
        (row,) = insights(graph, ad_account, time_range=json.dumps({"since": SINCE, "until": SINCE}))
        return sum(int(item["value"]) for item in row["actions"] if item["action_type"] == "purchase")

    assert bought(SINCE) < bought("2026-10-25") < bought("2026-11-17") == bought("2026-11-20")


def test_a_deleted_ad_is_credited_with_what_comes_later(
    sandbox: Sandbox, graph: Graph, ad_account: str
) -> None:
    rows = insights(
        graph,
        ad_account,
        level="ad",
        filtering=every("ad"),
        time_range=json.dumps({"since": "2026-09-01", "until": "2026-11-20"}),
        limit=5_000,
    )

    late = [row for row in rows if row["impressions"] == "0"]
    truth = sandbox.truth("meta", ad_account)["ads"]
    assert late
    assert {truth[row["ad_id"]]["effective_status"] for row in late} <= {"ARCHIVED", "DELETED"}
    assert all(row["actions"] for row in late)


def test_the_windows_that_are_asked_for_come_beside_the_value(graph: Graph, ad_account: str) -> None:
    rows = insights(graph, ad_account, action_attribution_windows='["1d_click","7d_view","1d_view"]')

    items = [item for row in rows for item in row["actions"]]
    assert {"action_type", "value", "1d_click", "1d_view"} == set().union(*items)


def test_days_can_be_added_up(graph: Graph, ad_account: str) -> None:
    daily = insights(graph, ad_account)
    (whole,) = insights(graph, ad_account, time_increment="all_days")

    assert (whole["date_start"], whole["date_stop"]) == (SINCE, UNTIL)
    assert int(whole["impressions"]) == sum(int(row["impressions"]) for row in daily)


def test_one_entity_is_asked_by_its_id_whatever_its_status(
    sandbox: Sandbox, graph: Graph, ad_account: str
) -> None:
    ad = insights(graph, ad_account, level="ad")[0]["ad_id"]
    before = insights(graph, ad)

    sandbox.control("remove", platform="meta", account=ad_account, id=ad)

    assert insights(graph, ad) == before


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"level": "creative"}, 100),
        ({"fields": "impressions,colour"}, 100),
        ({"time_range": "2026"}, 100),
        ({"time_range": json.dumps({"since": UNTIL, "until": SINCE})}, 100),
        ({"time_range": json.dumps({"since": "2023-10-19", "until": UNTIL})}, 3018),
        ({"time_increment": 91}, 100),
        ({"action_attribution_windows": '["5d_click"]'}, 100),
        ({"breakdowns": '["age"]'}, 100),
    ],
)
def test_what_meta_refuses_is_refused(
    graph: Graph, ad_account: str, params: dict[str, Any], code: int
) -> None:
    asked = {"fields": FIELDS, "time_range": DAYS, "time_increment": 1, "level": "ad"}

    assert graph.error(f"{ad_account}/insights", **asked | params) == (400, code, None)
