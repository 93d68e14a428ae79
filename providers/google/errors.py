"""Google's errors, by family and name; parsed defensively, for what stands in front of the Ads service
(authentication, load balancers) answers in other shapes."""

from collections.abc import Iterator, Mapping
from typing import Any

from providers.base import Usage
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

SHORT_WAIT = 60.0  # seconds, where Google gives no delay: its buckets refill within a minute
LONG_WAIT = 3600.0  # for daily quotas without a delay

TOKEN_EXPIRED = "authenticationError.OAUTH_TOKEN_EXPIRED"  # noqa: S105  (an error's name)
_RECONNECT = {
    "OAUTH_TOKEN_INVALID",
    "OAUTH_TOKEN_REVOKED",
    "OAUTH_TOKEN_DISABLED",
    "OAUTH_TOKEN_EXPIRED",
    "NOT_ADS_USER",
    "GOOGLE_ACCOUNT_DELETED",
    "GOOGLE_ACCOUNT_COOKIE_INVALID",
    "TWO_STEP_VERIFICATION_NOT_ENROLLED",
    "ADVANCED_PROTECTION_NOT_ENROLLED",
}
_LONG_QUOTAS = {"RESOURCE_EXHAUSTED", "EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION"}
_CURSORS = {"EXPIRED_PAGE_TOKEN", "INVALID_PAGE_TOKEN"}
_TOO_MUCH = {"FILTER_HAS_TOO_MANY_VALUES", "RPC_DEADLINE_TOO_SHORT"}
_PASSING = {
    "internalError",
    "databaseError",  # CONCURRENT_MODIFICATION
}
_WORDS = {
    ReconnectNeeded: "Google no longer accepts the grant: connect the ad account again",
    AccessDenied: "Google does not permit the grant to read this customer",
    CursorExpired: "Google forgot the page token",
    TooMuchData: "Google asks for a narrower query",
    PlatformFault: "Google failed for a moment",
    InvalidRequest: "Google calls the request invalid",
}


def usage_of(headers: Mapping[str, str]) -> Usage:
    """Google's headers tell no usage."""
    return Usage()


def error_of(status: int, body: Any, headers: Mapping[str, str]) -> ProviderError:
    """The error for an answer: an object, or the array in which a stream wraps it."""
    error = _error_object(body)
    failures = list(_failures(error))
    family, name, item = failures[0] if failures else ("", _reason(error), {})
    facts: dict[str, Any] = {
        "platform_code": ".".join(part for part in (family, name) if part)
        or str(error.get("status", status)),
        "http_status": status,
        "trace_id": headers.get("request-id", "") or _request_id(error),
    }
    if (family == "quotaError" and name != "ACCESS_PROHIBITED") or (not family and status == 429):
        return _limit(name, item, facts)
    make = _class_of(family, name, status)
    return make(f"{_WORDS[make]} ({facts['platform_code']})", **facts)


def _limit(name: str, item: Mapping[str, Any], facts: dict[str, Any]) -> LimitReached:
    quota = item.get("details", {}).get("quotaErrorDetails", {})
    of_customer = quota.get("rateScope") == "ACCOUNT"
    delay = _seconds(quota.get("retryDelay"))
    if delay is None:
        delay = LONG_WAIT if name in _LONG_QUOTAS else SHORT_WAIT
    return LimitReached(
        f"Google allows {'this customer' if of_customer else 'the project'} no more operations for now",
        retry_after=delay,
        scope=Scope.AD_ACCOUNT if of_customer or name == "RESOURCE_TEMPORARILY_EXHAUSTED" else Scope.APP,
        **facts,
    )


def _class_of(family: str, name: str, status: int) -> type[ProviderError]:
    if name in _CURSORS:
        return CursorExpired
    if name in _TOO_MUCH:
        return TooMuchData
    if family == "authenticationError":
        return ReconnectNeeded if name in _RECONNECT else AccessDenied
    if family in ("authorizationError", "quotaError"):
        return AccessDenied
    if family in _PASSING:
        return PlatformFault
    if family:
        return InvalidRequest  # queryError, requestError, fieldError, dateRangeError, …: ours to mend
    return {401: ReconnectNeeded, 403: AccessDenied, 400: InvalidRequest, 404: InvalidRequest}.get(
        status, PlatformFault
    )


def _error_object(body: Any) -> dict[str, Any]:
    if isinstance(body, list):
        body = next((part for part in body if isinstance(part, dict) and "error" in part), {})
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _failures(error: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(family, name, the error itself) of each error in the GoogleAdsFailure, if there is one."""
    for detail in error.get("details", []):
        for item in detail.get("errors", []):
            for family, name in item.get("errorCode", {}).items():
                yield family, str(name), item


def _reason(error: Mapping[str, Any]) -> str:
    return next((str(detail["reason"]) for detail in error.get("details", []) if "reason" in detail), "")


def _request_id(error: Mapping[str, Any]) -> str:
    return next(
        (str(detail["requestId"]) for detail in error.get("details", []) if "requestId" in detail), ""
    )


def _seconds(text: Any) -> float | None:
    """`40591s`"""
    try:
        return float(str(text).removesuffix("s"))
    except ValueError:
        return None
