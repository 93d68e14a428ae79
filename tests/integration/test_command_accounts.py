"""create_account, create_token, rotate_credentials: who may come in, and what is stored of it."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError

from sync.models import Account, ApiToken, Connection, Credential, Membership, Plan
from tests.commands import run
from tests.factories import make_connection


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
    with pytest.raises(CommandError, match=message) as caught:
        run("create_account", *arguments)

    assert caught.value.returncode == 2


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
        Credential.objects.all()[0].secret  # noqa: B018  (reading it decrypts)


def test_a_credential_that_no_key_fits_is_named_and_stops_no_other(
    connection: Connection, settings: Any
) -> None:
    old, new = settings.CREDENTIAL_KEYS, Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = Fernet.generate_key().decode()
    lost = make_connection(connection.account).credential
    settings.CREDENTIAL_KEYS = f"{new},{old}"

    with pytest.raises(CommandError, match=f"lacks the key of 1: .*{lost.pk}") as caught:
        run("rotate_credentials")

    settings.CREDENTIAL_KEYS = new
    assert caught.value.returncode == 1
    assert Credential.objects.get(pk=connection.credential_id).secret == "secret-token"
