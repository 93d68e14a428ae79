"""The referee: every call in every window, told in one answer, whatever happened to the call."""

from typing import Any

import pytest
import requests

from providers.sandbox.constants import Platform
from providers.sandbox.process import Sandbox
from tests.integration.sandbox_callers import Ads, Graph, open_account

pytest_plugins = "tests.integration.sandbox_fixtures"

QUERY = "SELECT campaign.id FROM campaign"


def windows(report: dict[str, Any]) -> dict[str, tuple[int, str, int]]:
    """Of each limit: the highest count, where it was, and how many windows were exceeded."""
    return {
        f"{w['whose']} {w['calls']}/{w['seconds']:g}": (w["highest"], w["at"], w["exceeded"])
        for w in report["windows"]
    }


def test_one_answer_judges_accounts_app_and_project_by_the_limits_given(
    sandbox: Sandbox, graph: Graph, ads: Ads, ad_account: str, customer: str
) -> None:
    other = open_account(sandbox, Platform.META)
    for account in (ad_account, ad_account, ad_account, other):
        graph.get(account)
    graph.get("me")
    ads.stream(customer, QUERY)

    report = sandbox.referee(
        {
            "meta": {"account": [[2, 60], [3, 60]], "app": [[4, 60]], other: [[0, 60]]},
            "google": {"project": [[1, 60]]},
        }
    )

    where = f"meta/{ad_account.removeprefix('act_')}"
    lone = f"meta/{other.removeprefix('act_')}"
    assert windows(report) == {
        "meta/account 2/60": (3, where, 1),
        "meta/account 3/60": (3, where, 0),
        "meta/app 4/60": (5, "meta/app", 1),
        f"{lone} 0/60": (1, lone, 1),
        "google/project 1/60": (1, "google/project", 0),
    }
    assert report["exceeded"] == 3
    assert report["windows"][0]["exceeded_at"] == [where]


def test_it_tells_the_calls_of_each_platform(sandbox: Sandbox, graph: Graph, ads: Ads, customer: str) -> None:
    graph.get("me")
    graph.ask("act_1")
    Graph(sandbox, "nonsense").ask("me")
    sandbox.fault("meta", "html", endpoint="me")
    graph.ask("me")
    ads.stream(customer, QUERY)

    report = sandbox.referee()

    meta, google = report["platforms"]["meta"], report["platforms"]["google"]
    assert meta["endpoints"] == {"me": 3, "unknown": 1}
    assert (meta["calls"], meta["unauthorized"], meta["refused"]) == (4, 1, 0)
    assert meta["faults"] == {"html": 1}
    assert google["endpoints"] == {"search_stream:campaign": 1}
    assert google["token_calls"] == {"token": 1}
    assert (meta["accounts"], google["accounts"]) == (0, 1)
    assert report["seconds"] > 0
    assert 0 < report["process"]["cpu_seconds"] < report["seconds"] * 2
    assert report["process"]["memory_mb"] > 10


def test_without_limits_it_judges_by_the_sandboxs_own(
    sandbox: Sandbox, graph: Graph, ad_account: str
) -> None:
    sandbox.control("limits", platform="meta", only=ad_account, account=[[1, 60]])
    graph.ask(ad_account)
    graph.ask(ad_account)

    name = f"meta/{ad_account.removeprefix('act_')}"
    assert windows(sandbox.referee())[f"{name} 1/60"] == (2, name, 1)


def test_it_forgets_when_told_and_the_faults_stay(sandbox: Sandbox, graph: Graph) -> None:
    sandbox.fault("meta", "server_error", after_calls=1)
    graph.get("me")

    sandbox.control("referee/reset")

    assert sandbox.referee()["platforms"]["meta"]["calls"] == 0
    assert graph.ask("me").status_code == 500


@pytest.mark.parametrize(
    ("fault", "refused"),
    [
        ({"kind": "rate_limit"}, 1),
        ({"kind": "server_error"}, 0),
        ({"kind": "html"}, 0),
        ({"kind": "cut"}, 0),
        ({"kind": "access_denied", "times": 1}, 0),
    ],
)
@pytest.mark.parametrize("platform", list(Platform))
def test_a_struck_call_is_seen_and_takes_room_unless_a_limit_refused_it(
    sandbox: Sandbox, platform: Platform, fault: dict[str, Any], refused: int
) -> None:
    account = open_account(sandbox, platform)
    sandbox.control("limits", platform=platform, only=account, account=[[1, 3600]])
    sandbox.control("faults", platform=platform, account=account, **fault)
    call = Graph(sandbox).ask if platform == Platform.META else Ads(sandbox).ask
    rest: dict[str, Any] = {"query": QUERY} if platform == Platform.GOOGLE else {}
    path = (account, "search") if platform == Platform.GOOGLE else (account,)

    try:
        call(*path, **rest)
    except requests.ConnectionError:
        assert fault["kind"] == "cut"
    second = call(*path, **rest)

    report = sandbox.calls(platform=platform, account=account)["subjects"].popitem()[1]
    assert report["calls"] == 2
    assert second.ok == bool(refused)  # the first left its room to the second
    assert report["windows"][0]["highest"] == 2


@pytest.mark.parametrize("limits", [{"meta": {"acount": [[1, 60]]}}, {"myspace": {}}, {"meta": {"app": [1]}}])
def test_limits_that_make_no_sense_are_refused(sandbox: Sandbox, limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the sandbox refused"):
        sandbox.referee(limits)
