"""`manage.py limits`: what may be called, what was, and what the platform says."""

import io
from typing import Any

import pytest
from django.core.management import call_command

from providers.base import Reading, Usage
from providers.errors import Scope
from providers.sandbox.process import Sandbox
from sync.engine.platform import budget_store, gate_for
from sync.models import Account, Connection
from tests.commands import run, run_json
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.platforms import connect, platform  # noqa: F401  (fixtures)


def test_limits_shows_use_and_probes(platform: Sandbox, account: Account, settings: Any) -> None:
    connection = connect(platform, account, "meta")
    settings.CONNECTION_WINDOWS = {"meta": ((10, 60.0),), "google": ()}

    (told,) = run_json("limits", "--connection", connection.external_id, "--probe")["connections"]

    assert told["windows"][0] == {
        "budget": connection.external_id,
        "used": 1,
        "limit": 10,
        "seconds": 60.0,
        "source": "the setting META_CONNECTION_WINDOWS",
        "free_at": None,
        "parked_until": None,
        "parked_because": "",
        "background_until": None,
        "background_because": "",
    }
    assert [(window["limit"], window["source"]) for window in told["windows"][1:]] == [
        (9_000, "the tier standard_access"),
        (100_000, "the tier standard_access"),
        (190_000, "the tier standard_access"),
    ]
    assert (told["may_call_at"], told["background_may_call_at"]) == (None, None)
    assert told["probe"]["error"] == ""
    assert 0 <= told["probe"]["percent"] <= 100
    assert "% used." in run("limits", "--account", "Acme", "--provider", "meta", "--probe")


def test_limits_tells_what_the_platform_said_last_and_how_many_calls_failed(
    platform: Sandbox, account: Account
) -> None:
    connection = connect(platform, account, "meta")
    platform.control("limits", platform="meta", account=[[10, 300]], only=connection.external_id)
    connection_arguments = ("limits", "--connection", connection.external_id)
    run(*connection_arguments, "--probe")
    platform.fault("meta", "platform_error", account=connection.external_id, code=2, status=500)
    with pytest.raises(SystemExit):
        run(*connection_arguments, "--probe")

    (told,) = run_json(*connection_arguments)["connections"]
    words = run(*connection_arguments)

    assert told["errors"] == {"calls": 2, "errors": 1, "retries_held_back": False}
    assert told["platform"]["tier"] == "standard_access"
    assert {"scope": "use_case", "use_case": "ads_management", "percent": 20.0, "regain_seconds": 0} in (
        told["platform"]["meters"]
    )
    assert "ad account 20 %" in words
    assert "ads_management 20 %. Access tier: standard_access." in words
    assert "Of the app's last 2 calls 1 failed." in words


def test_limits_tells_when_people_and_the_background_may_call_again(
    connection: Connection, settings: Any
) -> None:
    settings.CONNECTION_WINDOWS = {"meta": ((5, 600.0),), "google": ()}
    gate = gate_for(connection, background=False)
    for _ in range(4):
        gate.settle(gate.take(), Usage())

    (told,) = run_json("limits")["connections"]
    assert (told["may_call_at"], told["background_may_call_at"] is None) == (None, False)

    gate.settle(gate.take(), Usage((Reading(Scope.AD_ACCOUNT, 85, 60_000),)))
    words = run("limits")
    (told,) = run_json("limits")["connections"]

    assert told["windows"][0]["free_at"] == told["may_call_at"] < told["background_may_call_at"]
    assert "for background work: 85 % of the platform's limit is used" in words
    assert f"People may call again at {told['may_call_at'][11:19]} UTC." in words
    assert f"The background may call again at {told['background_may_call_at'][11:19]} UTC." in words


def test_a_probe_that_fails_is_told_and_fails(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "google")
    platform.fault("google", "access_denied", account=connection.external_id)
    out = io.StringIO()

    with pytest.raises(SystemExit) as caught:
        call_command("limits", "--probe", stdout=out)

    assert caught.value.code == 1
    assert "No answer: Google" in out.getvalue()


def test_a_parked_app_is_shown_though_it_has_no_window(connection: Connection) -> None:
    budget_store().park("provider:meta", 60, "the app's limit is used up")

    told = run_json("limits")["connections"][0]["windows"][-1]

    assert (told["budget"], told["used"], told["limit"]) == ("Meta", None, None)
    assert told["parked_because"] == "the app's limit is used up"


def test_limits_of_nothing_say_so(db: None) -> None:
    assert "No connection fits" in run("limits")
