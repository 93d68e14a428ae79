"""What happens on the wire: tokens go nowhere else, connections are kept, and no failure leaks."""

import logging
import socket
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from providers.base import AdAccountRef, Gate, Grant, Selection
from providers.errors import (
    BudgetSpent,
    InvalidRequest,
    PlatformFault,
    ProviderError,
    ReconnectNeeded,
    UnknownError,
    Unreachable,
)
from providers.google.client import GoogleClient
from providers.meta.client import MetaClient
from providers.records import Stream
from providers.registry import GoogleConfig, MetaConfig
from providers.session import Session
from tests.integration.client_callers import RecordingGate, read
from tests.integration.scripted_server import Reply, Script, scripted_server

TOKEN = "EAAB-very-secret"
ACCESS = {"access_token": "ya29.very-secret", "expires_in": 3599}
EMPTY: dict[str, Any] = {"data": []}


class StoredToken:
    """A store that always has one."""

    def load(self) -> str:
        return "ya29.very-secret"

    def save(self, token: str, lifetime: float) -> None:
        pytest.fail("nothing was to be bought")


@pytest.fixture
def server() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


def meta(url: str, gate: Gate | None = None, session: Session | None = None) -> MetaClient:
    return MetaClient(
        MetaConfig(graph_url=url),
        Grant(TOKEN),
        AdAccountRef("act_1", "USD"),
        gate=gate or RecordingGate(),
        session=session or Session(),
    )


def google(url: str, *, stored: bool = True, session: Session | None = None, **config: str) -> GoogleClient:
    return GoogleClient(
        GoogleConfig(ads_url=url, oauth_url=url, client_id="id", client_secret="client-secret", **config),
        Grant("1//refresh-secret", StoredToken() if stored else None),
        AdAccountRef("1", "EUR", "UTC", "9"),
        gate=RecordingGate(),
        session=session or Session(),
    )


def ads(client: MetaClient | GoogleClient) -> int:
    """How many ads it reads."""
    return sum(len(page.records) for page in read(client, Stream.ADS))


@pytest.fixture
def closed_port() -> str:
    """Where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_the_token_goes_in_a_header_and_in_no_url(server: Script) -> None:
    server.answers(EMPTY)

    ads(meta(server.url))

    assert server.headers[0]["authorization"] == f"Bearer {TOKEN}"
    assert "very-secret" not in server.paths[0]


def test_a_netrc_does_not_replace_the_token(
    server: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.answers(EMPTY)

    ads(meta(server.url))

    assert server.headers[0]["authorization"] == f"Bearer {TOKEN}"


def test_a_redirect_is_not_followed(server: Script) -> None:
    with scripted_server() as elsewhere:
        elsewhere.answers(EMPTY)
        server.answers(Reply(status=302, headers={"Location": elsewhere.url}))

        with pytest.raises(InvalidRequest) as caught:
            ads(meta(server.url))

        assert elsewhere.paths == []
        assert elsewhere.url not in str(caught.value)


def test_cookies_of_one_call_are_not_sent_with_another(server: Script) -> None:
    server.answers(Reply(EMPTY, headers={"Set-Cookie": "who=tenant-1; Path=/"}), EMPTY)
    session = Session()

    ads(meta(server.url, session=session))
    ads(meta(server.url, session=session))

    assert "cookie" not in server.headers[1]


def test_clients_that_share_a_session_share_its_connection(server: Script) -> None:
    session = Session()
    for _ in range(3):
        server.answers(EMPTY)
        ads(meta(server.url, session=session))
        server.answers([])
        ads(google(server.url, session=session))
        server.answers(Reply({"error": {"code": 2}}, status=500))
        with pytest.raises(PlatformFault):
            ads(meta(server.url, session=session))

    assert len(server.connections) == 1


@pytest.mark.parametrize("token", ["", "developer-secret"])
def test_the_developer_token_is_sent_only_where_it_is_given(server: Script, token: str) -> None:
    server.answers([])

    ads(google(server.url, developer_token=token))

    assert server.headers[0].get("developer-token", "") == token
    assert server.headers[0]["login-customer-id"] == "9"


def test_metas_query_asks_for_all_statuses_and_an_explicit_list_of_fields(server: Script) -> None:
    server.answers(EMPTY)

    ads(meta(server.url))

    assert "ARCHIVED" in server.paths[0]
    assert "DELETED" in server.paths[0]
    assert "fields=id%2Cname%2C" in server.paths[0]
    for taken_away in ("pretty", "debug", "date_format"):
        assert f"{taken_away}=" not in server.paths[0]


def test_a_cursor_that_comes_back_ends_the_walk(server: Script) -> None:
    def page(after: str) -> dict[str, Any]:
        return {"data": [], "paging": {"cursors": {"after": after}, "next": "https://graph/?access_token=x"}}

    server.answers(page("a"), page("b"), page("a"), EMPTY)

    with pytest.raises(PlatformFault):
        ads(meta(server.url))

    assert len(server.paths) == 3


@pytest.mark.parametrize(
    "body", [{}, {"data": None}, {"data": [{}]}, {"data": [7]}, {"data": [], "paging": {"next": "x"}}]
)
def test_an_answer_in_another_form_is_the_platforms_fault(server: Script, body: Any) -> None:
    server.answers(body)

    with pytest.raises(PlatformFault):
        ads(meta(server.url))


@pytest.mark.parametrize("rows", [[{}], [{"adGroupAd": None}], ["row"], {"campaign": 1}])
def test_rows_in_another_form_are_the_platforms_fault(server: Script, rows: Any) -> None:
    server.answers([{"results": rows}])

    with pytest.raises(PlatformFault):
        ads(google(server.url))


def test_a_customer_that_is_not_described_is_the_platforms_fault(server: Script) -> None:
    server.answers([])

    with pytest.raises(PlatformFault):
        google(server.url).account()


def test_an_error_with_status_200_is_an_error(server: Script) -> None:
    server.answers({"error": {"code": 190, "error_subcode": 463}})

    with pytest.raises(ReconnectNeeded):
        ads(meta(server.url))


@pytest.mark.parametrize("body", [b"Service Unavailable", b"[]", b'"x"', b""])
def test_what_is_no_object_is_worth_a_retry(server: Script, body: bytes) -> None:
    server.answers(Reply(body))

    with pytest.raises(Unreachable):
        ads(meta(server.url))


def test_silence_is_given_up(server: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.http.READ_SECONDS", 0.05)
    server.answers(Reply(hang=True))
    gate = RecordingGate()

    with pytest.raises(Unreachable):
        ads(meta(server.url, gate))

    assert len(gate.settled) == 1


def test_an_answer_may_take_longer_than_a_connection(server: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.http.CONNECT_SECONDS", 0.1)
    server.answers(Reply(EMPTY, hang=0.3))

    assert ads(meta(server.url)) == 0


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": "invalid_grant", "error_description": "1//refresh-secret"}, ReconnectNeeded),
        (401, {"error": "invalid_client"}, InvalidRequest),
        (500, {"error": "internal_failure"}, PlatformFault),
        (503, {}, PlatformFault),
        (400, {"error": "a_new_one"}, UnknownError),
        (302, {}, UnknownError),
        (502, b"<html>", Unreachable),
        (200, {"expires_in": 1}, PlatformFault),
        (200, [], PlatformFault),
    ],
)
def test_googles_token_service_is_told_apart(
    server: Script, status: int, body: Any, expected: type[ProviderError]
) -> None:
    server.answers(Reply(body, status=status))

    with pytest.raises(expected) as caught:
        google(server.url, stored=False).account()

    assert type(caught.value) is expected
    assert "refresh-secret" not in _everything(caught.value)
    assert "client-secret" not in _everything(caught.value)


def test_a_spent_budget_sends_nothing(server: Script) -> None:
    class Spent:
        def take(self, use_case: str = "") -> str:
            raise BudgetSpent("act_1 may make 10 calls a minute", retry_at=0)

        def settle(self, ticket: str, usage: object) -> None:
            pytest.fail("nothing was taken")

    client = meta(server.url, Spent())

    with pytest.raises(BudgetSpent):
        client.account()

    assert (server.paths, client.calls) == ([], 0)


def test_a_walk_that_is_left_early_closes_its_stream(server: Script) -> None:
    server.answers([{"results": [_ad_row(n) for n in range(9)]}])
    session = Session()
    client = GoogleClient(
        GoogleConfig(ads_url=server.url),
        Grant("x", StoredToken()),
        AdAccountRef("1", "EUR", "UTC"),
        gate=RecordingGate(),
        session=session,
        page_size=2,
    )
    pages = client.pages(Stream.ADS, selection=Selection())

    next(pages)
    pages.close()  # type: ignore[attr-defined]  # a generator
    server.answers([])

    assert ads(google(server.url, session=session)) == 0


def _ad_row(number: int) -> dict[str, Any]:
    return {
        "adGroupAd": {"ad": {"id": str(number)}},
        "adGroup": {"id": "1"},
        "campaign": {"id": "1"},
    }


def test_no_failure_of_the_network_tells_a_token(closed_port: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(Unreachable) as caught:
        meta(closed_port).account()
    with caplog.at_level(logging.DEBUG), pytest.raises(Unreachable) as caught_too:
        google(closed_port, stored=False).account()

    for exc in (caught.value, caught_too.value):
        assert "secret" not in _everything(exc)
        assert "127.0.0.1" not in _everything(exc)
    assert "very-secret" not in caplog.text


def test_no_refusal_of_the_platform_tells_a_token(server: Script, caplog: pytest.LogCaptureFixture) -> None:
    server.answers(Reply({"error": {"code": 190, "message": f"token {TOKEN} is bad"}}, status=400))

    with caplog.at_level(logging.DEBUG), pytest.raises(ReconnectNeeded) as caught:
        meta(server.url).account()

    assert "very-secret" not in _everything(caught.value)
    assert "very-secret" not in caplog.text


def _everything(exc: BaseException | None) -> str:
    """All that a log could print of an exception: its own texts, and those of what it came from."""
    told = ""
    while exc is not None:
        told += f"{exc!r} {vars(exc)} {''.join(traceback.format_exception_only(exc))}"
        exc = exc.__cause__ or exc.__context__
    return told
