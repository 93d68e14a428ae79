"""`manage.py sandbox`, on the running one."""

import json
from typing import Any

import pytest
from django.core.management import CommandError

from providers.sandbox.process import Sandbox
from sync.models import Account
from tests.commands import run
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.platforms import connect, platform  # noqa: F401  (fixtures)


def test_sandbox_edits_arrive_as_asked(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "meta")

    out = run("sandbox", "--edit", "3", "--provider", "meta", "--account", connection.external_id)

    assert sum(len(ids) for ids in json.loads(out)["edited"].values()) == 3
    assert connection.external_id.removeprefix("act_") in run("sandbox", "--accounts")
    assert "subjects" in run("sandbox", "--calls")


def test_the_sandboxs_status_tells_its_accounts_faults_and_exceeded_limits(
    platform: Sandbox, account: Account
) -> None:
    connection = connect(platform, account, "google")
    platform.fault("google", "html", account=connection.external_id)

    told = json.loads(run("sandbox", "--status"))

    assert connection.external_id in {one["id"] for one in told["accounts"]}
    assert [fault["kind"] for fault in told["faults"]] == ["html"]
    assert (told["exceeded"], told["url"]) == ([], platform.url)


def test_the_sandbox_is_made_to_fail_slow_and_whole_again(platform: Sandbox, account: Account) -> None:
    external_id = connect(platform, account, "meta").external_id
    where = ("--provider", "meta", "--account", external_id)

    run("sandbox", "--fault", "html", *where, "--with", "status=503", "--with", "probability=0.5")
    run("sandbox", "--latency", "lognormal:1-2", "--provider", "meta")

    (rule,) = platform.ask("faults")["faults"]
    assert (rule["account"], rule["probability"]) == (external_id.removeprefix("act_"), 0.5)
    assert rule["details"] == {"status": 503}
    assert platform.control("settings")["latency"] == {"meta": "lognormal:1-2", "google": "0-0"}
    assert json.loads(run("sandbox", "--clear-faults")) == {"faults": 0}
    run("sandbox", "--reset")
    assert platform.control("settings")["latency"]["meta"] == "0-0"
    assert json.loads(run("sandbox", "--referee"))["exceeded"] == 0


def test_a_fault_without_a_platform_or_a_value_is_wrong_use(platform: Sandbox) -> None:
    with pytest.raises(CommandError, match="--port runs a sandbox, --clear-faults acts on the running one"):
        run("sandbox", "--port", "8090", "--clear-faults")
    with pytest.raises(CommandError, match="--fault needs --provider"):
        run("sandbox", "--fault", "html")
    with pytest.raises(CommandError, match="give it as NAME=VALUE"):
        run("sandbox", "--fault", "html", "--with", "status")


def test_what_the_sandbox_refuses_is_told(platform: Sandbox) -> None:
    with pytest.raises(CommandError, match=r"The sandbox refused: .*no meta account act_404"):
        run("sandbox", "--edit", "1", "--provider", "meta", "--account", "act_404")


def test_a_platform_is_never_taken_for_a_sandbox(settings: Any) -> None:
    settings.META_GRAPH_URL = "https://graph.facebook.com"

    with pytest.raises(CommandError, match=r"points at graph\.facebook\.com, which is no sandbox"):
        run("sandbox", "--status")


def test_a_sandbox_that_is_not_there_is_told(settings: Any) -> None:
    settings.META_GRAPH_URL = "http://127.0.0.1:9/meta"

    with pytest.raises(CommandError, match=r"No sandbox answers at http://127\.0\.0\.1:9\."):
        run("sandbox", "--accounts")
    with pytest.raises(CommandError, match="--edit needs --provider and --account"):
        run("sandbox", "--edit", "3")
