"""Google's errors as a table, by family and name; never by message.

Read defensively: what stands in front of the Ads service (authentication, load balancers) answers in
other shapes, and then only the gRPC status tells.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from providers.base import Usage
from providers.errors import (
    AccessDenied,
    CursorExpired,
    FieldGone,
    InvalidRequest,
    LimitReached,
    PlatformFault,
    ProviderError,
    RangeTooOld,
    ReconnectNeeded,
    Scope,
    TooMuchData,
    UnknownError,
    Unreachable,
    VersionEnded,
    plain,
)

T = TypeVar("T")

# By `family.NAME`, which goes first, by family, or by gRPC status.
RULES: dict[str, type[ProviderError]] = {
    "authenticationError": ReconnectNeeded,
    "authenticationError.CLIENT_CUSTOMER_ID_INVALID": InvalidRequest,
    "authenticationError.CLIENT_CUSTOMER_ID_IS_REQUIRED": InvalidRequest,
    "authenticationError.CUSTOMER_NOT_FOUND": AccessDenied,
    "authenticationError.DEVELOPER_TOKEN_INVALID": InvalidRequest,
    "authorizationError": AccessDenied,
    "changeEventError": InvalidRequest,
    "changeStatusError": InvalidRequest,
    "databaseError": PlatformFault,  # CONCURRENT_MODIFICATION
    "dateError": InvalidRequest,
    "dateRangeError": InvalidRequest,
    "dateRangeError.REQUESTED_DATE_GRANULARITY_NOT_SUPPORTED": RangeTooOld,
    "fieldError": InvalidRequest,
    "headerError": InvalidRequest,
    "internalError": PlatformFault,
    "queryError": InvalidRequest,
    "queryError.UNRECOGNIZED_FIELD": FieldGone,
    "queryError.FILTER_HAS_TOO_MANY_VALUES": TooMuchData,
    "quotaError.ACCESS_PROHIBITED": AccessDenied,
    "requestError": InvalidRequest,
    "requestError.EXPIRED_PAGE_TOKEN": CursorExpired,
    "requestError.INVALID_PAGE_TOKEN": CursorExpired,
    "requestError.RPC_DEADLINE_TOO_SHORT": TooMuchData,
    "requestError.UNSUPPORTED_VERSION": VersionEnded,
    "sizeLimitError": TooMuchData,
    # reasons of google.rpc.ErrorInfo: about the project, or about the grant, whatever their status
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": ReconnectNeeded,
    "CONSUMER_INVALID": InvalidRequest,
    "CONSUMER_SUSPENDED": InvalidRequest,
    "SERVICE_DISABLED": InvalidRequest,  # the Ads API is not switched on for the project
    "ABORTED": PlatformFault,
    "CANCELLED": PlatformFault,
    "DATA_LOSS": PlatformFault,
    "DEADLINE_EXCEEDED": PlatformFault,
    "FAILED_PRECONDITION": InvalidRequest,
    "INTERNAL": PlatformFault,
    "INVALID_ARGUMENT": InvalidRequest,
    "NOT_FOUND": VersionEnded,  # nothing else stands in the addresses that we call
    "OUT_OF_RANGE": InvalidRequest,
    "PERMISSION_DENIED": AccessDenied,
    "UNAUTHENTICATED": ReconnectNeeded,
    "UNAVAILABLE": PlatformFault,
    "UNIMPLEMENTED": VersionEnded,
}

# Refusals of the user, whom no new access token makes another one.
OF_THE_USER = frozenset(
    {
        "authenticationError.ADVANCED_PROTECTION_NOT_ENROLLED",
        "authenticationError.GOOGLE_ACCOUNT_DELETED",
        "authenticationError.NOT_ADS_USER",
        "authenticationError.TWO_STEP_VERIFICATION_NOT_ENROLLED",
    }
)

# Limits, and how long they rest where Google gives no delay. Buckets of queries a second refill at once,
# but a refused call counts as well; a quota of a sliding day frees some of itself every hour.
LIMITS = {
    "quotaError": 3600.0,
    "quotaError.RESOURCE_TEMPORARILY_EXHAUSTED": 30.0,
    "quotaError.EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION": 300.0,
    "RESOURCE_EXHAUSTED": 300.0,  # told in front of the Ads service, of no named quota
}
# Those of one customer, unless Google says otherwise; the rest are the project's.
CUSTOMER_LIMITS = frozenset(
    {
        "quotaError.RESOURCE_TEMPORARILY_EXHAUSTED",
        "quotaError.EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION",
        "quotaError.EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION",
    }
)
SCOPES = {"ACCOUNT": Scope.AD_ACCOUNT, "DEVELOPER": Scope.APP}

# The gRPC status that an HTTP status stands for, where nothing else tells it.
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

# What Google says where it has no name for this version of its API: its family decides, and it is counted.
NAMELESS = (".UNKNOWN", ".UNSPECIFIED", ".ERROR_CODE_NOT_PUBLISHED")

WORDS: dict[type[ProviderError], str] = {
    AccessDenied: "Google does not permit the grant to read this customer",
    CursorExpired: "Google forgot the page token",
    FieldGone: "Google no longer has a field that AdTiger asks for: set GOOGLE_API_VERSION to a version that "
    "has it, or bring AdTiger up to date",
    InvalidRequest: "Google calls the request invalid",
    PlatformFault: "Google failed for a moment",
    RangeTooOld: "Google keeps figures of single days for 37 months: ask for later days",
    ReconnectNeeded: "Google no longer accepts the grant: connect the ad account again",
    TooMuchData: "Google asks for a narrower query",
    VersionEnded: "Google has ended the version of its API that GOOGLE_API_VERSION names: set a newer one",
    UnknownError: "Google answered with an error that AdTiger does not know",
}


# What says more than its kind does.
PHRASES = {
    "queryError.REQUESTED_METRICS_FOR_MANAGER": "A manager has no metrics of its own: read its customers",
}


def usage_of(headers: Mapping[str, str]) -> Usage:
    """Google's headers tell no usage."""
    return Usage()


def error_of(status: int, body: Any, headers: Mapping[str, str]) -> ProviderError:
    """The error that an answer tells of: an object, or the array in which a stream wraps it."""
    error = _error(body)
    if not error:
        return Unreachable(f"Google answered {status} without an error", http_status=status)
    code = error["code"] if type(error.get("code")) is int else status
    names, item = _names(error, code)
    facts: dict[str, Any] = {
        "platform_code": plain(_label(names[0], item)),
        "http_status": code,
        "trace_id": plain(headers.get("request-id") or _detail(error, "requestId")),
    }
    kind = _first(RULES, names)
    if kind is None and (seconds := _first(LIMITS, names)) is not None:
        delay = _delay(error, item, headers)
        return _limit(names[0], item, delay or seconds, facts)
    facts["is_known"] = kind is not None and not names[0].endswith(NAMELESS)
    kind = kind or (PlatformFault if code >= 500 else UnknownError)
    if kind is FieldGone:
        facts["field"] = _field(item)
    words = PHRASES.get(names[0], WORDS[kind])
    return kind(f"{words} ({facts['platform_code']})", **facts)


def is_renewable(error: ProviderError) -> bool:
    """Whether a new access token may cure it.

    Whether the token or the whole grant has ended, Google's names do not tell reliably, and a server in
    front of it may answer without one; its token service tells.
    """
    of_token = isinstance(error, ReconnectNeeded) or (
        isinstance(error, Unreachable) and error.http_status == 401
    )
    return of_token and error.platform_code not in OF_THE_USER


def _label(name: str, item: Mapping[str, Any]) -> str:
    """With Google's hint at an error that has no public name."""
    hint = _object(item.get("details")).get("unpublishedErrorCode")
    return f"{name}:{hint}" if hint else name


def _field(item: Mapping[str, Any]) -> str:
    """What Google names between quotes, if it is a name."""
    found = re.search(r"'([a-z_.]{1,80})'", str(item.get("message", "")))
    return found[1] if found else ""


def _limit(name: str, item: Mapping[str, Any], seconds: float, facts: dict[str, Any]) -> LimitReached:
    quota = _object(_object(item.get("details")).get("quotaErrorDetails"))
    by_default = Scope.AD_ACCOUNT if name in CUSTOMER_LIMITS else Scope.APP
    scope = SCOPES.get(str(quota.get("rateScope")), by_default)
    whose = "the project" if scope is Scope.APP else "this customer"
    return LimitReached(
        f"Google allows {whose} no more operations for now ({facts['platform_code']})",
        retry_after=seconds,
        scope=scope,
        **facts,
    )


def _delay(error: Mapping[str, Any], item: Mapping[str, Any], headers: Mapping[str, str]) -> float:
    """The longest that Google asks for: of the quota, of google.rpc's RetryInfo, of HTTP; zero for none."""
    quota = _object(_object(item.get("details")).get("quotaErrorDetails"))
    told = (quota.get("retryDelay"), _detail(error, "retryDelay"), headers.get("retry-after"))
    return max(_seconds(text) for text in told)


def _error(body: Any) -> dict[str, Any]:
    if isinstance(body, list):
        body = next((part for part in body if isinstance(part, dict) and "error" in part), {})
    return _object(_object(body).get("error"))


def _names(error: Mapping[str, Any], code: int) -> tuple[list[str], Mapping[str, Any]]:
    """What the error is called, the most exact name first, and the Ads service's own entry of it.

    Of several errors the first that the tables know counts. What stands in front of the service has a
    reason and a status, or only an HTTP status, which means a status as well.
    """
    found = [
        ([f"{family}.{name}", str(family)], item)
        for item in _entries(error)
        for family, name in _object(item.get("errorCode")).items()
    ]
    if found:
        return next((one for one in found if _is_known(one[0])), found[0])
    status = str(error.get("status") or STATUSES.get(code, code))
    return list(filter(None, (_detail(error, "reason"), status))), {}


def _is_known(names: list[str]) -> bool:
    return _first(RULES, names) is not None or _first(LIMITS, names) is not None


def _entries(error: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The Ads service's own; a spent quota first, for then nothing else matters yet."""
    entries = [item for detail in _objects(error.get("details")) for item in _objects(detail.get("errors"))]
    return sorted(entries, key=lambda item: "quotaError" not in _object(item.get("errorCode")))


def _detail(error: Mapping[str, Any], name: str) -> str:
    return next((str(detail[name]) for detail in _objects(error.get("details")) if detail.get(name)), "")


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _first(table: Mapping[str, T], names: list[str]) -> T | None:
    return next((table[name] for name in names if name in table), None)


def _seconds(text: object) -> float:
    """`40591s`, `1.5s`, of HTTP `30`; zero when it is none: a date, nothing, no number of seconds."""
    number = str(text).removesuffix("s")
    return float(number) if re.fullmatch(r"\d{1,9}(\.\d+)?", number) else 0.0
