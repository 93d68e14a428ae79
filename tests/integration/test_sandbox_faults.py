"""What faults look like on the wire beyond status and code: headers, chunks, pages, tokens that stay dead."""

import json
import socket
from urllib.parse import urlsplit

import pytest
import requests
from requests.exceptions import ChunkedEncodingError

from providers.meta.errors import LIMITS
from providers.sandbox.process import Sandbox
from tests.integration.sandbox_callers import Ads, Graph

pytest_plugins = "tests.integration.sandbox_fixtures"

QUERY = "SELECT ad_group_ad.ad.id FROM ad_group_ad"


@pytest.fixture
def small_chunks(sandbox: Sandbox) -> Sandbox:
    """Streams come in chunks of 50 rows, so that an account of 200 ads has four."""
    sandbox.control("settings", google_chunk_rows=50)
    return sandbox


def test_a_use_case_limit_tells_the_minutes_in_its_second_element(
    sandbox: Sandbox, graph: Graph, ad_account: str
) -> None:
    sandbox.fault("meta", "rate_limit", account=ad_account, code=80004, minutes=17)

    headers = graph.ask(f"{ad_account}/ads").headers

    (use_cases,) = json.loads(headers["X-Business-Use-Case-Usage"]).values()
    assert [use_case["estimated_time_to_regain_access"] for use_case in use_cases] == [0, 17]
    assert use_cases[1]["call_count"] > 100


def test_a_daily_quota_tells_scope_and_hours(sandbox: Sandbox, ads: Ads, customer: str) -> None:
    sandbox.fault("google", "rate_limit", retry_after=40_591, scope="DEVELOPER")

    (item,) = ads.ask(customer, "search", query=QUERY).json()["error"]["details"][0]["errors"]

    quota = item["details"]["quotaErrorDetails"]
    assert (quota["rateScope"], quota["retryDelay"]) == ("DEVELOPER", "40591s")


def test_too_much_data_passes_with_a_smaller_page(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    sandbox.fault("meta", "too_much_data", account=ad_account, rows=50)

    assert graph.error(f"{ad_account}/ads", limit=100) == (500, 1, None)
    assert graph.error(f"{ad_account}/ads", limit=51) == (500, 1, None)
    assert len(graph.get(f"{ad_account}/ads", limit=50)["data"]) == 50


def test_a_stream_that_is_cut_after_two_chunks(small_chunks: Sandbox, ads: Ads, customer: str) -> None:
    small_chunks.fault("google", "cut", endpoint="search_stream", parts=2)
    url = f"{ads.base}/customers/{customer}/googleAds:searchStream"
    received: list[bytes] = []

    answer = requests.post(url, json={"query": QUERY}, headers=ads.headers, stream=True, timeout=20)
    with pytest.raises(ChunkedEncodingError):
        received.extend(answer.iter_content(None))
    answer.close()

    chunks = json.loads(b"".join(received) + b"]")
    assert [len(chunk["results"]) for chunk in chunks] == [50, 50]


def test_an_error_in_the_middle_of_a_stream(small_chunks: Sandbox, ads: Ads, customer: str) -> None:
    small_chunks.fault("google", "stream_error", parts=3)

    answer = ads.ask(customer, "searchStream", query=QUERY)

    *chunks, last = answer.json()
    assert answer.status_code == 200
    assert [len(chunk["results"]) for chunk in chunks] == [50, 50, 50]
    assert last["error"]["status"] == "INTERNAL"


def test_a_token_that_expires_while_paging_stays_expired(sandbox: Sandbox, ad_account: str) -> None:
    token = sandbox.control("tokens", platform="meta")["token"]
    graph = Graph(sandbox, token)
    sandbox.fault("meta", "token_expired", account=ad_account, after_calls=1)
    page = graph.get(f"{ad_account}/ads", limit=50)

    assert graph.error(f"{ad_account}/ads", after=page["paging"]["cursors"]["after"]) == (400, 190, 463)
    assert graph.error(f"{ad_account}/ads") == (400, 190, 463)


@pytest.mark.parametrize("subcode", [458, 459, 460, 464, 467, 492])
def test_a_revoked_token_says_why(sandbox: Sandbox, ad_account: str, subcode: int) -> None:
    graph = Graph(sandbox, sandbox.control("tokens", platform="meta")["token"])
    sandbox.fault("meta", "token_revoked", account=ad_account, subcode=subcode)

    assert graph.error(f"{ad_account}/ads") == (400, 190, subcode)
    assert graph.error("me") == (400, 190, subcode)


def test_an_expired_access_token_of_google_is_healed_by_a_refresh(
    sandbox: Sandbox, ads: Ads, customer: str
) -> None:
    sandbox.fault("google", "token_expired", account=customer)

    assert ads.error(customer)[2] == "OAUTH_TOKEN_EXPIRED"
    assert ads.error(customer)[2] == "OAUTH_TOKEN_EXPIRED"
    assert Ads(sandbox).stream(customer, QUERY)


def test_a_revoked_grant_of_google_is_not(sandbox: Sandbox, customer: str) -> None:
    token = sandbox.control("tokens", platform="google")["token"]
    ads = Ads(sandbox, token)
    sandbox.fault("google", "token_revoked", account=customer)

    assert ads.error(customer)[2] == "OAUTH_TOKEN_REVOKED"
    assert ads.refresh(token).json()["error"] == "invalid_grant"


def test_an_expired_cursor_strikes_only_those_who_have_one(
    sandbox: Sandbox, graph: Graph, ad_account: str
) -> None:
    sandbox.fault("meta", "expired_cursor", times=None)
    page = graph.get(f"{ad_account}/ads", limit=10)

    assert graph.error(f"{ad_account}/ads", after=page["paging"]["cursors"]["after"]) == (400, 2642, None)
    assert graph.error(f"{ad_account}/ads", after="nonsense") == (400, 2642, None)


def test_an_expired_page_token_of_google(sandbox: Sandbox, ads: Ads, customer: str) -> None:
    sandbox.control("settings", google_page_rows=10)
    try:
        token = ads.ask(customer, "search", query=QUERY).json()["nextPageToken"]
    finally:
        sandbox.control("settings", google_page_rows=10_000)
    sandbox.fault("google", "expired_cursor")

    answer = ads.ask(customer, "search", query=QUERY, pageToken=token)

    (item,) = answer.json()["error"]["details"][0]["errors"]
    assert item["errorCode"] == {"requestError": "EXPIRED_PAGE_TOKEN"}


def test_rows_that_move_come_twice_or_not_at_all(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    whole = [row["id"] for row in graph.all(f"{ad_account}/ads", limit=500)]
    sandbox.fault("meta", "repeat_rows", account=ad_account, rows=2)

    repeated = [row["id"] for row in graph.all(f"{ad_account}/ads", limit=100)]
    sandbox.fault("meta", "hide_rows", account=ad_account, rows=3)
    hidden = [row["id"] for row in graph.all(f"{ad_account}/ads", limit=100)]

    assert repeated == whole[:100] + whole[98:]
    assert hidden == whole[:97] + whole[100:]


def test_a_page_in_the_middle_may_be_empty(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    sandbox.fault("meta", "hide_rows", account=ad_account, rows=500)

    page = graph.get(f"{ad_account}/ads", limit=100)

    assert page["data"] == []
    assert "next" in page["paging"]


@pytest.mark.parametrize("code", [80000, 80001, 80002, 80003, 80004, 80005, 80006, 80008, 80009, 80014])
def test_each_use_case_limit_names_its_use_case(
    sandbox: Sandbox, graph: Graph, ad_account: str, code: int
) -> None:
    sandbox.fault("meta", "rate_limit", account=ad_account, code=code, minutes=9)

    (use_cases,) = json.loads(graph.ask(ad_account).headers["X-Business-Use-Case-Usage"]).values()

    assert use_cases[1]["type"] == LIMITS[code].use_case
    assert use_cases[1]["estimated_time_to_regain_access"] == 9


def test_a_good_answer_may_tell_of_a_full_meter(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    for whose in ("app", "account", "use_case"):
        sandbox.fault("meta", "usage", account=ad_account, whose=whose, percent=130, minutes=2, times=1)

    answer = graph.ask(ad_account)

    usage = {name: json.loads(answer.headers[name]) for name in answer.headers if name.endswith("-Usage")}
    assert answer.ok
    assert usage["X-App-Usage"]["call_count"] == 130
    assert usage["X-Ad-Account-Usage"]["acc_id_util_pct"] == 130
    assert usage["X-Ad-Account-Usage"]["reset_time_duration"] == 120
    (use_cases,) = usage["X-Business-Use-Case-Usage"].values()
    assert (use_cases[1]["call_count"], use_cases[1]["estimated_time_to_regain_access"]) == (130, 2)


def test_a_page_may_come_twice(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    whole = [row["id"] for row in graph.all(f"{ad_account}/ads", limit=500)]
    sandbox.fault("meta", "repeat_page", account=ad_account)

    assert [row["id"] for row in graph.all(f"{ad_account}/ads", limit=50)] == whole[:50] + whole


def test_a_stream_may_tell_rows_twice(sandbox: Sandbox, ads: Ads, customer: str) -> None:
    whole = ads.stream(customer, QUERY)
    sandbox.fault("google", "repeat_rows", account=customer, rows=3)

    assert ads.stream(customer, QUERY) == whole + whole[-3:]


def test_what_comes_after_a_length_that_is_too_small_spills_into_the_connection(
    sandbox: Sandbox, graph: Graph, ad_account: str
) -> None:
    whole = graph.ask(ad_account).content
    sandbox.fault("meta", "wrong_length", account=ad_account, by=-9)
    request = f"GET /meta/v26.0/{ad_account}?access_token={graph.token} HTTP/1.1\r\nHost: sandbox\r\n\r\n"
    received = b""
    with socket.create_connection(("127.0.0.1", urlsplit(sandbox.url).port), 20) as connection:
        connection.sendall(request.encode())
        while not received.endswith(whole):
            block = connection.recv(65_536)
            assert block, received
            received += block

    assert f"Content-Length: {len(whole) - 9}\r\n".encode() in received


def test_a_refresh_may_be_refused_for_good_or_fail_for_once(sandbox: Sandbox, customer: str) -> None:
    token = sandbox.control("tokens/each", platform="google", accounts=[customer])["tokens"][customer]
    ads = Ads(sandbox, token, login="")
    where = {"platform": "google", "account": customer, "endpoint": "token"}

    def refresh(**fault: str) -> tuple[int, str]:
        sandbox.control("faults", **where, **fault)
        answer = ads.refresh(token)
        return answer.status_code, answer.json()["error"]

    assert refresh(kind="server_error") == (500, "internal_failure")
    assert refresh(kind="rate_limit") == (429, "rate_limit_exceeded")
    assert ads.refresh(token).ok
    assert refresh(kind="token_revoked") == (400, "invalid_grant")
    assert ads.refresh(token).json()["error"] == "invalid_grant"
    assert Ads(sandbox)


def test_the_inspection_of_a_token_may_fail_too(sandbox: Sandbox, graph: Graph) -> None:
    sandbox.fault("meta", "html", times=None)
    sandbox.fault("meta", "platform_error", endpoint="debug_token", code=2)

    assert graph.error("debug_token", input_token=graph.token) == (400, 2, None)
    assert graph.get("debug_token", input_token=graph.token)["data"]["is_valid"]
