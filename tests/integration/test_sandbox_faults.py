"""Each fault looks on the wire as it does at the platform, and strikes whom and when it is told to."""

import json
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
import requests
from requests.exceptions import ChunkedEncodingError

from providers.sandbox.constants import META_TOKEN, Platform
from providers.sandbox.process import Sandbox
from tests.integration.sandbox_callers import Ads, Graph, open_account

pytest_plugins = "tests.integration.sandbox_fixtures"

QUERY = "SELECT ad_group_ad.ad.id FROM ad_group_ad"


@pytest.fixture
def small_chunks(sandbox: Sandbox) -> Sandbox:
    """Streams come in chunks of 50 rows, so that an account of 200 ads has four."""
    sandbox.control("settings", google_chunk_rows=50)
    return sandbox


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"kind": "rate_limit"}, (400, 17, 2446079)),
        ({"kind": "rate_limit", "code": 4}, (403, 4, 1504022)),
        ({"kind": "rate_limit", "code": 613}, (400, 613, 1487742)),
        ({"kind": "rate_limit", "code": 32}, (400, 32, None)),
        ({"kind": "rate_limit", "code": 80004}, (400, 80004, 2446079)),
        ({"kind": "rate_limit", "code": 80000}, (400, 80000, 2446079)),
        ({"kind": "server_error"}, (500, 2, None)),
        ({"kind": "server_error", "status": 503}, (503, 2, None)),
        ({"kind": "platform_error", "code": 1, "subcode": 99, "status": 500}, (500, 1, 99)),
        ({"kind": "platform_error", "code": -2, "subcode": 2490547}, (400, -2, 2490547)),
        ({"kind": "access_denied"}, (403, 200, None)),
        ({"kind": "access_denied", "code": 10}, (403, 10, None)),
        ({"kind": "access_denied", "code": 100}, (400, 100, 33)),
    ],
)
def test_metas_refusals(
    sandbox: Sandbox,
    graph: Graph,
    ad_account: str,
    details: dict[str, str],
    expected: tuple[int, int, int | None],
) -> None:
    sandbox.control("faults", platform="meta", account=ad_account, times=1, **details)

    assert graph.error(f"{ad_account}/ads") == expected
    assert graph.get(f"{ad_account}/ads")["data"]


def test_a_use_case_limit_tells_the_minutes_in_its_second_element(
    sandbox: Sandbox, graph: Graph, ad_account: str
) -> None:
    sandbox.fault("meta", "rate_limit", account=ad_account, code=80004, minutes=17)

    headers = graph.ask(f"{ad_account}/ads").headers

    (use_cases,) = json.loads(headers["X-Business-Use-Case-Usage"]).values()
    assert [use_case["estimated_time_to_regain_access"] for use_case in use_cases] == [0, 17]
    assert use_cases[1]["call_count"] > 100


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"kind": "rate_limit"}, (429, "quotaError", "RESOURCE_EXHAUSTED")),
        (
            {"kind": "rate_limit", "name": "RESOURCE_TEMPORARILY_EXHAUSTED"},
            (429, "quotaError", "RESOURCE_TEMPORARILY_EXHAUSTED"),
        ),
        ({"kind": "server_error"}, (500, "internalError", "INTERNAL_ERROR")),
        ({"kind": "platform_error"}, (500, "internalError", "TRANSIENT_ERROR")),
        (
            {
                "kind": "platform_error",
                "family": "database",
                "name": "CONCURRENT_MODIFICATION",
                "status": 400,
            },
            (400, "databaseError", "CONCURRENT_MODIFICATION"),
        ),
        ({"kind": "access_denied"}, (403, "authorizationError", "USER_PERMISSION_DENIED")),
        (
            {"kind": "access_denied", "name": "CUSTOMER_NOT_ENABLED"},
            (403, "authorizationError", "CUSTOMER_NOT_ENABLED"),
        ),
        ({"kind": "token_expired"}, (401, "authenticationError", "OAUTH_TOKEN_EXPIRED")),
    ],
)
def test_googles_refusals(
    sandbox: Sandbox, ads: Ads, customer: str, details: dict[str, str], expected: tuple[int, str, str]
) -> None:
    sandbox.control("faults", platform="google", account=customer, times=1, **details)

    assert ads.error(customer) == expected


def test_a_daily_quota_tells_scope_and_hours(sandbox: Sandbox, ads: Ads, customer: str) -> None:
    sandbox.fault("google", "rate_limit", retry_after=40_591, scope="DEVELOPER")

    (item,) = ads.ask(customer, "search", query=QUERY).json()["error"]["details"][0]["errors"]

    quota = item["details"]["quotaErrorDetails"]
    assert (quota["rateScope"], quota["retryDelay"]) == ("DEVELOPER", "40591s")


@pytest.mark.parametrize("status", [503, 504])
def test_the_server_in_front_of_google_sends_no_failure(
    sandbox: Sandbox, ads: Ads, customer: str, status: int
) -> None:
    sandbox.fault("google", "server_error", status=status)

    answer = ads.ask(customer, "search", query=QUERY)

    assert answer.status_code == status
    assert "details" not in answer.json()["error"]


def test_too_much_data_passes_with_a_smaller_page(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    sandbox.fault("meta", "too_much_data", account=ad_account, rows=50)

    assert graph.error(f"{ad_account}/ads", limit=100) == (500, 1, None)
    assert graph.error(f"{ad_account}/ads", limit=51) == (500, 1, None)
    assert len(graph.get(f"{ad_account}/ads", limit=50)["data"]) == 50


@pytest.mark.parametrize("status", [200, 502])
def test_a_page_of_html(sandbox: Sandbox, graph: Graph, ad_account: str, status: int) -> None:
    sandbox.fault("meta", "html", status=status)

    answer = graph.ask(f"{ad_account}/ads")

    assert answer.status_code == status
    assert answer.text.startswith("<!DOCTYPE html>")


def test_half_a_body_that_looks_whole(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    sandbox.fault("meta", "truncated")

    answer = graph.ask(f"{ad_account}/ads")

    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("parts", [0, 1])
def test_a_cut_before_or_in_the_middle_of_metas_body(
    sandbox: Sandbox, graph: Graph, ad_account: str, parts: int
) -> None:
    sandbox.fault("meta", "cut", parts=parts)

    with pytest.raises(requests.exceptions.ConnectionError if parts == 0 else ChunkedEncodingError):
        graph.ask(f"{ad_account}/ads")

    assert graph.get(f"{ad_account}/ads")["data"]


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


def test_a_slow_answer_takes_its_time(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    sandbox.fault("meta", "slow", seconds=0.2, pause=0.05)

    answer = graph.ask(f"{ad_account}/ads")

    assert answer.elapsed.total_seconds() >= 0.2
    assert len(answer.json()["data"]) == 25


def test_latency_holds_for_every_call_of_a_platform(sandbox: Sandbox, graph: Graph) -> None:
    sandbox.control("settings", latency={"meta": 0.1})

    assert all(graph.ask("me").elapsed.total_seconds() >= 0.1 for _ in range(2))


def test_a_profile_draws_a_latency_for_each_call(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    def taken() -> list[float]:
        sandbox.control("settings", latency={"meta": "20-200"}, latency_seed=11)
        return [graph.ask(ad_account).elapsed.total_seconds() for _ in range(5)]

    first, again = taken(), taken()

    assert all(0.02 <= seconds < 0.3 for seconds in first)
    assert first == pytest.approx(again, abs=0.05)
    assert max(first) - min(first) > 0.05


def test_many_calls_wait_at_once_without_a_thread_each(sandbox: Sandbox) -> None:
    sandbox.control("settings", latency={"meta": "900-1000"})
    request = (
        f"GET /meta/v26.0/me HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer {META_TOKEN}\r\n\r\n"
    ).encode()
    port = urlsplit(sandbox.url).port
    begun = time.monotonic()

    with ExitStack() as stack:
        callers = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 20)) for _ in range(200)]
        for caller in callers:
            caller.sendall(request)
        answers = [caller.recv(65_536) for caller in callers]

    assert all(answer.startswith(b"HTTP/1.1 200 OK") for answer in answers)
    assert 0.9 <= time.monotonic() - begun < 10  # one after the other they would take 180 s


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


class TestAim:
    """Whom and when a fault strikes."""

    def test_only_the_named_account(self, sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
        other = open_account(sandbox, Platform.META)
        sandbox.fault("meta", "access_denied", account=ad_account)

        assert [graph.ask(f"{account}/ads").status_code for account in (ad_account, other, ad_account)] == [
            403,
            200,
            403,
        ]

    def test_only_the_named_endpoint(self, sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
        sandbox.fault("meta", "server_error", endpoint="adsets", times=None)

        statuses = [graph.ask(f"{ad_account}/{edge}").status_code for edge in ("campaigns", "adsets", "ads")]

        assert statuses == [200, 500, 200]

    def test_only_queries_of_the_named_resource(self, sandbox: Sandbox, ads: Ads, customer: str) -> None:
        sandbox.fault("google", "server_error", endpoint="ad_group_ad")

        assert ads.stream(customer, "SELECT campaign.id FROM campaign")
        assert ads.ask(customer, "searchStream", query=QUERY).status_code == 500

    def test_as_often_as_told_and_not_before_its_turn(
        self, sandbox: Sandbox, graph: Graph, ad_account: str
    ) -> None:
        sandbox.fault("meta", "server_error", times=2, after_calls=1)

        assert [graph.ask(ad_account).status_code for _ in range(5)] == [200, 500, 500, 200, 200]

    def test_by_seeded_dice(self, sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
        sandbox.fault("meta", "server_error", probability=0.5)

        failed = [graph.ask(ad_account).status_code for _ in range(60)].count(500)

        (rule,) = sandbox.ask("faults")["faults"]
        assert rule["fired"] == failed
        assert 10 < failed < 50

    def test_not_after_they_are_cleared(self, sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
        sandbox.fault("meta", "server_error", times=None)
        sandbox.control("faults/clear")

        assert graph.get(ad_account)

    def test_an_unknown_kind_is_refused(self, sandbox: Sandbox) -> None:
        with pytest.raises(ValueError, match="earthquake"):
            sandbox.fault("meta", "earthquake")
