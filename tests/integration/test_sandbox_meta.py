"""The sandbox reads like Meta: fields, paging, statuses, batch, versions."""

import json
import re
from typing import Any

import pytest
import requests

from providers.sandbox.constants import META_TOKEN, Platform
from providers.sandbox.process import Sandbox
from tests.integration.sandbox_callers import TIMEOUT, Graph, open_account

pytest_plugins = "tests.integration.sandbox_fixtures"

EVERY_STATUS = json.dumps(["ACTIVE", "PAUSED", "ARCHIVED", "DELETED", "IN_PROCESS", "WITH_ISSUES"])
CAMPAIGN_FIELDS = (
    "id,name,status,effective_status,objective,bid_strategy,daily_budget,lifetime_budget,created_time"
)


def test_me_tells_the_user(graph: Graph) -> None:
    assert graph.get("me", fields="id,name")["name"] == "Sam Sandbox"


def test_ad_accounts_are_listed_with_their_currency(graph: Graph) -> None:
    accounts = graph.get("me/adaccounts", fields="id,account_id,name,currency,account_status,timezone_name")[
        "data"
    ]

    assert accounts[0]["id"] == f"act_{accounts[0]['account_id']}"
    assert accounts[0]["account_status"] == 1
    assert [account["currency"] for account in accounts[:2]] == ["USD", "JPY"]


def test_ad_accounts_come_in_pages_too(graph: Graph) -> None:
    ids = [account["id"] for account in graph.all("me/adaccounts", limit=1)]

    assert ids == [account["id"] for account in graph.get("me/adaccounts", limit=100)["data"]]


def test_only_the_fields_asked_for_are_sent_and_always_the_id(graph: Graph, ad_account: str) -> None:
    page = graph.get(f"{ad_account}/campaigns", fields="name,status", limit=1)

    assert set(page["data"][0]) == {"id", "name", "status"}


def test_values_have_metas_types(graph: Graph, ad_account: str) -> None:
    rows = graph.all(f"{ad_account}/campaigns", fields=CAMPAIGN_FIELDS, effective_status=EVERY_STATUS)

    daily = [row["daily_budget"] for row in rows if "daily_budget" in row]
    assert daily
    assert all(isinstance(budget, str) and budget.isdigit() for budget in daily)
    assert all(row["id"].isdigit() for row in rows)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-0[78]00", row["created_time"]) for row in rows)
    assert not any(value is None for row in rows for value in row.values())


def test_nested_fields_come_as_objects(graph: Graph, ad_account: str) -> None:
    (ad,) = graph.get(f"{ad_account}/ads", fields="creative{id,name},adset{name},campaign", limit=1)["data"]

    assert set(ad["creative"]) == {"id", "name"}
    assert set(ad["adset"]) == {"id", "name"}
    assert set(ad["campaign"]) == {"id"}


def test_an_unknown_field_is_refused(graph: Graph, ad_account: str) -> None:
    assert graph.error(f"{ad_account}/ads", fields="id,colour") == (400, 100, None)


def test_a_page_has_25_rows_unless_told(graph: Graph, ad_account: str) -> None:
    page = graph.get(f"{ad_account}/ads")

    assert len(page["data"]) == 25
    assert page["paging"]["cursors"].keys() == {"before", "after"}


def test_paging_gives_every_row_once(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    ids = [row["id"] for row in graph.all(f"{ad_account}/ads", limit=37)]

    truth = sandbox.truth("meta", ad_account)["ads"]
    live = {key for key, ad in truth.items() if ad["effective_status"] not in ("ARCHIVED", "DELETED")}
    assert len(ids) == len(set(ids))
    assert set(ids) == live


def test_next_leads_on_by_itself_and_is_absent_at_the_end(graph: Graph, ad_account: str) -> None:
    page = graph.get(f"{ad_account}/campaigns", fields="id,name", limit=4)
    rows = page["data"]

    while "next" in page["paging"]:
        assert f"access_token={META_TOKEN}" in page["paging"]["next"]
        page = requests.get(page["paging"]["next"], timeout=TIMEOUT).json()
        rows += page["data"]

    assert rows == graph.all(f"{ad_account}/campaigns", fields="id,name")
    assert page["paging"]["cursors"]["after"]


def test_previous_leads_back(graph: Graph, ad_account: str) -> None:
    first = graph.get(f"{ad_account}/ads", limit=10)
    second = requests.get(first["paging"]["next"], timeout=TIMEOUT).json()

    back = requests.get(second["paging"]["previous"], timeout=TIMEOUT).json()

    assert back["data"] == first["data"]
    assert "previous" not in first["paging"]


def test_an_edit_between_two_pages_shifts_nothing(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    before = [row["id"] for row in graph.all(f"{ad_account}/ads", limit=200)]
    page = graph.get(f"{ad_account}/ads", limit=50)

    sandbox.control("remove", platform="meta", account=ad_account, id=page["data"][-1]["id"])
    rest = graph.all(f"{ad_account}/ads", limit=50, after=page["paging"]["cursors"]["after"])

    assert [row["id"] for row in page["data"] + rest] == before


def test_an_empty_listing_has_no_paging(sandbox: Sandbox, graph: Graph) -> None:
    empty = open_account(sandbox, Platform.META, campaigns=0, ad_groups=0, ads=0)

    assert graph.get(f"{empty}/campaigns") == {"data": []}


@pytest.mark.parametrize("summary", ["true", "total_count", '["total_count"]'])
def test_the_total_is_told_on_request(sandbox: Sandbox, graph: Graph, ad_account: str, summary: str) -> None:
    page = graph.get(f"{ad_account}/ads", limit=5, summary=summary)

    assert page["summary"]["total_count"] == len(graph.all(f"{ad_account}/ads", limit=100))
    assert "summary" not in graph.get(f"{ad_account}/ads", limit=5)


def test_a_page_that_is_too_large_asks_for_less_data(graph: Graph, ad_account: str) -> None:
    assert graph.error(f"{ad_account}/ads", limit=5_000) == (500, 1, None)


def test_archived_and_deleted_ones_have_to_be_asked_for(graph: Graph, ad_account: str) -> None:
    hidden = graph.all(
        f"{ad_account}/ads", fields="effective_status", effective_status='["ARCHIVED","DELETED"]', limit=500
    )
    shown = graph.all(f"{ad_account}/ads", fields="effective_status", limit=500)

    assert {row["effective_status"] for row in hidden} == {"ARCHIVED", "DELETED"}
    assert not {"ARCHIVED", "DELETED"} & {row["effective_status"] for row in shown}
    assert len(hidden) + len(shown) == 200


def test_a_status_that_the_edge_does_not_know_is_refused(graph: Graph, ad_account: str) -> None:
    assert graph.error(f"{ad_account}/campaigns", effective_status='["ADSET_PAUSED"]') == (400, 100, None)


def test_pausing_a_campaign_shows_on_what_is_below_it(sandbox: Sandbox, graph: Graph) -> None:
    account = open_account(sandbox, Platform.META, campaigns=1, ad_groups=1, ads=1)
    truth = sandbox.truth("meta", account)
    (campaign,), (ad_set,), (ad,) = (truth[kind] for kind in ("campaigns", "ad_groups", "ads"))
    for entity in (ad_set, ad):
        sandbox.control("edit", platform="meta", account=account, id=entity, status="ACTIVE")
    before = graph.get(ad, fields="updated_time")

    sandbox.control("edit", platform="meta", account=account, id=campaign, status="PAUSED")

    assert graph.get(ad_set, fields="effective_status")["effective_status"] == "CAMPAIGN_PAUSED"
    assert graph.get(ad, fields="effective_status")["effective_status"] == "CAMPAIGN_PAUSED"
    assert graph.get(ad, fields="updated_time") == before


def test_children_are_listed_below_their_parent(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    ad_set = next(iter(sandbox.truth("meta", ad_account)["ads"].values()))["ad_group_id"]

    rows = graph.all(f"{ad_set}/ads", fields="adset_id", limit=500)

    assert {row["adset_id"] for row in rows} <= {ad_set}
    assert graph.error(f"{ad_set}/campaigns") == (400, 100, None)


def test_a_deleted_ad_can_be_read_by_its_id(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    ad = graph.get(f"{ad_account}/ads", limit=1)["data"][0]["id"]

    sandbox.control("remove", platform="meta", account=ad_account, id=ad)

    assert graph.get(ad, fields="effective_status")["effective_status"] == "DELETED"


def test_what_has_vanished_can_not_be_read_at_all(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    campaign = graph.get(f"{ad_account}/campaigns", limit=1)["data"][0]["id"]
    below = {row["id"] for row in graph.all(f"{campaign}/ads", limit=500)}

    sandbox.control("remove", platform="meta", account=ad_account, id=campaign, vanish=True)

    left = {row["id"] for row in graph.all(f"{ad_account}/ads", limit=500)}
    assert graph.error(campaign) == (400, 100, 33)
    assert not below & left
    sandbox.control("return", platform="meta", account=ad_account, id=campaign)
    assert below <= {row["id"] for row in graph.all(f"{ad_account}/ads", limit=500)}


@pytest.mark.parametrize("path", ["act_1", "12345", "act_1/campaigns"])
def test_what_never_was_is_not_visible(graph: Graph, path: str) -> None:
    assert graph.error(path) == (400, 100, 33)


def test_an_unknown_path_is_refused(graph: Graph, ad_account: str) -> None:
    assert graph.error(f"{ad_account}/sandcastles") == (400, 2500, None)
    assert graph.error("", ids="1,2") == (400, 2500, None)


def test_versions_are_served_warned_of_or_gone(sandbox: Sandbox) -> None:
    def ask(version: str) -> requests.Response:
        params = {"access_token": META_TOKEN}
        return requests.get(f"{sandbox.url}/meta/{version}/me", params=params, timeout=TIMEOUT)

    assert "X-Ad-Api-Version-Warning" not in ask("v26.0").headers
    assert ask("v22.0").headers["X-Ad-Api-Version-Warning"]
    assert ask("v22.0").status_code == 200
    assert ask("v12.0").json()["error"]["code"] == 2635
    assert ask("v99.0").json()["error"]["code"] == 2500


class TestBatch:
    """Several calls in one."""

    def post(self, graph: Graph, calls: list[dict[str, str]]) -> Any:
        form = {"batch": json.dumps(calls), "access_token": graph.token}
        return requests.post(f"{graph.base}/v26.0/", data=form, timeout=TIMEOUT).json()

    def test_every_call_has_its_own_answer(self, graph: Graph, ad_account: str) -> None:
        answers = self.post(
            graph,
            [
                {"method": "GET", "relative_url": f"v26.0/{ad_account}/ads?limit=2&fields=name"},
                {"method": "GET", "relative_url": "act_1"},
            ],
        )

        assert [answer["code"] for answer in answers] == [200, 400]
        assert len(json.loads(answers[0]["body"])["data"]) == 2
        assert {"X-App-Usage", "X-Ad-Account-Usage"} <= {header["name"] for header in answers[0]["headers"]}

    def test_every_call_counts(self, sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
        self.post(graph, [{"method": "GET", "relative_url": f"{ad_account}/ads"}] * 5)

        (report,) = sandbox.calls(platform="meta", account=ad_account)["subjects"].values()
        assert report["calls"] == 5

    def test_more_than_50_are_refused_as_a_whole(self, graph: Graph) -> None:
        assert self.post(graph, [{"method": "GET", "relative_url": "me"}] * 51)["error"]["code"] == 100

    def test_a_call_that_is_cut_comes_back_as_null(
        self, sandbox: Sandbox, graph: Graph, ad_account: str
    ) -> None:
        sandbox.fault("meta", "cut", endpoint="account")

        answers = self.post(graph, [{"relative_url": ad_account}, {"relative_url": ad_account}])

        assert answers[0] is None
        assert answers[1]["code"] == 200


def test_the_recorded_account_moves_through_its_history(sandbox: Sandbox, graph: Graph) -> None:
    campaign = "6215293444271"
    first = graph.get(campaign, fields="updated_time")["updated_time"]

    stepped = sandbox.control("history", platform="meta", account="1700252260223815", steps="all")

    assert first == "2020-11-23T08:27:51-0800"
    assert graph.get(campaign, fields="updated_time")["updated_time"] == "2021-04-02T14:44:19-0700"
    assert stepped["applied"] > 0
    assert stepped["left"] == 0
