"""`limits set` and `limits clear`: what is set for what, by whom, and what a wrong use is told."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from providers.budget import BudgetStore
from sync.models import Account, CallLimit, Connection, Plan
from tests.commands import run


def limits(*arguments: str) -> Any:
    return json.loads(run("limits", *arguments, "--json"))


def test_limits_of_an_ad_account_are_set_shown_and_cleared(connection: Connection) -> None:
    out = run("limits", "set", "40/60", "1/0.5", "--connection", connection.external_id, "--reason", "tier")

    assert f"Set: 40 calls a minute for {connection.external_id}." in out
    assert "Workers heed it within 3 seconds." in out
    held = CallLimit.objects.holding().order_by("calls")
    assert [(each.calls, each.seconds, each.reason) for each in held] == [(1, 0.5, "tier"), (40, 60, "tier")]
    assert held[0].set_by.endswith(" at the command line")

    out = run("limits", "clear", "--connection", connection.external_id, "--seconds", "60")

    assert f"Cleared: 40 calls a minute for {connection.external_id}." in out
    assert CallLimit.objects.holding().get().seconds == 0.5
    assert limits("clear", "--connection", connection.external_id)["cleared"][0]["calls"] == 1
    assert "Nothing was set for" in run("limits", "clear", "--connection", connection.external_id)


@pytest.mark.parametrize(
    ("windows", "soon", "at_the_next_start"),
    [(["20000/86400"], False, True), (["100/60"], True, False), (["20000/86400", "100/60"], True, True)],
)
def test_an_edit_says_how_soon_it_holds(
    account: Account, windows: list[str], soon: bool, at_the_next_start: bool
) -> None:
    for out in (
        run("limits", "set", *windows, "--provider", "google"),
        run("limits", "clear", "--provider", "google"),
    ):
        assert ("Workers heed it within 3 seconds." in out) == soon
        assert ("Google's day holds for each run from its next start on." in out) == at_the_next_start


@pytest.mark.parametrize(
    ("arguments", "subject"),
    [
        (["--provider", "google"], "all calls to Google Ads"),
        (["--provider", "meta", "--each"], "each ad account of Meta"),
        (
            ["--provider", "meta", "--each", "--use-case", "ads_insights"],
            "each ad account of Meta (ads_insights)",
        ),
        (["--plan", "Agency"], "each account of the plan Agency"),
        (["--account", "Acme"], "the account Acme"),
    ],
)
def test_the_options_name_what_a_limit_is_about(account: Account, arguments: list[str], subject: str) -> None:
    Plan.objects.create(name="Agency")

    told = limits("set", "5/60", *arguments)["set"]

    assert [(each["subject"], each["calls"], each["seconds"]) for each in told] == [(subject, 5, 60)]


def test_the_options_may_stand_before_the_word(connection: Connection) -> None:
    told = json.loads(run("limits", "--connection", connection.external_id, "--json", "set", "5/60"))

    assert told["set"][0]["subject"] == connection.external_id


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["set", "5/60"], "limits set: say what it is about: --connection, --account"),
        (["clear"], "limits clear: say what it is about"),
        (["set", "5/60", "--provider", "meta", "--plan", "Agency"], "Exactly one of them"),
        (["set", "5/60", "--account", "Acme", "--each"], "--each: it goes with --provider"),
        (["set", "0/60", "--provider", "meta"], r"must look like 10/60 \(calls/seconds\)"),
        (["set", "ten", "--provider", "meta"], "not 'ten'"),
        (["set", "5/100000", "--provider", "meta"], "seconds: At most 86400, a day"),
        (
            ["set", "5/60", "--provider", "meta", "--use-case", "x"],
            "--use-case: A limit of an app or project",
        ),
        (["set", "5/60", "--provider", "meta", "--each", "--use-case", "x"], "--use-case: Meta meters these"),
        (["set", "5/60", "--plan", "Gold"], "--plan: there is no 'Gold'. Give one of Agency."),
        (["set", "5/60", "--account", "Nobody"], "--account: there is no 'Nobody'"),
        (["set", "5/60", "--connection", "act_404"], "--connection: there is no 'act_404'"),
    ],
)
def test_wrong_use_names_the_option_and_changes_nothing(
    account: Account, arguments: list[str], message: str
) -> None:
    Plan.objects.create(name="Agency")

    with pytest.raises(CommandError, match=message) as caught:
        call_command("limits", *arguments, stdout=io.StringIO())

    assert caught.value.returncode in (1, 2)  # argparse's own are made into 2 where a person types them
    assert not CallLimit.objects.exists()


def test_a_store_that_is_away_is_told(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "sync.engine.budgets.budget_store", lambda: BudgetStore.connect("redis://127.0.0.1:1/0")
    )

    with pytest.raises(CommandError, match="The budget store does not answer: check REDIS_URL"):
        run("limits")
