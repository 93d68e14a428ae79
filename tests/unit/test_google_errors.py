"""Google's errors become what the caller has to do, by family and name, or by gRPC status."""

from typing import Any

import pytest

from providers.base import Usage
from providers.errors import LimitReached, ProviderError, Scope
from providers.google.errors import LIMITS, RULES, WORDS, error_of, usage_of
from tests.payloads import lines

PAYLOADS = {payload["name"]: payload for payload in lines("google_errors.jsonl")}


def limit(name: str) -> LimitReached:
    payload = PAYLOADS[name]
    error = error_of(payload["status"], payload["body"], {})
    assert isinstance(error, LimitReached)
    return error


@pytest.mark.parametrize("name", PAYLOADS)
def test_an_answer_becomes_the_error_of_its_names(name: str) -> None:
    payload = PAYLOADS[name]

    error = error_of(payload["status"], payload["body"], {})

    assert error.code == payload["expected"]
    assert error.http_status == payload["status"]


@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_the_http_status_decides_nothing_that_a_name_decides(status: int) -> None:
    body = PAYLOADS["authenticationError.OAUTH_TOKEN_REVOKED"]["body"]

    assert error_of(status, body, {}).code == "reconnect_needed"


def test_the_recorded_daily_quota_rests_the_project_for_eleven_hours() -> None:
    error = limit("daily_ops_exhausted_basic")

    assert (error.retry_after, error.scope) == (40_591, Scope.APP)
    assert error.platform_code == "quotaError.RESOURCE_EXHAUSTED"


@pytest.mark.parametrize(
    ("name", "seconds", "scope"),
    [
        ("daily_ops_exhausted_explorer", 86_399, Scope.APP),
        ("project_queries_per_second", 5, Scope.APP),
        ("customer_query_resources", 900, Scope.AD_ACCOUNT),
        ("quota_of_unknown_scope", 60, Scope.APP),
        ("quota_beside_another_error", 120, Scope.APP),
        ("front_RetryInfo", 17.5, Scope.APP),
        ("queries_per_second_RetryInfo", 17.5, Scope.AD_ACCOUNT),
        ("quota_with_a_delay_that_is_none", 3600, Scope.APP),
    ],
)
def test_what_google_says_decides_how_long_what_rests(name: str, seconds: float, scope: Scope) -> None:
    error = limit(name)

    assert (error.retry_after, error.scope) == (seconds, scope)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("45", 45), ("Wed, 21 Oct 2026 07:28:00 GMT", 300), ("nan", 300), ("inf", 300), ("-5", 300), ("0", 300)],
)
def test_what_stands_in_front_of_the_service_may_tell_the_delay_in_a_header(
    header: str, seconds: float
) -> None:
    payload = PAYLOADS["front_RESOURCE_EXHAUSTED"]

    error = error_of(payload["status"], payload["body"], {"retry-after": header})

    assert isinstance(error, LimitReached)
    assert error.retry_after == seconds


def test_a_customers_quota_rests_the_customer() -> None:
    error = limit("customer_quota")

    assert (error.retry_after, error.scope) == (30, Scope.AD_ACCOUNT)


@pytest.mark.parametrize(
    ("name", "seconds", "scope"),
    [
        ("quota_without_details", 3600, Scope.APP),
        ("quotaError.RESOURCE_TEMPORARILY_EXHAUSTED", 30, Scope.AD_ACCOUNT),
        ("quotaError.EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION", 300, Scope.AD_ACCOUNT),
        ("quotaError.EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION", 3600, Scope.AD_ACCOUNT),
        ("front_RESOURCE_EXHAUSTED", 300, Scope.APP),
    ],
)
def test_a_limit_without_a_delay_rests_for_its_own_time(name: str, seconds: int, scope: Scope) -> None:
    error = limit(name)

    assert (error.retry_after, error.scope) == (seconds, scope)


def test_support_gets_the_request_id_from_the_header_or_the_body() -> None:
    body = PAYLOADS["authorizationError.USER_PERMISSION_DENIED"]["body"]

    assert error_of(403, body, {"request-id": "from-the-header"}).trace_id == "from-the-header"
    assert error_of(403, body, {}).trace_id == "handwritten"


def test_an_error_inside_a_good_stream_has_its_own_status() -> None:
    body = PAYLOADS["internalError.INTERNAL_ERROR"]["body"]

    assert error_of(200, body, {}).http_status == 500


def test_googles_own_text_stays_out_of_the_message() -> None:
    error: dict[str, Any] = {"code": 401, "status": "UNAUTHENTICATED", "message": "token ya29.secret is bad"}

    assert "ya29" not in str(error_of(401, {"error": error}, {}))


@pytest.mark.parametrize("name", ["somethingNewError.NOT_SEEN_YET", "unknown_family_with_500"])
def test_an_unknown_family_is_told_apart_by_its_name(name: str) -> None:
    payload = PAYLOADS[name]

    error = error_of(payload["status"], payload["body"], {})

    assert (error.is_known, error.platform_code) == (False, "somethingNewError.NOT_SEEN_YET")


def test_every_class_in_the_table_has_words() -> None:
    assert {*RULES.values()} <= {*WORDS}
    assert all(issubclass(kind, ProviderError) for kind in RULES.values())
    assert not set(RULES) & set(LIMITS)


def test_googles_headers_tell_no_usage() -> None:
    assert usage_of({"request-id": "x"}) == Usage()
