"""The sandbox filters like Meta: by parents, ids and moments, and refuses what makes no sense."""

import json
from typing import Any

import pytest
import requests

from providers.sandbox.process import Sandbox
from tests.integration.sandbox_callers import TIMEOUT, Graph

pytest_plugins = "tests.integration.sandbox_fixtures"


def filtering(*items: tuple[str, str, Any]) -> str:
    return json.dumps([{"field": field, "operator": op, "value": value} for field, op, value in items])


def test_filtering_by_parent_ids(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    ads = sandbox.truth("meta", ad_account)["ads"]
    chosen = sorted({ad["campaign_id"] for ad in ads.values()})[:2]
    wanted = filtering(
        ("campaign.id", "IN", chosen),
        ("ad.effective_status", "IN", sorted({ad["effective_status"] for ad in ads.values()})),
    )

    rows = graph.all(f"{ad_account}/ads", fields="campaign_id", filtering=wanted, limit=500)

    assert {row["id"] for row in rows} == {key for key, ad in ads.items() if ad["campaign_id"] in chosen}


def test_filtering_by_own_ids(graph: Graph, ad_account: str) -> None:
    ids = [row["id"] for row in graph.get(f"{ad_account}/ads", limit=3)["data"]]

    rows = graph.all(f"{ad_account}/ads", filtering=filtering(("ad.id", "IN", ids)))

    assert [row["id"] for row in rows] == ids


def test_filtering_by_update_is_strict(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    ads = sandbox.truth("meta", ad_account)["ads"]
    newest = max(ads, key=lambda key: ads[key]["updated"] * (ads[key]["effective_status"] == "ACTIVE"))
    updated = ads[newest]["updated"]

    def found(since: int) -> set[str]:
        since_then = filtering(("ad.updated_time", "GREATER_THAN", since))
        return {row["id"] for row in graph.all(f"{ad_account}/ads", filtering=since_then, limit=500)}

    assert newest in found(updated - 1)
    assert newest not in found(updated)


def test_ads_know_updated_since_and_campaigns_do_not(graph: Graph, ad_account: str) -> None:
    future = 4_000_000_000

    assert graph.get(f"{ad_account}/ads", updated_since=future)["data"] == []
    assert graph.get(f"{ad_account}/campaigns", updated_since=future)["data"]


def test_a_filter_without_prefix_filters_nothing(graph: Graph, ad_account: str) -> None:
    rows = graph.all(f"{ad_account}/ads", filtering=filtering(("id", "IN", ["1"])), limit=500)

    assert rows == graph.all(f"{ad_account}/ads", limit=500)


@pytest.mark.parametrize(
    "wanted",
    [
        filtering(("ad.colour", "IN", ["red"])),
        filtering(("ad.id", "NEAR", ["1"])),
        filtering(("ad.id", "IN", ["red"])),
        filtering(("ad.updated_time", "GREATER_THAN", None)),
        "[{}]",
        "nonsense",
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(graph: Graph, ad_account: str, wanted: str) -> None:
    assert graph.error(f"{ad_account}/ads", filtering=wanted) == (400, 100, None)


def test_a_long_filter_may_be_posted(graph: Graph, ad_account: str) -> None:
    ids = [row["id"] for row in graph.all(f"{ad_account}/ads", limit=500)]
    form = {
        "method": "GET",
        "access_token": graph.token,
        "limit": 500,
        "filtering": filtering(("ad.id", "IN", ids + ["9" * 17] * 1_000)),
    }

    page = requests.post(f"{graph.base}/v26.0/{ad_account}/ads", data=form, timeout=TIMEOUT).json()

    assert [row["id"] for row in page["data"]] == ids
