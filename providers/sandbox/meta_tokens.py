"""Meta's tokens: exchange, code flow and inspection."""

from typing import Any

from providers.sandbox.constants import META_APP_ID, META_APP_SECRET, Platform
from providers.sandbox.grants import META_LIFETIME, State
from providers.sandbox.meta_call import Call
from providers.sandbox.meta_errors import MetaError, invalid_session, unparsable_token
from providers.sandbox.state import Sandbox

APP_TOKEN = f"{META_APP_ID}|{META_APP_SECRET}"
SCOPES = ["ads_read", "business_management", "public_profile"]


def exchange(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """`GET /oauth/access_token`: a long-lived token for a token, or for a code."""
    params = call.params
    if params.get("client_id") != META_APP_ID:
        raise MetaError(
            101, "Error validating application. Cannot get application info due to a system error."
        )
    if params.get("client_secret") != META_APP_SECRET:
        raise MetaError(1, "Error validating client secret.")
    if params.get("grant_type") == "fb_exchange_token":
        return _answer(sandbox, _accounts_of(sandbox, params.get("fb_exchange_token", "")))
    if not sandbox.grants.redeem(Platform.META, params.get("code", "")):
        raise MetaError(100, "This authorization code has been used or is invalid.", subcode=36009)
    return _answer(sandbox, None)


def _accounts_of(sandbox: Sandbox, token: str) -> list[str] | None:
    grant = sandbox.grants.find(Platform.META, token)
    if grant is None:
        raise unparsable_token()
    if sandbox.grants.state(grant) != State.VALID:
        raise invalid_session(grant.subcode or 463)
    return None if grant.accounts is None else list(grant.accounts)


def _answer(sandbox: Sandbox, accounts: list[str] | None) -> dict[str, Any]:
    grant = sandbox.grants.mint(Platform.META, accounts=accounts, lifetime=META_LIFETIME)
    return {"access_token": grant.token, "token_type": "bearer", "expires_in": META_LIFETIME}


def debug(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """`GET /debug_token`: what a token is worth. Asked with the app's own token, or any valid one."""
    asker = sandbox.grants.find(Platform.META, call.token)
    if call.token != APP_TOKEN and sandbox.grants.state(asker) != State.VALID:
        raise unparsable_token()
    grant = sandbox.grants.find(Platform.META, call.params.get("input_token", ""))
    data: dict[str, Any] = {"app_id": META_APP_ID, "type": "USER", "application": "AdTiger sandbox"}
    if grant is None:
        return {"data": {"error": _told(unparsable_token()), "is_valid": False, "scopes": []}}
    state = sandbox.grants.state(grant)
    expires_at = int(grant.expires_at or 0)  # 0: never
    data |= {
        "data_access_expires_at": int(grant.issued_at) + 90 * 86_400,
        "expires_at": expires_at,
        "issued_at": int(grant.issued_at),
        "is_valid": state == State.VALID,
        "scopes": SCOPES,
        "granular_scopes": [{"scope": "ads_read"}],
        "user_id": grant.user_id,
    }
    if grant.accounts is not None:
        data["granular_scopes"] = [{"scope": "ads_read", "target_ids": sorted(grant.accounts)}]
    if state != State.VALID:
        data["error"] = _told(invalid_session(grant.subcode or 463))
    return {"data": data}


def _told(error: MetaError) -> dict[str, Any]:
    subcode = {} if error.subcode is None else {"subcode": error.subcode}
    return {"code": error.code, "message": str(error)} | subcode
