"""Meta's errors, by code and subcode: never by status, type or text, which vary for the same cause.

The one exception is code 1, "reduce the amount of data", which only its text tells. Codes may be
negative.
"""

from collections.abc import Callable, Mapping
from typing import Any

from providers.errors import (
    AccessDenied,
    CursorExpired,
    InvalidRequest,
    LimitReached,
    PlatformFault,
    ProviderError,
    ReconnectNeeded,
    Scope,
    TooMuchData,
)
from providers.meta.usage import usage_of

HOUR = 3600.0
BLOCK = 300.0  # seconds: an ad account's score decays in five minutes, on every tier
POLICY_BLOCK = 24 * HOUR  # blocked for abuse: calling again makes it worse

ACCOUNT_LIMITS = {17: BLOCK, 613: BLOCK}
# Business use cases: insights, pages, instagram, audiences, management, leads, messenger, …
USE_CASE_LIMITS = {80000, 80001, 80002, 80003, 80004, 80005, 80006, 80008, 80009, 80014}
APP_LIMITS = {4: HOUR, 32: HOUR, 341: HOUR}
TOKEN_LOST = {102, 190}
DENIED = {3, 10, 294, *range(200, 300)}
TOO_MUCH = {(100, 1487534), (2, 1504038), (100, 1504018), (-3, 1504045), (2, 1504044)}
WRONG = {(2, 1504041), (2, 1504042), (100, 3191001), (1, 2853001)}
TRANSIENT = {(2, 1504043), (-2, 2490547), (2601, 1815107)}
TRANSIENT_CODES = {1, 2, 960}
INVALID_CODES = {100, 104, 506, 2500, 2635, 3018}
CURSOR_CODES = {2642}
NOT_VISIBLE = (100, 33)

Make = Callable[..., ProviderError]


def error_of(status: int, body: Any, headers: Mapping[str, str]) -> ProviderError:
    """The error for an answer; an unknown code is worth a retry, for it may pass."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return PlatformFault(f"Meta answered {status} without an error object", http_status=status)
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    facts: dict[str, Any] = {
        "platform_code": f"{code}/{subcode}" if subcode else str(code),
        "http_status": status,
        "trace_id": str(error.get("fbtrace_id", "")),
    }
    limit = _limit(code, headers)
    if limit is not None:
        seconds, scope, words = limit
        return LimitReached(words, retry_after=seconds, scope=scope, **facts)
    make, words = _meaning(code, subcode, error)
    return make(f"{words} (Meta's code {facts['platform_code']})", **facts)


def _limit(code: int, headers: Mapping[str, str]) -> tuple[float, Scope, str] | None:
    regain = usage_of(headers).regain_after
    if code in USE_CASE_LIMITS:
        return (
            regain or HOUR,
            Scope.AD_ACCOUNT,
            "Meta allows this ad account no more calls of this kind for now",
        )
    if code in ACCOUNT_LIMITS:
        return (
            regain or ACCOUNT_LIMITS[code],
            Scope.AD_ACCOUNT,
            "Meta allows this ad account no more calls for now",
        )
    if code in APP_LIMITS:
        return regain or APP_LIMITS[code], Scope.APP, "Meta allows the app no more calls for now"
    if code == 368:
        return POLICY_BLOCK, Scope.APP, "Meta blocked the app's action for its policy"
    return None


def _meaning(code: int, subcode: int, error: Mapping[str, Any]) -> tuple[Make, str]:
    """The error class for codes that are no limits, and its words."""
    pair = (code, subcode)
    if code in TOKEN_LOST:
        return ReconnectNeeded, "Meta no longer accepts the token: connect the ad account again"
    if pair == NOT_VISIBLE:
        return AccessDenied, "The ad account is gone, or the token may not read it"
    if code in DENIED:
        return AccessDenied, "Meta does not permit the token to read this ad account"
    if pair in TOO_MUCH or _asks_to_reduce(code, error):
        return TooMuchData, "Meta asks for less data at once"
    if pair in TRANSIENT:
        return PlatformFault, "Meta failed for a moment"
    if pair in WRONG:
        return InvalidRequest, "Meta calls the request invalid"
    if code in CURSOR_CODES:
        return CursorExpired, "Meta forgot the page cursor"
    return _by_code(code, error)


def _by_code(code: int, error: Mapping[str, Any]) -> tuple[Make, str]:
    if code in TRANSIENT_CODES or error.get("is_transient") is True:
        return PlatformFault, "Meta failed for a moment"
    if code in INVALID_CODES:
        return InvalidRequest, "Meta calls the request invalid"
    return PlatformFault, "Meta answered with an error that AdTiger does not know"


def _asks_to_reduce(code: int, error: Mapping[str, Any]) -> bool:
    return code == 1 and "reduce the amount of data" in str(error.get("message", ""))


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0
