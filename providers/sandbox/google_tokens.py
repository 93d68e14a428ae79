"""Google's token endpoint: refresh tokens and codes in, short-lived access tokens out."""

from collections.abc import Mapping
from typing import Any

from providers.sandbox.constants import GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET, GOOGLE_SCOPE, Platform
from providers.sandbox.grants import Grant, State
from providers.sandbox.state import Sandbox


class TokenError(Exception):
    """An OAuth refusal: `error` and `error_description`, as RFC 6749 has them."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}


def token(sandbox: Sandbox, form: Mapping[str, str]) -> dict[str, Any]:
    """`POST /token`"""
    if form.get("client_id") != GOOGLE_CLIENT_ID or form.get("client_secret") != GOOGLE_CLIENT_SECRET:
        raise TokenError("invalid_client", "The OAuth client was not found.", 401)
    match form.get("grant_type"):
        case "refresh_token":
            return _answer(sandbox, _refreshed(sandbox, form.get("refresh_token", "")))
        case "authorization_code":
            if not sandbox.grants.redeem(Platform.GOOGLE, form.get("code", "")):
                raise TokenError("invalid_grant", "Malformed auth code.")
            grant = sandbox.grants.mint(Platform.GOOGLE)
            return _answer(sandbox, grant) | {"refresh_token": grant.token}
    raise TokenError("unsupported_grant_type", "Invalid grant_type.")


def _refreshed(sandbox: Sandbox, refresh_token: str) -> Grant:
    grant = sandbox.grants.find(Platform.GOOGLE, refresh_token)
    if grant is None or sandbox.grants.state(grant) != State.VALID:
        raise TokenError("invalid_grant", "Token has been expired or revoked.")
    return grant


def _answer(sandbox: Sandbox, grant: Grant) -> dict[str, Any]:
    access_token, lifetime = sandbox.grants.access_token(grant)
    return {
        "access_token": access_token,
        "expires_in": lifetime,
        "scope": GOOGLE_SCOPE,
        "token_type": "Bearer",
    }
