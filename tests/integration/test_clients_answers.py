"""Answers of any kind, read by both real clients: what each becomes, and if it says that all is down."""

from collections.abc import Iterator
from typing import Any

import pytest

from providers.breaker.breaker import says_down
from providers.errors import (
    AccessDenied,
    InvalidRequest,
    LimitReached,
    PlatformFault,
    ProviderError,
    ReconnectNeeded,
    UnknownError,
    Unreachable,
)
from providers.google.client import GoogleClient
from providers.meta.client import MetaClient
from providers.records import Stream
from tests.integration.client_callers import read
from tests.integration.scripted_server import Reply, Script, scripted_server
from tests.integration.test_clients_http import ACCESS, google, meta

# Without anything that can be read: the HTTP status decides only whether the platform may be down.
BODIES: dict[str, bytes] = {
    "empty": b"",
    "spaces": b" \n ",
    "text": b"Service Unavailable",
    "html": b"<!DOCTYPE html><html><title>502 Bad Gateway</title>" + b"<p>x</p>" * 1000 + b"</html>",
    "percent-encoded": b"%7B%22error%22%3A%7B%22code%22%3A190%7D%7D",
    "cut": b'{"error":{"code":190,"message":"Sess',
    "binary": bytes(range(256)),
    "utf-16": '{"error":{"code":190}}'.encode("utf-16"),
    "huge": b"<p>" + b"x" * 3_000_000,
    "a number": b"7",
    "null": b"null",
    "a string": b'"error"',
}
STATUSES = {200: True, 401: False, 403: False, 404: False, 429: False, 500: True, 502: True, 503: True}


def meta_error(**error: Any) -> dict[str, Any]:
    return {"error": {"message": "…", "type": "OAuthException", **error}}


def google_error(code: int, family: str, name: str) -> dict[str, Any]:
    return {"error": {"code": code, "details": [{"errors": [{"errorCode": {family: name}}]}]}}


@pytest.fixture(scope="module")
def shared_server() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("provider", ["meta", "google"])
def test_an_answer_that_nothing_can_be_read_from_is_unusable(
    shared_server: Script, provider: str, status: int, body: str
) -> None:
    answer = Reply(BODIES[body], status)
    if provider == "meta":
        client: MetaClient | GoogleClient = meta(shared_server.url)
        shared_server.answers(answer)
    else:
        client = google(shared_server.url, stored=False)
        shared_server.answers(ACCESS, answer, ACCESS, answer)  # where it is 401, a new token is tried

    with pytest.raises(Unreachable) as caught:
        read(client, Stream.ADS)

    assert caught.value.http_status == status
    assert says_down(caught.value) == STATUSES[status]
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize("status", [200, 400, 403, 500, 503])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (meta_error(code=190, error_subcode=463), ReconnectNeeded),
        (meta_error(code=17, error_subcode=2446079), LimitReached),
        (meta_error(code=200), AccessDenied),
        (meta_error(code=100), InvalidRequest),
        (meta_error(code=2), PlatformFault),
    ],
)
def test_metas_code_decides_whatever_the_status(
    shared_server: Script, status: int, body: dict[str, Any], kind: type[ProviderError]
) -> None:
    shared_server.answers(Reply(body, status))

    with pytest.raises(kind) as caught:
        read(meta(shared_server.url), Stream.ADS)

    assert says_down(caught.value) == (kind is PlatformFault and status >= 500)


@pytest.mark.parametrize("is_in_array", [False, True])
@pytest.mark.parametrize(
    ("code", "family", "name", "kind"),
    [
        (403, "authorizationError", "CUSTOMER_NOT_ENABLED", AccessDenied),
        (429, "quotaError", "RESOURCE_EXHAUSTED", LimitReached),
        (400, "queryError", "UNRECOGNIZED_FIELD", InvalidRequest),
        (500, "internalError", "INTERNAL_ERROR", PlatformFault),
        (400, "somethingNewError", "NOT_SEEN_YET", UnknownError),
    ],
)
def test_googles_name_decides_in_an_object_and_in_a_streams_array(
    shared_server: Script, code: int, family: str, name: str, kind: type[ProviderError], is_in_array: bool
) -> None:
    error = google_error(code, family, name)
    shared_server.answers(Reply([error] if is_in_array else error, code))

    with pytest.raises(kind) as caught:
        read(google(shared_server.url), Stream.ADS)

    assert caught.value.http_status == code
