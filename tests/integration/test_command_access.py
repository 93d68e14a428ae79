"""connect: what is stored, and what never is."""

import io
import json
import logging
import os
import pty
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError

from providers.sandbox import constants
from providers.sandbox.process import Sandbox
from sync.ledger.claim import claim
from sync.models import Account, Connection, Credential
from sync.models.choices import ConnectionStatus, Provider
from tests.commands import run
from tests.factories import make_run
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.platforms import SECRETS, addresses, platform  # noqa: F401  (fixtures)
from tests.processes import ROOT, environment, eventually

RECORDED = {
    "meta": f"act_{constants.RECORDED_META_ACCOUNT}",
    "google": constants.RECORDED_GOOGLE_CUSTOMER,
}
MANAGER = "3000000001"


def stored() -> str:
    """Every value of every row of ours."""
    models = apps.get_app_config("sync").get_models()
    return str([list(model._default_manager.values()) for model in models])


def connect(provider: str, *arguments: str, token: str | None = None) -> str:
    option = "--token" if provider == "meta" else "--refresh-token"
    is_one_customer = provider == "google" and "--external-id" in arguments
    login = ["--login-customer-id", MANAGER] if is_one_customer else []
    command = [
        "connect",
        "--account",
        "Acme",
        "--provider",
        provider,
        option,
        token or SECRETS[Provider(provider)],
    ]
    return run(*command, *login, *arguments)


@pytest.mark.parametrize("provider", ["meta", "google"])
def test_connect_stores_what_the_platform_tells_and_hides_the_token(
    platform: Sandbox, account: Account, caplog: pytest.LogCaptureFixture, provider: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        out = connect(provider, "--external-id", RECORDED[provider])

    connection = Connection.objects.get()
    secret = SECRETS[Provider(provider)]
    assert (connection.external_id, connection.currency) == (RECORDED[provider], "USD")
    assert connection.time_zone == "America/Los_Angeles"
    assert connection.credential.secret == secret
    assert out.startswith("Connected: ")
    assert connection.external_id in stored()
    assert secret not in out + caplog.text + stored()


@pytest.mark.parametrize("provider", ["meta", "google"])
def test_a_token_that_the_platform_rejects_stores_nothing(platform: Sandbox, db: None, provider: str) -> None:
    with pytest.raises(CommandError, match="nothing was stored") as caught:
        connect(provider, "--external-id", RECORDED[provider], "--create-account", token="made-up-token")

    assert "made-up-token" not in str(caught.value)
    assert not Credential.objects.exists()
    assert not Account.objects.exists()


def test_connecting_again_renews_the_grant_and_lets_waiting_runs_go_on(
    platform: Sandbox, account: Account
) -> None:
    connect("meta", "--external-id", RECORDED["meta"])
    connection = Connection.objects.get()
    Credential.objects.all().lose()
    waiting = make_run(connection)
    assert claim("meta", "default", worker="w") is None

    new = platform.control("tokens", platform="meta")["token"]
    out = connect("meta", "--external-id", RECORDED["meta"], token=new)

    assert out.startswith("Connected again")
    assert Connection.objects.get().credential.secret == new
    assert Connection.objects.get().credential.lost_at is None
    assert claim("meta", "default", worker="w") == waiting


def test_a_token_for_one_ad_account_does_not_take_its_neighbours_grant_away(
    platform: Sandbox, account: Account
) -> None:
    connect("meta", "--all")
    shared = Credential.objects.get()
    new = platform.control("tokens", platform="meta")["token"]

    connect("meta", "--external-id", RECORDED["meta"], token=new)

    shared.refresh_from_db()
    assert shared.secret == SECRETS[Provider.META]
    assert Connection.objects.get(external_id=RECORDED["meta"]).credential.secret == new


@pytest.mark.parametrize("provider", ["meta", "google"])
def test_all_connects_every_ad_account_of_the_grant_once(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connect(provider, "--all")
    connect(provider, "--all-accounts")

    ids = list(Connection.objects.values_list("external_id", flat=True))
    assert len(ids) == len(set(ids)) >= 3
    assert RECORDED[provider] in ids
    assert MANAGER not in ids
    assert Credential.objects.count() == 1


def test_a_grant_that_reaches_nothing_any_more_is_not_kept(platform: Sandbox, account: Account) -> None:
    connect("meta", "--external-id", RECORDED["meta"])
    alone = Credential.objects.get()
    connect("meta", "--all")
    connect(
        "meta", "--external-id", RECORDED["meta"], token=platform.control("tokens", platform="meta")["token"]
    )

    connect("meta", "--all")

    left = Credential.objects.get()
    assert left == alone
    assert left.secret == SECRETS[Provider.META]
    assert left.connections.count() == Connection.objects.count()


def test_a_call_that_connects_is_taken_from_the_ad_accounts_budget(
    platform: Sandbox, account: Account, settings: Any
) -> None:
    settings.CONNECTION_WINDOWS = {"meta": ((1, 60.0),), "google": ()}
    connect("meta", "--external-id", RECORDED["meta"])
    before = stored()

    with pytest.raises(CommandError, match=r"may make 1 call a minute\. Try again after ..:..:.. UTC"):
        connect("meta", "--external-id", RECORDED["meta"])

    counted = platform.calls(platform="meta", account=RECORDED["meta"], watch="1/60")
    assert counted["subjects"][f"meta/{constants.RECORDED_META_ACCOUNT}"]["calls"] == 1
    assert stored() == before


def test_discovering_is_taken_from_the_providers_budget(
    platform: Sandbox, account: Account, settings: Any
) -> None:
    settings.CONNECTION_WINDOWS = {"meta": ((1, 60.0),), "google": ((1, 60.0),)}
    settings.PROVIDER_WINDOWS = {"meta": (), "google": ((1, 60.0),)}

    connect("meta", "--all")
    with pytest.raises(CommandError, match="Google Ads may make 1 call a minute"):
        connect("google", "--all")


def test_what_was_connected_is_told_to_scripts(platform: Sandbox, account: Account) -> None:
    (told,) = json.loads(connect("meta", "--external-id", RECORDED["meta"], "--json"))["connections"]

    assert told["id"] == str(Connection.objects.get().pk)
    assert (told["external_id"], told["created"]) == (RECORDED["meta"], True)


def test_a_manager_is_not_connected(platform: Sandbox, account: Account) -> None:
    with pytest.raises(CommandError, match="is a manager: connect the customers below it"):
        connect("google", "--external-id", MANAGER)


def test_ids_are_taken_as_people_write_them(platform: Sandbox, account: Account) -> None:
    connect("meta", "--external-id", constants.RECORDED_META_ACCOUNT)
    connect("google", "--external-id", "212-145-0128")

    assert set(Connection.objects.values_list("external_id", flat=True)) == set(RECORDED.values())


def test_a_closed_account_is_reopened_by_connecting_it_again(platform: Sandbox, account: Account) -> None:
    connect("meta", "--external-id", RECORDED["meta"])
    Connection.objects.update(status=ConnectionStatus.ACCESS_DENIED)

    connect("meta", "--external-id", RECORDED["meta"])

    assert Connection.objects.get().status == ConnectionStatus.ACTIVE


def test_the_token_may_come_from_standard_input(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{constants.META_TOKEN}\n"))

    run("connect", "--account", "Acme", "--provider", "meta", "--external-id", RECORDED["meta"])

    assert Credential.objects.get().secret == constants.META_TOKEN


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--external-id", "12", "--account", "Nobody"], "--account: there is no 'Nobody'"),
        (["--external-id", "12", "--account", " ", "--create-account"], "--account: the name is empty"),
        ([], "Give either --external-id or --all"),
        (["--external-id", "12", "--refresh-token", "x"], "Meta needs --token"),
        (["--external-id", "12", "--token", " "], "No token"),
        (["--external-id", "12", "--login-customer-id", "1"], "--login-customer-id belongs to one Google"),
    ],
)
def test_wrong_use_is_explained(account: Account, arguments: list[str], message: str) -> None:
    command = ["connect", "--account", "Acme", "--provider", "meta", "--token", "t", *arguments]

    with pytest.raises(CommandError, match=message) as caught:
        run(*command)

    assert caught.value.returncode == 2


def test_what_is_no_id_is_explained(account: Account) -> None:
    with pytest.raises(CommandError, match="is no id of an ad account: it looks like act_1234567890"):
        connect("meta", "--external-id", "my shop")


@pytest.mark.django_db(transaction=True)
def test_at_a_terminal_the_token_is_asked_for_and_not_shown(sandbox: Sandbox, tmp_path: Path) -> None:
    Account.objects.create(name="Acme")
    terminal, theirs = pty.openpty()
    told = tmp_path / "told"
    options = ["--account", "Acme", "--provider", "meta", "--external-id", RECORDED["meta"]]
    with told.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "connect", *options],
            cwd=ROOT,
            env=environment(**addresses(sandbox)),
            stdin=theirs,
            stdout=output,
            stderr=output,
            start_new_session=True,  # without a controlling terminal getpass asks the one that it is given
        )
    try:
        eventually(lambda: "Token (not shown)" in told.read_text(), seconds=30, what="the question")
        os.write(terminal, f"{constants.META_TOKEN}\n".encode())
        assert process.wait(timeout=30) == 0, told.read_text()
        shows, _, _ = select.select([terminal], [], [], 0)
        echoed = os.read(terminal, 1000).decode() if shows else ""
    finally:
        process.kill()
        process.wait()
        os.close(theirs)
        os.close(terminal)

    assert constants.META_TOKEN not in echoed + told.read_text()
    assert Credential.objects.get().secret == constants.META_TOKEN


def test_an_unknown_provider_is_named(account: Account) -> None:
    with pytest.raises(CommandError, match="invalid choice: 'tiktok'"):
        run("connect", "--account", "Acme", "--provider", "tiktok")
