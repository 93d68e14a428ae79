"""API tokens are made in the admin, shown once, and revoked by deleting."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from sync.admin.words import listing, page
from sync.models import Account, ApiToken
from tests.factories import make_token

ADD = listing(ApiToken) + "add/"


def make(client: Client, account: Account, user: User, **fields: str) -> str:
    """Make a token in the admin; what was shown."""
    form = {"account": str(account.pk), "user": str(user.pk), "name": "frontend", **fields}
    response = client.post(ADD, form)
    assert response.status_code == 302, response.content.decode()
    [token] = [str(message) for message in get_messages(response.wsgi_request) if "adt_" in str(message)][:1]
    return token.split("<code>")[1].split("</code>")[0]


def test_the_token_is_shown_once_and_works(admin_client: Client, account: Account, alice: User) -> None:
    token = make(admin_client, account, alice)

    user, made = TokenAuthentication().authenticate_credentials(token.encode())
    assert (user, made.account, made.name) == (alice, account, "frontend")
    assert timedelta(days=364) < made.expiry - timezone.now() <= timedelta(days=365)
    assert token in admin_client.get(listing(ApiToken)).content.decode()
    for url in (listing(ApiToken), page(made), "/admin/"):
        html = admin_client.get(url).content.decode()
        assert token not in html
    assert f"{made.token_key}…" in admin_client.get(listing(ApiToken)).content.decode()


def test_the_expiry_can_be_chosen(admin_client: Client, account: Account, alice: User) -> None:
    make(admin_client, account, alice, expiry_0="2099-01-02", expiry_1="03:04:05")

    assert ApiToken.objects.get().expiry.isoformat() == "2099-01-02T03:04:05+00:00"


def test_a_token_that_has_expired_already_is_not_made(
    admin_client: Client, account: Account, alice: User
) -> None:
    form = {
        "account": str(account.pk),
        "user": str(alice.pk),
        "expiry_0": "2001-01-01",
        "expiry_1": "00:00:00",
    }

    assert "This moment is past." in admin_client.post(ADD, form).content.decode()
    assert not ApiToken.objects.exists()


def test_only_members_get_a_token_for_an_account(
    admin_client: Client, account: Account, mallory: User
) -> None:
    form = {"account": str(account.pk), "user": str(mallory.pk)}

    assert "mallory is not a member of Acme." in admin_client.post(ADD, form).content.decode()
    assert not ApiToken.objects.exists()


def test_deleting_revokes(admin_client: Client, account: Account, alice: User) -> None:
    token = make_token(account, alice)
    row = ApiToken.objects.get()

    admin_client.post(f"{page(row).removesuffix('change/')}delete/", {"post": "yes"})

    with pytest.raises(AuthenticationFailed):
        TokenAuthentication().authenticate_credentials(token.encode())
