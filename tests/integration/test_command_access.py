"""connect, create_account, create_token, rotate_credentials: what is stored, and what never is."""

import io
import logging
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from providers.sandbox import constants
from providers.sandbox.process import Sandbox
from sync.ledger.claim import claim
from sync.models import Account, ApiToken, Connection, Credential, Membership, Plan
from sync.models.choices import ConnectionStatus, CredentialStatus, Provider
from tests.factories import make_connection, make_run
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401
from tests.platforms import SECRETS, platform  # noqa: F401

RECORDED = {
    "meta": f"act_{constants.RECORDED_META_ACCOUNT}",
    "google": constants.RECORDED_GOOGLE_CUSTOMER,
}
MANAGER = "3000000001"


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


def connect(provider: str, *arguments: str, token: str | None = None) -> str:
    option = "--token" if provider == "meta" else "--refresh-token"
    login = ["--login-customer-id", MANAGER] if provider == "google" else []
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
    assert secret not in out + caplog.text + connection.credential.secret_encrypted


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
    Credential.objects.update(status=CredentialStatus.RECONNECT_NEEDED)
    waiting = make_run(connection)
    assert claim("meta", "default", worker="w") is None

    new = platform.control("tokens", platform="meta")["token"]
    out = connect("meta", "--external-id", RECORDED["meta"], token=new)

    assert out.startswith("Connected again")
    assert Connection.objects.get().credential.secret == new
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
    connect(provider, "--all")

    ids = list(Connection.objects.values_list("external_id", flat=True))
    assert len(ids) == len(set(ids)) >= 3
    assert RECORDED[provider] in ids
    assert MANAGER not in ids


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
        (["--external-id", "my shop"], "is no id of an ad account: it looks like act_1234567890"),
        ([], "Give either --external-id or --all"),
        (["--external-id", "12", "--refresh-token", "x"], "Meta needs --token"),
        (["--external-id", "12", "--token", " "], "No token"),
    ],
)
def test_wrong_use_is_explained(account: Account, arguments: list[str], message: str) -> None:
    command = ["connect", "--account", "Acme", "--provider", "meta", "--token", "t", *arguments]

    with pytest.raises(CommandError, match=message):
        run(*command)


def test_an_unknown_provider_is_named(account: Account) -> None:
    with pytest.raises(CommandError, match="invalid choice: 'tiktok'"):
        run("connect", "--account", "Acme", "--provider", "tiktok")


def test_an_account_is_made_with_its_owner(db: None) -> None:
    User.objects.create_user("alice")
    Plan.objects.create(name="Agency")

    run("create_account", "Acme", "--owner", "alice", "--plan", "Agency")

    member = Membership.objects.get()
    assert (member.account.name, member.role, str(member.account.plan)) == ("Acme", "owner", "Agency")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["New", "--owner", "nobody"], "--owner: there is no user 'nobody'"),
        (["New", "--owner", "alice", "--plan", "x"], "--plan: there is no plan 'x'"),
        (["Acme", "--owner", "alice"], "needs a name of its own"),
    ],
)
def test_a_wrong_account_is_explained(
    account: Account, alice: User, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        run("create_account", *arguments)


def test_a_token_is_printed_once_and_stored_as_a_hash(account: Account, alice: User) -> None:
    token = run("create_token", "--account", "Acme", "--user", "alice", "--name", "ci", "--days", "2").strip()

    stored = ApiToken.objects.get()
    assert token.startswith("adt_")
    assert stored.account == account
    assert token not in str(vars(stored))


def test_only_a_member_gets_a_token(account: Account, mallory: User) -> None:
    with pytest.raises(CommandError, match="'mallory' is no member of Acme"):
        run("create_token", "--account", "Acme", "--user", "mallory")


def test_rotation_makes_the_old_key_needless(connection: Connection, settings: Any) -> None:
    old, new = settings.CREDENTIAL_KEYS, Fernet.generate_key().decode()
    make_connection(connection.account)
    settings.CREDENTIAL_KEYS = f"{new},{old}"

    assert "Re-encrypted 2 credentials" in run("rotate_credentials")

    settings.CREDENTIAL_KEYS = new
    assert {credential.secret for credential in Credential.objects.all()} == {"secret-token"}
    settings.CREDENTIAL_KEYS = old
    with pytest.raises(ImproperlyConfigured, match="CREDENTIAL_KEYS"):
        Credential.objects.all()[0].secret  # noqa: B018
