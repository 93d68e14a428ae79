"""Every row of Meta's error table: what a code becomes, whom it concerns, and how long it rests."""

from typing import Any, NamedTuple

import pytest

from providers.breaker.breaker import says_down
from providers.errors import (
    RETRYABLE,
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
    VersionEnded,
)
from providers.meta.errors import LIMITS, RULES, TEXTS, error_of

AD_ACCOUNT, USE_CASE, APP = Scope.AD_ACCOUNT, Scope.USE_CASE, Scope.APP
HOUR, DAY = 3600, 86_400


class Row(NamedTuple):
    """One code as Meta sends it, and what it becomes."""

    code: int
    subcode: int
    status: int
    kind: type[ProviderError]
    more: dict[str, Any] = {}  # of the error object; never changed


class Limit(NamedTuple):
    """One limit, told without any usage header."""

    code: int
    subcode: int
    status: int
    scope: Scope
    seconds: float
    use_case: str = ""


REDUCE = {"message": "Please reduce the amount of data you're asking for, then retry your request"}
SUMMARY = {
    "message": "Cannot include impressions in summary param because they weren't there while creating the "
    "report run"
}
GONE = {"message": "(#100) Tried accessing nonexisting field (spend_cap) on node type (AdCampaignGroup)"}
GONE_METRICS = {"message": "(#100) age_targeting, labels are not valid for fields param after V19.0."}
LASTING, PASSING = {"is_transient": False}, {"is_transient": True}

TABLE = [
    # 1: unknown, passes; the profile that is not linked, and what Meta calls lasting, do not
    Row(1, 0, 500, PlatformFault),
    Row(1, 99, 500, PlatformFault),
    Row(1, 99, 500, PlatformFault, LASTING),
    Row(1, 0, 400, PlatformFault, PASSING),
    Row(1, 0, 400, PlatformFault),
    Row(1, 0, 400, InvalidRequest, LASTING),
    Row(1, 2853001, 400, AccessDenied, LASTING),
    Row(1, 0, 500, TooMuchData, REDUCE),
    Row(1, 99, 400, TooMuchData, {**REDUCE, **LASTING}),
    # 2: down for a moment, whatever `is_transient` says
    Row(2, 0, 400, PlatformFault, LASTING),
    Row(2, 0, 500, PlatformFault, PASSING),
    Row(2, 0, 503, PlatformFault, LASTING),
    # insights
    Row(2, 1504041, 400, InvalidRequest),
    Row(2, 1504042, 400, InvalidRequest),
    Row(100, 3191001, 400, InvalidRequest),
    Row(2, 1504038, 400, TooMuchData),
    Row(2, 1504038, 500, TooMuchData),
    Row(100, 1504018, 400, TooMuchData),
    Row(-3, 1504045, 500, TooMuchData),
    Row(2, 1504044, 400, PlatformFault),
    Row(2, 1504043, 400, PlatformFault),
    Row(2, 1504043, 500, PlatformFault),
    Row(-2, 2490547, 400, PlatformFault),
    Row(3018, 0, 400, RangeTooOld),
    # permissions and capabilities
    *[Row(code, 0, status, AccessDenied) for code in (3, 10, *range(200, 300)) for status in (400, 403)],
    # parameters
    Row(100, 0, 400, InvalidRequest),
    Row(100, 0, 400, InvalidRequest, {"message": "(#100) Missing permissions"}),
    Row(100, 0, 400, InvalidRequest, {"message": "Invalid appsecret_proof provided in the API argument"}),
    Row(100, 33, 400, AccessDenied),
    Row(100, 1487534, 400, TooMuchData),
    Row(100, 0, 400, PlatformFault, SUMMARY),
    Row(100, 0, 400, FieldGone, GONE),
    Row(100, 0, 400, FieldGone, GONE_METRICS),
    # tokens
    *[Row(190, subcode, 400, ReconnectNeeded) for subcode in (0, 458, 459, 460, 463, 464, 467, 492, 999)],
    Row(190, 463, 401, ReconnectNeeded),
    Row(102, 0, 400, ReconnectNeeded),
    Row(102, 463, 401, ReconnectNeeded),
    # the application itself
    Row(101, 0, 400, InvalidRequest),
    Row(104, 0, 400, InvalidRequest),
    Row(506, 1609005, 400, InvalidRequest),
    Row(2500, 0, 400, InvalidRequest),
    Row(2635, 0, 400, VersionEnded),
    # what passes, or begins again
    Row(960, 0, 400, PlatformFault),
    Row(2601, 1815107, 400, PlatformFault, PASSING),
    Row(2642, 0, 400, CursorExpired),
    # in no table
    Row(987654, 0, 400, UnknownError),
    Row(-1, 0, 400, UnknownError),
    Row(987654, 0, 400, PlatformFault, PASSING),
    Row(987654, 0, 500, PlatformFault),
    Row(987654, 1, 403, UnknownError, LASTING),
]

REFUSALS = [
    *[Limit(4, subcode, status, APP, 900) for subcode in (0, 1504022, 1504039) for status in (400, 403)],
    Limit(17, 2446079, 400, AD_ACCOUNT, 300),
    Limit(17, 0, 403, AD_ACCOUNT, 300),
    Limit(32, 0, 403, AD_ACCOUNT, 900),
    Limit(341, 0, 400, APP, 900),
    Limit(368, 0, 400, AD_ACCOUNT, DAY),
    Limit(613, 1487742, 400, AD_ACCOUNT, 300),
    Limit(613, 0, 403, AD_ACCOUNT, 300),
    Limit(80000, 2446079, 400, USE_CASE, HOUR, "ads_insights"),
    Limit(80001, 0, 400, USE_CASE, HOUR, "pages"),
    Limit(80002, 0, 400, USE_CASE, HOUR, "instagram"),
    Limit(80003, 0, 400, USE_CASE, HOUR, "custom_audience"),
    Limit(80004, 2446079, 400, USE_CASE, HOUR, "ads_management"),
    Limit(80005, 0, 400, USE_CASE, HOUR, "leadgen"),
    Limit(80006, 0, 400, USE_CASE, HOUR, "messenger"),
    Limit(80008, 0, 400, USE_CASE, HOUR, "whatsapp"),
    Limit(80009, 0, 400, USE_CASE, HOUR, "catalog_management"),
    Limit(80014, 0, 400, USE_CASE, HOUR, "catalog_batch"),
]

# What comes next: the category that people are shown, and whether a run tries again.
NEXT: dict[type[ProviderError], tuple[Category, bool]] = {
    AccessDenied: (Category.API_ERROR, False),
    CursorExpired: (Category.UNKNOWN, True),
    FieldGone: (Category.VALIDATION_ERROR, False),
    InvalidRequest: (Category.VALIDATION_ERROR, False),
    PlatformFault: (Category.UNKNOWN, True),
    RangeTooOld: (Category.VALIDATION_ERROR, False),
    ReconnectNeeded: (Category.API_ERROR, False),
    TooMuchData: (Category.UNKNOWN, True),
    UnknownError: (Category.UNKNOWN, True),
    VersionEnded: (Category.VALIDATION_ERROR, False),
}


def told(row: Row | Limit, **more: Any) -> ProviderError:
    error = {"code": row.code, "type": "OAuthException", "fbtrace_id": "A1", **more}
    if row.subcode:
        error["error_subcode"] = row.subcode
    return error_of(row.status, {"error": error}, {})


@pytest.mark.parametrize(
    "row", TABLE, ids=lambda row: f"{row.code}/{row.subcode}-{row.status}-{row.kind.code}"
)
def test_a_code_becomes_its_class(row: Row) -> None:
    error = told(row, **row.more)

    category, is_retried = NEXT[row.kind]
    assert type(error) is row.kind
    assert (error.category, error.http_status, error.trace_id) == (category, row.status, "A1")
    assert isinstance(error, (*RETRYABLE, CursorExpired)) == is_retried
    assert error.platform_code == (f"{row.code}/{row.subcode}" if row.subcode else f"{row.code}")
    assert error.is_known == (row.code not in (987654, -1))
    assert says_down(error) == (row.kind is PlatformFault and row.status >= 500)


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: f"{row.code}/{row.subcode}-{row.status}")
def test_a_limit_rests_what_it_is_about_for_its_documented_time(row: Limit) -> None:
    error = told(row)

    assert isinstance(error, LimitReached)
    assert (error.scope, error.retry_after, error.use_case) == (row.scope, row.seconds, row.use_case)
    assert (error.category, error.http_status) == (Category.RATE_LIMIT, row.status)
    assert not says_down(error)


def test_the_table_here_names_every_code_that_the_code_knows() -> None:
    tested = {row.code for row in TABLE} | {row.code for row in REFUSALS}
    known = {code if isinstance(code, int) else code[0] for code in RULES}

    assert known | set(LIMITS) | {code for code, _ in TEXTS} <= tested
    assert {code for code in RULES if isinstance(code, tuple)} <= {(row.code, row.subcode) for row in TABLE}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (GONE["message"], "spend_cap"),
        (GONE_METRICS["message"], "age_targeting, labels"),
        ("(#100) joy is not valid for fields param. please check", "joy"),
        ("(#100) Tried accessing nonexisting field (its owner's text)", ""),
    ],
)
def test_a_field_that_is_gone_is_named_where_the_text_holds_a_name(text: str, field: str) -> None:
    error = error_of(400, {"error": {"code": 100, "message": text}}, {})

    assert isinstance(error, FieldGone)
    assert error.field == field
    assert "META_API_VERSION" in str(error)


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        ({"code": "190", "error_subcode": "463"}, ReconnectNeeded, "190/463"),
        ({"code": True}, UnknownError, "0"),
        ({"code": None, "error_subcode": None}, UnknownError, "0"),
        ({"code": 4.0}, UnknownError, "0"),
        ({"code": [190]}, UnknownError, "0"),
        ({"code": 10**30}, UnknownError, "1" + "0" * 30),
        ({"code": 190, "message": None, "error_data": "[]"}, ReconnectNeeded, "190"),
        ({"code": 1, "message": {"no": "text"}}, PlatformFault, "1"),
        ({}, UnknownError, "0"),
    ],
)
def test_odd_error_objects_are_read_as_far_as_they_go(
    error: dict[str, Any], kind: type[ProviderError], code: str
) -> None:
    found = error_of(400, {"error": error}, {})

    assert (type(found), found.platform_code) == (kind, code)


def test_what_meta_calls_its_trace_can_be_stored_whatever_it_holds() -> None:
    error = error_of(400, {"error": {"code": 190, "fbtrace_id": "A\0é\ud800" + "x" * 500}}, {})

    assert error.trace_id == "A???" + "x" * 76
