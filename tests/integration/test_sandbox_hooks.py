"""The sandbox posts webhooks as Meta does, and as those do who only pretend to be Meta."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from providers.sandbox.constants import META_APP_ID, META_APP_SECRET
from providers.sandbox.process import Sandbox
from tests.integration.sandbox_callers import Graph
from tests.integration.scripted_server import Script, scripted_server

pytest_plugins = "tests.integration.sandbox_fixtures"

SIGNATURE = "x-hub-signature-256"


@pytest.fixture
def receiver(sandbox: Sandbox) -> Iterator[Script]:
    with scripted_server() as script:
        script.answers({})
        yield script
        sandbox.control("settings", meta_webhook_url="")


def changes(receiver: Script) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for body in receiver.bodies:
        found += [change for entry in json.loads(body)["entry"] for change in entry["changes"]]
    return found


def is_signed(receiver: Script, number: int = 0) -> bool:
    expected = hmac.new(META_APP_SECRET.encode(), receiver.bodies[number], hashlib.sha256).hexdigest()
    return receiver.headers[number][SIGNATURE] == f"sha256={expected}"


def post(sandbox: Sandbox, receiver: Script, *told: dict[str, Any], **how: Any) -> list[int]:
    statuses: list[int] = sandbox.control("webhook", url=receiver.url, changes=list(told), **how)["statuses"]
    return statuses


def test_a_report_that_is_ready_is_told_to_the_application(sandbox: Sandbox, receiver: Script) -> None:
    assert post(sandbox, receiver, {"report": "12345"}) == [200]

    payload = json.loads(receiver.bodies[0])
    assert (payload["object"], payload["entry"][0]["id"]) == ("application", META_APP_ID)
    assert changes(receiver) == [
        {
            "field": "async_requests",
            "value": {"category": "ads_insights", "verb": "complete", "report_id": "12345"},
        }
    ]
    assert is_signed(receiver)


def test_what_happens_to_an_ad_is_told_for_its_ad_account(sandbox: Sandbox, receiver: Script) -> None:
    value = {"id": "23850000000000037", "level": "AD", "name": "春のセール"}
    change = {"account": "act_480000007368787", "field": "with_issues_ad_objects", "value": value}

    post(sandbox, receiver, change)

    payload = json.loads(receiver.bodies[0])
    assert (payload["object"], payload["entry"][0]["id"]) == ("ad_account", "480000007368787")
    assert changes(receiver)[0]["value"] == value
    assert receiver.bodies[0].isascii()  # other scripts are escaped, and signed so
    assert is_signed(receiver)


def test_hooks_come_twice_in_any_order_or_all_in_one(sandbox: Sandbox, receiver: Script) -> None:
    two = {"report": "2"}, {"report": "1", "verb": "fail"}

    assert post(sandbox, receiver, *two, times=2) == [200] * 4
    assert post(sandbox, receiver, *two, together=True) == [200]

    ids = [change["value"]["report_id"] for change in changes(receiver)]
    assert ids == ["2", "2", "1", "1", "2", "1"]


def test_hooks_are_forged_on_demand(sandbox: Sandbox, receiver: Script) -> None:
    for signature in ("bad", "missing"):
        post(sandbox, receiver, {"report": "1"}, signature=signature)

    assert not is_signed(receiver)
    assert SIGNATURE not in receiver.headers[1]


def test_nobody_to_hear_is_no_error(sandbox: Sandbox) -> None:
    hook = {"url": "http://127.0.0.1:1/", "changes": [{"report": "1"}]}

    assert sandbox.control("webhook", **hook)["statuses"] == [0]


@pytest.mark.parametrize(("fate", "verb"), [("", "complete"), ("skipped", "fail"), ("failed", "fail")])
def test_a_run_tells_of_its_end_by_itself(
    sandbox: Sandbox, graph: Graph, ad_account: str, receiver: Script, fate: str, verb: str
) -> None:
    sandbox.control("settings", meta_webhook_url=receiver.url, meta_report_seconds=0.1)
    if fate:
        sandbox.fault("meta", "report", account=ad_account, fate=fate)

    report = graph.post(f"{ad_account}/insights", level="ad")["report_run_id"]

    wait_for(receiver)
    (change,) = changes(receiver)
    assert (change["value"]["verb"], change["value"]["report_id"]) == (verb, report)
    assert graph.get(report)["async_status"] == {"": "Job Completed"}.get(fate, f"Job {fate.title()}")


def wait_for(receiver: Script) -> None:
    deadline = time.monotonic() + 10
    while not receiver.bodies and time.monotonic() < deadline:
        time.sleep(0.02)
