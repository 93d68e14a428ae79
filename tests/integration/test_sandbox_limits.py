"""The sandbox's own quotas: refusals in each platform's words, usage headers, and the referee's count."""

import json

import pytest

from providers.sandbox.constants import Platform
from providers.sandbox.process import Sandbox
from tests.integration.sandbox_callers import Ads, Graph, open_account

pytest_plugins = "tests.integration.sandbox_fixtures"

QUERY = "SELECT campaign.id FROM campaign"


def limit(sandbox: Sandbox, platform: Platform, account: str, *windows: list[int]) -> None:
    sandbox.control("limits", platform=platform, account=windows, only=account)


def test_a_spent_score_is_code_17_and_not_transient(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    limit(sandbox, Platform.META, ad_account, [2, 60])
    graph.get(f"{ad_account}/ads")
    graph.get(f"{ad_account}/ads")

    refusal = graph.ask(f"{ad_account}/ads")

    error = refusal.json()["error"]
    assert (refusal.status_code, error["code"], error["error_subcode"]) == (400, 17, 2446079)
    assert error["is_transient"] is False
    usage = json.loads(refusal.headers["X-Ad-Account-Usage"])
    assert usage["acc_id_util_pct"] == 100.0
    assert 0 < usage["reset_time_duration"] <= 60


def test_a_spent_hour_is_80004_with_the_minutes_to_wait(
    sandbox: Sandbox, graph: Graph, ad_account: str
) -> None:
    limit(sandbox, Platform.META, ad_account, [100, 60], [1, 3600])
    graph.get(f"{ad_account}/ads")

    refusal = graph.ask(f"{ad_account}/ads")

    assert refusal.json()["error"]["code"] == 80004
    (use_cases,) = json.loads(refusal.headers["X-Business-Use-Case-Usage"]).values()
    management = next(use_case for use_case in use_cases if use_case["type"] == "ads_management")
    assert management["call_count"] == 100
    assert management["estimated_time_to_regain_access"] == 60
    assert len(use_cases) > 1


def test_the_app_as_a_whole_is_code_4(sandbox: Sandbox, graph: Graph) -> None:
    sandbox.control("limits", platform="meta", project=[[1, 3600]])
    try:
        graph.get("me")

        assert graph.error("me") == (400, 4, 1504022)
    finally:
        sandbox.control("limits", platform="meta", project=[])


def test_one_account_at_its_limit_does_not_disturb_another(
    sandbox: Sandbox, graph: Graph, ad_account: str
) -> None:
    other = open_account(sandbox, Platform.META)
    limit(sandbox, Platform.META, ad_account, [0, 60])

    assert graph.error(f"{ad_account}/ads")[1] == 17
    assert graph.get(f"{other}/ads")["data"]


def test_usage_rises_with_the_calls(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    limit(sandbox, Platform.META, ad_account, [10, 3600])

    used = [
        json.loads(graph.ask(ad_account).headers["X-Ad-Account-Usage"])["acc_id_util_pct"] for _ in range(3)
    ]

    assert used == [10.0, 20.0, 30.0]


@pytest.mark.parametrize("path", ["me", "12345", "{account}/ads?fields=colour", "{account}/ads"])
def test_every_answer_tells_the_usage_refusals_too(graph: Graph, ad_account: str, path: str) -> None:
    answer = graph.ask(path.format(account=ad_account))

    assert json.loads(answer.headers["X-App-Usage"]).keys() == {"call_count", "total_time", "total_cputime"}
    assert ("X-Ad-Account-Usage" in answer.headers) == path.startswith("{account}")


def test_a_customers_limit_is_429_with_a_delay(sandbox: Sandbox, ads: Ads, customer: str) -> None:
    limit(sandbox, Platform.GOOGLE, customer, [1, 3600])
    ads.stream(customer, QUERY)

    refusal = ads.ask(customer, "search", query=QUERY)

    error = refusal.json()["error"]
    (item,) = error["details"][0]["errors"]
    assert (refusal.status_code, error["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert item["errorCode"] == {"quotaError": "RESOURCE_EXHAUSTED"}
    assert item["details"]["quotaErrorDetails"]["rateScope"] == "ACCOUNT"
    assert item["details"]["quotaErrorDetails"]["retryDelay"] == "3600s"


def test_the_projects_limit_is_of_scope_developer(sandbox: Sandbox, ads: Ads, customer: str) -> None:
    sandbox.control("limits", platform="google", project=[[0, 86_400]])
    try:
        (item,) = ads.ask(customer, "search", query=QUERY).json()["error"]["details"][0]["errors"]
    finally:
        sandbox.control("limits", platform="google", project=[])

    assert item["details"]["quotaErrorDetails"]["rateScope"] == "DEVELOPER"


def test_later_pages_of_a_search_cost_no_operation(sandbox: Sandbox, ads: Ads, customer: str) -> None:
    limit(sandbox, Platform.GOOGLE, customer, [1, 3600])
    sandbox.control("settings", google_page_rows=4)
    try:
        first = ads.ask(customer, "search", query=QUERY).json()
        second = ads.ask(customer, "search", query=QUERY, pageToken=first["nextPageToken"])
    finally:
        sandbox.control("settings", google_page_rows=10_000)

    assert second.status_code == 200
    report = sandbox.calls(account=customer)["subjects"][f"google/{customer}"]
    assert (report["calls"], report["free"], report["refused"]) == (2, 1, 0)


def test_the_referee_tells_calls_endpoints_and_the_fullest_window(
    sandbox: Sandbox, graph: Graph, ad_account: str
) -> None:
    limit(sandbox, Platform.META, ad_account, [3, 60])
    for edge in ("ads", "ads", "adsets", "ads", "ads"):
        graph.ask(f"{ad_account}/{edge}")

    told = sandbox.calls(platform="meta", account=ad_account, watch="9/60,4/3600", arrivals="true")

    name = f"meta/{ad_account.removeprefix('act_')}"
    report = told["subjects"][name]
    assert (report["calls"], report["refused"]) == (5, 2)
    assert report["endpoints"] == {"ads": 4, "adsets": 1}
    assert [(w["highest"], w["exceeded"]) for w in report["windows"]] == [(5, True), (5, False), (5, True)]
    assert told["exceeded"] == [name]
    assert report["arrivals"] == sorted(report["arrivals"])


def test_a_call_counts_even_when_a_fault_answers_it(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    sandbox.fault("meta", "server_error", account=ad_account)

    graph.ask(f"{ad_account}/ads")

    assert (
        sandbox.calls(account=ad_account)["subjects"][f"meta/{ad_account.removeprefix('act_')}"]["calls"] == 1
    )
