"""Google's token endpoint: refresh tokens and codes in, short-lived access tokens out."""

from collections.abc import Mapping
from typing import Any

from providers.sandbox.constants import GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET, GOOGLE_SCOPE, Platform
from providers.sandbox.damage import damage
from providers.sandbox.fault_kinds import FaultKind
from providers.sandbox.faults import Fault, Moment
from providers.sandbox.grants import Grant, State
from providers.sandbox.state import Sandbox
from providers.sandbox.wire import Reply, json_reply


class TokenError(Exception):
    """An OAuth refusal: `error` and `error_description`, as RFC 6749 has them."""

    def __init__(self, error: str, description: str = "", status: int = 400) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error} | ({"error_description": description} if description else {})


def answer(sandbox: Sandbox, form: Mapping[str, str]) -> Reply:
    """`POST /token`, with its faults; only those that name the endpoint strike it."""
    sandbox.token_calls[Platform.GOOGLE]["token"] += 1
    grant = sandbox.grants.find(Platform.GOOGLE, form.get("refresh_token", ""))
    faults = sandbox.faults.draw(Moment(Platform.GOOGLE, _customer_id(grant), "token", only_by_name=True))
    try:
        for fault in faults:
            _refuse(sandbox, fault, grant)
        reply = json_reply(token(sandbox, form))
    except TokenError as error:
        reply = json_reply(error.body, error.status)
    return damage(reply, faults)


def _customer_id(grant: Grant | None) -> str:
    """A grant for a single customer tells whose call this is."""
    accounts = (grant and grant.accounts) or frozenset()
    return next(iter(accounts)) if len(accounts) == 1 else ""


def _refuse(sandbox: Sandbox, fault: Fault, grant: Grant | None) -> None:
    """What the token endpoint says, which knows no GoogleAdsFailure."""
    match fault.kind:
        case FaultKind.TOKEN_REVOKED | FaultKind.TOKEN_EXPIRED:
            if grant is not None:
                sandbox.grants.revoke(grant)
            raise TokenError("invalid_grant", "Token has been expired or revoked.")
        case FaultKind.SERVER_ERROR:
            raise TokenError("internal_failure", status=fault.number("status", 500))
        case FaultKind.RATE_LIMIT:
            raise TokenError("rate_limit_exceeded", "Rate Limit Exceeded", 429)
        case FaultKind.ACCESS_DENIED:
            raise TokenError(fault.text("name", "unauthorized_client"), "Unauthorized", 401)
        case FaultKind.PLATFORM_ERROR | FaultKind.UNKNOWN_ERROR:
            raise TokenError(fault.text("name", "something_new"), "", fault.number("status", 400))
        case _:
            pass  # damage, which comes later


def token(sandbox: Sandbox, form: Mapping[str, str]) -> dict[str, Any]:
    """An access token for a refresh token or a code."""
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
