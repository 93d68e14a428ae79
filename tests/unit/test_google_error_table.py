"""Every row of Google's error table: what a name becomes, whom it concerns, how long it rests."""

from typing import Any

import pytest

from providers.breaker.breaker import says_down
from providers.errors import (
    AccessDenied,
    Category,
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
)
from providers.google.errors import LIMITS, RULES, STATUSES, error_of
from providers.google.oauth import RULES as OAUTH_RULES
from providers.google.oauth import _error_of as oauth_error_of

# family.NAME: the HTTP status that it comes with, and the class
NAMES: dict[str, tuple[int, type[ProviderError]]] = {
    "queryError.UNRECOGNIZED_FIELD": (400, FieldGone),
    "queryError.BAD_FIELD_NAME": (400, InvalidRequest),
    "queryError.REQUESTED_METRICS_FOR_MANAGER": (400, InvalidRequest),
    "queryError.PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE": (400, InvalidRequest),
    "queryError.EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE": (400, InvalidRequest),
    "queryError.EXPECTED_FILTERS_ON_DATE_RANGE": (400, InvalidRequest),
    "queryError.LIMIT_NOT_SPECIFIED": (400, InvalidRequest),
    "queryError.FILTER_HAS_TOO_MANY_VALUES": (400, TooMuchData),
    "requestError.INVALID_CUSTOMER_ID": (400, InvalidRequest),
    "requestError.PAGE_SIZE_NOT_SUPPORTED": (400, InvalidRequest),
    "requestError.EXPIRED_PAGE_TOKEN": (400, CursorExpired),
    "requestError.INVALID_PAGE_TOKEN": (400, CursorExpired),
    "requestError.RPC_DEADLINE_TOO_SHORT": (504, TooMuchData),
    "requestError.UNSUPPORTED_VERSION": (400, VersionEnded),
    "dateRangeError.REQUESTED_DATE_GRANULARITY_NOT_SUPPORTED": (400, RangeTooOld),
    "dateError.INVALID_FIELD_VALUES_IN_DATE": (400, InvalidRequest),
    "changeStatusError.START_DATE_TOO_OLD": (400, InvalidRequest),
    "changeStatusError.CHANGE_DATE_RANGE_INFINITE": (400, InvalidRequest),
    "changeEventError.INVALID_LIMIT_CLAUSE": (400, InvalidRequest),
    "fieldError.REQUIRED": (400, InvalidRequest),
    "headerError.INVALID_LOGIN_CUSTOMER_ID": (400, InvalidRequest),
    "sizeLimitError.RESPONSE_SIZE_LIMIT_EXCEEDED": (400, TooMuchData),
    "authenticationError.OAUTH_TOKEN_EXPIRED": (401, ReconnectNeeded),
    "authenticationError.OAUTH_TOKEN_INVALID": (401, ReconnectNeeded),
    "authenticationError.OAUTH_TOKEN_REVOKED": (401, ReconnectNeeded),
    "authenticationError.OAUTH_TOKEN_DISABLED": (401, ReconnectNeeded),
    "authenticationError.OAUTH_TOKEN_HEADER_INVALID": (401, ReconnectNeeded),
    "authenticationError.NOT_ADS_USER": (401, ReconnectNeeded),
    "authenticationError.GOOGLE_ACCOUNT_DELETED": (401, ReconnectNeeded),
    "authenticationError.TWO_STEP_VERIFICATION_NOT_ENROLLED": (401, ReconnectNeeded),
    "authenticationError.ADVANCED_PROTECTION_NOT_ENROLLED": (401, ReconnectNeeded),
    "authenticationError.CUSTOMER_NOT_FOUND": (401, AccessDenied),
    "authenticationError.DEVELOPER_TOKEN_INVALID": (401, InvalidRequest),
    "authenticationError.CLIENT_CUSTOMER_ID_INVALID": (401, InvalidRequest),
    "authenticationError.CLIENT_CUSTOMER_ID_IS_REQUIRED": (401, InvalidRequest),
    "authorizationError.USER_PERMISSION_DENIED": (403, AccessDenied),
    "authorizationError.CUSTOMER_NOT_ENABLED": (403, AccessDenied),
    "authorizationError.INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION": (403, AccessDenied),
    "authorizationError.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION": (403, AccessDenied),
    "authorizationError.DEVELOPER_TOKEN_NOT_APPROVED": (403, AccessDenied),
    "authorizationError.ACTION_NOT_PERMITTED": (403, AccessDenied),
    "authorizationError.METRIC_ACCESS_DENIED": (403, AccessDenied),
    "authorizationError.ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT": (403, AccessDenied),
    "quotaError.ACCESS_PROHIBITED": (403, AccessDenied),
    "internalError.INTERNAL_ERROR": (500, PlatformFault),
    "internalError.TRANSIENT_ERROR": (500, PlatformFault),
    "internalError.DEADLINE_EXCEEDED": (500, PlatformFault),
    "databaseError.CONCURRENT_MODIFICATION": (409, PlatformFault),
    "somethingNewError.NOT_SEEN_YET": (400, UnknownError),
    "anotherNewError.NOT_SEEN_YET": (500, PlatformFault),
}

# What stands in front of the Ads service says: a gRPC status, or a reason beside it.
FRONT: dict[str, tuple[int, type[ProviderError]]] = {
    "INVALID_ARGUMENT": (400, InvalidRequest),
    "FAILED_PRECONDITION": (400, InvalidRequest),
    "OUT_OF_RANGE": (400, InvalidRequest),
    "UNAUTHENTICATED": (401, ReconnectNeeded),
    "PERMISSION_DENIED": (403, AccessDenied),
    "NOT_FOUND": (404, VersionEnded),
    "ABORTED": (409, PlatformFault),
    "RESOURCE_EXHAUSTED": (429, LimitReached),
    "CANCELLED": (499, PlatformFault),
    "INTERNAL": (500, PlatformFault),
    "DATA_LOSS": (500, PlatformFault),
    "UNIMPLEMENTED": (501, VersionEnded),
    "UNAVAILABLE": (503, PlatformFault),
    "DEADLINE_EXCEEDED": (504, PlatformFault),
}
REASONS: dict[str, tuple[str, type[ProviderError]]] = {
    "ACCESS_TOKEN_EXPIRED": ("UNAUTHENTICATED", ReconnectNeeded),
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": ("PERMISSION_DENIED", ReconnectNeeded),
    "SERVICE_DISABLED": ("PERMISSION_DENIED", InvalidRequest),
    "CONSUMER_SUSPENDED": ("PERMISSION_DENIED", InvalidRequest),
    "CONSUMER_INVALID": ("PERMISSION_DENIED", InvalidRequest),
    "RATE_LIMIT_EXCEEDED": ("RESOURCE_EXHAUSTED", LimitReached),
    "NEVER_HEARD_OF": ("PERMISSION_DENIED", AccessDenied),
}

ACCOUNT, PROJECT = Scope.AD_ACCOUNT, Scope.APP
LIMIT_ROWS: list[tuple[str, str | None, str | None, Scope, float]] = [
    # name, rateScope, retryDelay -> scope, seconds
    ("RESOURCE_EXHAUSTED", "DEVELOPER", "40591s", PROJECT, 40_591),
    ("RESOURCE_EXHAUSTED", "ACCOUNT", "30s", ACCOUNT, 30),
    ("RESOURCE_EXHAUSTED", None, None, PROJECT, 3600),
    ("RESOURCE_TEMPORARILY_EXHAUSTED", None, None, ACCOUNT, 30),
    ("RESOURCE_TEMPORARILY_EXHAUSTED", "DEVELOPER", "5s", PROJECT, 5),
    ("EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION", None, None, ACCOUNT, 300),
    ("EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION", None, None, ACCOUNT, 3600),
    ("NOT_SEEN_YET", "ACCOUNT", None, ACCOUNT, 3600),
]


def entry(name: str, **more: Any) -> dict[str, Any]:
    family, _, value = name.partition(".")
    return {"errorCode": {family: value}, "message": "…", **more}


def failure(code: int, *entries: Any, **more: Any) -> dict[str, Any]:
    """An error of the Ads service, as it stands on the wire."""
    kind = "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure"
    detail = {"@type": kind, "errors": list(entries), "requestId": "R1"}
    return {"error": {"code": code, "message": "…", "details": [detail], **more}}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_becomes_its_class(name: str) -> None:
    status, kind = NAMES[name]

    error = error_of(status, failure(status, entry(name)), {})

    assert type(error) is kind
    assert (error.platform_code, error.http_status, error.trace_id) == (name, status, "R1")
    assert error.is_known == ("NewError" not in name)
    assert says_down(error) == (kind is PlatformFault and status >= 500)


@pytest.mark.parametrize("status", FRONT)
def test_a_status_of_what_stands_in_front_becomes_its_class(status: str) -> None:
    code, kind = FRONT[status]

    error = error_of(code, {"error": {"code": code, "status": status, "message": "…"}}, {"request-id": "R2"})

    assert type(error) is kind
    assert (error.platform_code, error.trace_id, error.is_known) == (status, "R2", True)


@pytest.mark.parametrize("code", STATUSES)
def test_an_http_status_alone_says_as_much_as_its_grpc_status(code: int) -> None:
    error = error_of(code, {"error": {"code": code}}, {})

    assert type(error) is FRONT[STATUSES[code]][1]


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_goes_before_its_status(reason: str) -> None:
    status, kind = REASONS[reason]
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}

    error = error_of(FRONT[status][0], {"error": {"status": status, "details": [info]}}, {})

    assert (type(error), error.platform_code) == (kind, reason)


@pytest.mark.parametrize(("name", "scope", "delay", "rests", "seconds"), LIMIT_ROWS)
def test_a_quota_rests_whom_it_is_about(
    name: str, scope: str | None, delay: str | None, rests: Scope, seconds: float
) -> None:
    quota = {key: value for key, value in (("rateScope", scope), ("retryDelay", delay)) if value}
    details = {"details": {"quotaErrorDetails": quota}} if quota else {}

    error = error_of(429, failure(429, entry(f"quotaError.{name}", **details)), {})

    assert isinstance(error, LimitReached)
    assert (error.scope, error.retry_after, error.category) == (rests, seconds, Category.RATE_LIMIT)
    assert not says_down(error)


def test_the_tables_here_name_everything_that_the_code_knows() -> None:
    names = {*NAMES, *FRONT, *REASONS, *(name.partition(".")[0] for name in NAMES)}
    limits = {f"quotaError.{row[0]}" for row in LIMIT_ROWS} | {"quotaError", "RESOURCE_EXHAUSTED"}

    assert set(RULES) <= names
    assert set(LIMITS) <= limits


def test_of_several_errors_a_quota_counts_and_then_the_first_that_is_known() -> None:
    unknown, query = entry("somethingNewError.NOT_SEEN_YET"), entry("queryError.UNRECOGNIZED_FIELD")
    quota = entry("quotaError.RESOURCE_EXHAUSTED")

    assert error_of(400, failure(400, unknown, query), {}).code == "field_gone"
    assert error_of(400, failure(400, query, unknown), {}).code == "field_gone"
    assert error_of(429, failure(429, query, quota), {}).code == "limit_reached"
    assert error_of(400, failure(400, unknown, unknown), {}).code == "unknown_error"


def test_a_field_that_is_gone_is_named_where_google_names_it() -> None:
    told, untold = entry("queryError.UNRECOGNIZED_FIELD"), entry("queryError.UNRECOGNIZED_FIELD")
    told["message"] = "Unrecognized field in the query: 'campaign.start_date'."

    assert getattr(error_of(400, failure(400, told), {}), "field", None) == "campaign.start_date"
    assert getattr(error_of(400, failure(400, untold), {}), "field", None) == ""


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("authorizationError.UNKNOWN", AccessDenied),
        ("queryError.UNSPECIFIED", InvalidRequest),
        ("internalError.ERROR_CODE_NOT_PUBLISHED", PlatformFault),
    ],
)
def test_an_error_without_a_public_name_is_its_familys_and_unknown(
    name: str, kind: type[ProviderError]
) -> None:
    error = error_of(400, failure(400, entry(name, details={"unpublishedErrorCode": "NEW_THING"})), {})

    assert (type(error), error.platform_code, error.is_known) == (kind, f"{name}:NEW_THING", False)
    assert error_of(400, failure(400, entry(name)), {}).platform_code == name


def test_foreign_details_stand_in_no_way() -> None:
    body = failure(403, entry("authorizationError.CUSTOMER_NOT_ENABLED"))
    body["error"]["details"][:0] = [
        {"@type": "type.googleapis.com/google.rpc.DebugInfo", "stackEntries": []},
        {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"url": "https://example.org"}]},
        None,
        "text",
    ]

    error = error_of(403, body, {})

    assert (error.code, error.trace_id) == ("access_denied", "R1")


@pytest.mark.parametrize(
    "details", [None, "text", 7, {}, [[]], [{"errors": None}], [{"errors": ["x", None]}], [{"errors": [{}]}]]
)
def test_details_of_any_form_leave_the_status(details: Any) -> None:
    error = error_of(503, {"error": {"code": 503, "status": "UNAVAILABLE", "details": details}}, {})

    assert (error.code, error.http_status) == ("platform_fault", 503)


@pytest.mark.parametrize(
    "item",
    [
        {"errorCode": None},
        {"errorCode": {"quotaError": None}, "details": None},
        {
            "errorCode": {"quotaError": ["x"]},
            "details": {"quotaErrorDetails": {"retryDelay": {}, "rateScope": []}},
        },
    ],
)
def test_entries_of_any_form_are_read(item: dict[str, Any]) -> None:
    assert error_of(429, failure(429, item, status="RESOURCE_EXHAUSTED"), {}).code == "limit_reached"


def test_an_error_in_a_streams_array_counts_wherever_it_stands() -> None:
    body = [{"results": []}, failure(500, entry("internalError.INTERNAL_ERROR"))]

    error = error_of(200, body, {})

    assert (error.code, error.http_status) == ("platform_fault", 500)


@pytest.mark.parametrize(
    "body", [None, [], {}, "text", 7, [1], {"error": None}, {"error": "text"}, [{"error": []}]]
)
def test_an_answer_without_an_error_object_is_unusable(body: Any) -> None:
    error = error_of(502, body, {})

    assert (type(error), error.http_status) == (Unreachable, 502)


def test_what_google_names_can_be_stored_whatever_it_holds() -> None:
    error = error_of(400, failure(400, entry("new\0Error." + "é" * 500)), {"request-id": "R\n2"})

    assert error.platform_code == "new?Error." + "?" * 70
    assert error.trace_id == "R?2"


@pytest.mark.parametrize("code", OAUTH_RULES)
def test_the_token_services_errors_become_their_class(code: str) -> None:
    error = oauth_error_of(400, {"error": code, "error_description": "Token ya29.secret has been revoked."})

    assert (type(error), error.platform_code, error.is_known) == (OAUTH_RULES[code], code, True)
    assert "ya29" not in str(error)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, {"error": "new_word"}, UnknownError, "new_word"),
        (503, {"error": "new_word"}, PlatformFault, "new_word"),
        (500, {}, PlatformFault, "500"),
        (403, [], UnknownError, "403"),
        (400, {"error": {"code": 400}}, UnknownError, "{'code':?400}"),
    ],
)
def test_unknown_words_of_the_token_service_are_told_apart(
    status: int, body: Any, kind: type[ProviderError], code: str
) -> None:
    error = oauth_error_of(status, body)

    assert (type(error), error.platform_code, error.is_known) == (kind, code, False)
