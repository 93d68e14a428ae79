"""Every kind of fault, at both platforms: what a client that knows only HTTP sees of it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from requests.exceptions import ChunkedEncodingError, ConnectionError, ReadTimeout

from providers.sandbox.constants import Platform
from providers.sandbox.fault_kinds import FaultKind
from providers.sandbox.process import Sandbox
from tests.integration.sandbox_callers import Ads, Graph, open_account

pytest_plugins = "tests.integration.sandbox_fixtures"

PATIENCE = 0.4  # seconds that these callers wait for a byte where silence is expected
TIMEOUT = 20  # and where something has to come, however busy the machine is
QUERY = "SELECT ad_group_ad.ad.id FROM ad_group_ad"
OK = "200 whole"
FOR_GOOD = ("access_denied", "too_much_data", "token_expired", "token_revoked")

Fault = dict[str, Any]
# A fault, and what is seen of it at Meta and at Google; None where it is not the platform's.
TABLE: list[tuple[Fault, str | None, str | None]] = [
    # in front of the platform
    ({"kind": "html"}, "502 no JSON", "502 no JSON"),
    ({"kind": "html", "status": 503}, "503 no JSON", "503 no JSON"),
    ({"kind": "html", "status": 504}, "504 no JSON", "504 no JSON"),
    ({"kind": "html", "status": 429}, "429 no JSON", "429 no JSON"),
    ({"kind": "html", "status": 200}, "200 no JSON", "200 no JSON"),
    ({"kind": "redirect"}, "302 to https://elsewhere.invalid/", "302 to https://elsewhere.invalid/"),
    ({"kind": "redirect", "status": 307, "url": "/x"}, "307 to /x", "307 to /x"),
    # on the way
    ({"kind": "cut"}, "no answer", "no answer"),
    ({"kind": "cut", "headers": True}, "200 cut after nothing", "200 cut after nothing"),
    ({"kind": "cut", "parts": 1}, "200 cut after a part", "200 cut after a part"),
    ({"kind": "silence"}, "silence", "silence"),
    ({"kind": "silence", "headers": True}, "200 silence after nothing", "200 silence after nothing"),
    ({"kind": "silence", "parts": 1}, "200 silence after a part", "200 silence after a part"),
    ({"kind": "truncated"}, "200 no JSON", "200 no JSON"),
    ({"kind": "empty"}, "200 empty", "200 empty"),
    ({"kind": "empty", "status": 500}, "500 empty", "500 empty"),
    ({"kind": "wrong_json"}, "200 {'unexpected': True}", "200 {'unexpected': True}"),
    ({"kind": "wrong_json", "text": "Service Unavailable"}, "200 no JSON", "200 no JSON"),
    ({"kind": "wrong_length"}, "200 cut after a part", "200 cut after a part"),
    ({"kind": "wrong_length", "by": -9}, "200 no JSON", "200 no JSON"),
    ({"kind": "slow", "seconds": 0.1, "pause": 0.05}, OK, OK),
    # the platform's errors
    ({"kind": "server_error"}, "500 2", "500 internal.INTERNAL_ERROR"),
    ({"kind": "server_error", "status": 503}, "503 2", "503 UNAVAILABLE"),
    ({"kind": "server_error", "status": 504}, "504 2", "504 DEADLINE_EXCEEDED"),
    ({"kind": "platform_error"}, "400 1", "500 internal.TRANSIENT_ERROR"),
    (
        {"kind": "platform_error", "code": 1, "subcode": 99, "status": 500},
        "500 1/99",
        "500 internal.TRANSIENT_ERROR",
    ),
    (
        {"kind": "platform_error", "code": 2, "subcode": 1504044},
        "400 2/1504044",
        "500 internal.TRANSIENT_ERROR",
    ),
    (
        {
            "kind": "platform_error",
            "code": 960,
            "family": "database",
            "name": "CONCURRENT_MODIFICATION",
            "status": 400,
        },
        "400 960",
        "400 database.CONCURRENT_MODIFICATION",
    ),
    ({"kind": "unknown_error"}, "400 987654/7654321", "400 somethingNew.NOBODY_KNOWS"),
    ({"kind": "too_much_data", "rows": 10}, "500 1", None),
    # limits
    ({"kind": "rate_limit"}, "400 17/2446079", "429 quota.RESOURCE_EXHAUSTED ACCOUNT 30s"),
    ({"kind": "rate_limit", "code": 4}, "403 4/1504022", "429 quota.RESOURCE_EXHAUSTED ACCOUNT 30s"),
    ({"kind": "rate_limit", "code": 32}, "400 32", None),
    ({"kind": "rate_limit", "code": 341}, "400 341", None),
    ({"kind": "rate_limit", "code": 613}, "400 613/1487742", None),
    *(
        ({"kind": "rate_limit", "code": code, "minutes": 9}, f"400 {code}/2446079", None)
        for code in (80000, 80001, 80002, 80003, 80004, 80005, 80006, 80008, 80009, 80014)
    ),
    (
        {"kind": "rate_limit", "retry_after": 40_591, "scope": "DEVELOPER"},
        None,
        "429 quota.RESOURCE_EXHAUSTED DEVELOPER 40591s",
    ),
    ({"kind": "rate_limit", "retry_after": None}, None, "429 quota.RESOURCE_EXHAUSTED ACCOUNT None"),
    (
        {"kind": "rate_limit", "name": "RESOURCE_TEMPORARILY_EXHAUSTED"},
        None,
        "429 quota.RESOURCE_TEMPORARILY_EXHAUSTED",
    ),
    (
        {"kind": "rate_limit", "name": "RESOURCE_TEMPORARILY_EXHAUSTED", "retry_after": 5},
        None,
        "429 quota.RESOURCE_TEMPORARILY_EXHAUSTED ACCOUNT 5s",
    ),
    (
        {"kind": "rate_limit", "name": "EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION"},
        None,
        "429 quota.EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION ACCOUNT 30s",
    ),
    ({"kind": "usage"}, OK, None),
    # tokens and access
    ({"kind": "token_expired"}, "400 190/463", "401 authentication.OAUTH_TOKEN_EXPIRED"),
    ({"kind": "token_revoked"}, "400 190/460", "401 authentication.OAUTH_TOKEN_REVOKED"),
    *(({"kind": "token_revoked", "subcode": n}, f"400 190/{n}", None) for n in (458, 459, 464, 467, 492)),
    ({"kind": "access_denied"}, "403 200", "403 authorization.USER_PERMISSION_DENIED"),
    ({"kind": "access_denied", "code": 10}, "403 10", None),
    ({"kind": "access_denied", "code": 100}, "400 100/33", None),
    (
        {"kind": "access_denied", "name": "CUSTOMER_NOT_ENABLED"},
        None,
        "403 authorization.CUSTOMER_NOT_ENABLED",
    ),
    # rows and pages
    ({"kind": "stream_error", "parts": 0}, None, "200 internal.INTERNAL_ERROR"),
    ({"kind": "hide_rows", "rows": 500}, "200 whole", "200 whole"),
    ({"kind": "odd_headers"}, OK, None),
    ({"kind": "unknown_words"}, None, "200 whole"),
    ({"kind": "unknown_keys"}, None, "200 whole"),
]


def rows(platform: Platform) -> list[Any]:
    """The platform's part of the table."""
    expected = 1 if platform == Platform.META else 2
    return [
        pytest.param(row[0], row[expected], id="-".join(str(value) for value in row[0].values()))
        for row in TABLE
        if row[expected] is not None
    ]


Call = Callable[[float], requests.Response]  # with the seconds to wait for a byte


def seen(call: Call, expected: str) -> str:
    """What a client sees of an answer, in a few words."""
    try:
        answer = call(PATIENCE if "silence" in expected else TIMEOUT)
    except ReadTimeout:
        return "silence"
    except ConnectionError:
        return "no answer"
    body, end = read(answer)
    if end:
        return f"{answer.status_code} {end} after {'a part' if body else 'nothing'}"
    if answer.is_redirect:
        return f"{answer.status_code} to {answer.headers['Location']}"
    if not body:
        return f"{answer.status_code} empty"
    try:
        return f"{answer.status_code} {told(json.loads(body))}"
    except ValueError:
        return f"{answer.status_code} no JSON"


def read(answer: requests.Response) -> tuple[bytes, str]:
    """The body as far as it came, little by little, and how it ended if not as it should."""
    body = b""
    try:
        for block in answer.iter_content(16):
            body += block
    except ChunkedEncodingError:
        return body, "cut"
    except ConnectionError:  # requests' name for a read that takes too long within a body
        return body, "silence"
    finally:
        answer.close()
    return body, ""


def told(body: Any) -> str:
    """The error in a body, or that it is whole."""
    error = next(
        (part["error"] for part in (body if isinstance(body, list) else [body]) if "error" in part), None
    )
    if error is None:
        return "whole" if isinstance(body, list) or "data" in body else str(body)
    if "fbtrace_id" in error:
        return "/".join(str(error[name]) for name in ("code", "error_subcode") if name in error)
    if "details" not in error:
        return str(error["status"])
    (item,) = error["details"][0]["errors"]
    ((family, name),) = item["errorCode"].items()
    quota = item.get("details", {}).get("quotaErrorDetails")
    return f"{family.removesuffix('Error')}.{name}" + (
        f" {quota['rateScope']} {quota.get('retryDelay')}" if quota else ""
    )


@pytest.fixture
def meta_call(sandbox: Sandbox) -> Call:
    """A page of ads, by a token of its own, for a fault may end it."""
    account = open_account(sandbox, Platform.META)
    token = sandbox.control("tokens", platform="meta")["token"]
    url = f"{Graph(sandbox).base}/v26.0/{account}/ads"
    headers = {"Authorization": f"Bearer {token}"}
    return lambda patience: requests.get(
        url, headers=headers, stream=True, allow_redirects=False, timeout=patience
    )


@pytest.fixture
def google_call(sandbox: Sandbox) -> Call:
    """A stream of ads, in one chunk."""
    ads = Ads(sandbox, sandbox.control("tokens", platform="google")["token"])
    url = f"{ads.base}/customers/{open_account(sandbox, Platform.GOOGLE)}/googleAds:searchStream"
    return lambda patience: requests.post(
        url, json={"query": QUERY}, headers=ads.headers, stream=True, allow_redirects=False, timeout=patience
    )


@pytest.mark.parametrize(("fault", "expected"), rows(Platform.META))
def test_meta(sandbox: Sandbox, meta_call: Call, fault: Fault, expected: str) -> None:
    sandbox.control("faults", platform="meta", **fault)

    assert seen(meta_call, expected) == expected

    assert sandbox.referee()["platforms"]["meta"]["faults"] == {fault["kind"]: 1}
    later = expected if fault["kind"] in FOR_GOOD else OK
    assert seen(meta_call, later) == later


@pytest.mark.parametrize(("fault", "expected"), rows(Platform.GOOGLE))
def test_google(sandbox: Sandbox, google_call: Call, fault: Fault, expected: str) -> None:
    sandbox.control("faults", platform="google", **fault)

    assert seen(google_call, expected) == expected

    assert sandbox.referee()["platforms"]["google"]["faults"] == {fault["kind"]: 1}
    later = expected if fault["kind"] in FOR_GOOD else OK
    assert seen(google_call, later) == later


def test_no_kind_is_left_out() -> None:
    of_pages = {"expired_cursor", "repeat_rows", "repeat_page"}  # they need two calls: test_sandbox_faults.py
    of_insights = {"report", "too_wide"}  # Meta's: test_clients_meta_reports.py

    assert {row[0]["kind"] for row in TABLE} | of_pages | of_insights == set(FaultKind)
