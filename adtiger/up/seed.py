"""What a demo begins with: a login, an account, and connections to the sandbox's ad accounts.

Guarantee: run again, it finds what is there; the login of up.json stays valid.
"""

import secrets
from pathlib import Path

from django.contrib.auth.models import User
from django.db import transaction
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from adtiger.up.login import Login
from providers.sandbox import constants
from sync.connect import connect_all
from sync.models import Account, ApiToken, Membership
from sync.models.choices import CredentialStatus, Provider, Role

_SECRETS = {Provider.META: constants.META_TOKEN, Provider.GOOGLE: constants.GOOGLE_REFRESH_TOKEN}
USERNAME = "admin"
ACCOUNT = "Demo"


def main(arguments: list[str]) -> int:
    """`seed URL HOME`"""
    url, home = arguments[0], Path(arguments[1])
    last = Login.read(home)
    with transaction.atomic():
        account, _ = Account.objects.get_or_create(name=ACCOUNT)
        user, password = _user(last.password if last else "")
        Membership.objects.update_or_create(account=account, user=user, defaults={"role": Role.OWNER})
        token = _token(user, account, last.token if last else "")
    _connect(account)
    Login(url, USERNAME, password, token).write(home)
    return 0


def _user(password: str) -> tuple[User, str]:
    """The demo's superuser; a new password only where the last one is lost."""
    user, _ = User.objects.get_or_create(username=USERNAME, defaults={"is_staff": True, "is_superuser": True})
    if not (password and user.check_password(password)):
        password = secrets.token_urlsafe(9)  # 72 random bits, and still to be typed
        user.set_password(password)
        user.save()
    return user, password


def _token(user: User, account: Account, token: str) -> str:
    """An API token of the account; a new one only where the last one is lost or expired."""
    try:
        TokenAuthentication().authenticate_credentials(token.encode())
    except AuthenticationFailed:
        _, token = ApiToken.objects.create(user=user, account=account, name="demo")
    return token


def _connect(account: Account) -> None:
    """All ad accounts of the sandbox, at the first time; later only their grants are made good again."""
    for provider, secret in _SECRETS.items():
        if not account.connections.filter(provider=provider).exists():
            connect_all(account, provider, secret)
    # the sandbox forgot with its last life which access tokens it had given, and which grants it had refused
    account.credentials.update(
        access_token_encrypted="", access_token_expires_at=None, status=CredentialStatus.ACTIVE
    )
