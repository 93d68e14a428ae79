"""What can be told of an answer without a network: whole bodies, unusable ones, and tokens that are none."""

from io import BytesIO
from itertools import count

import pytest
import urllib3

from providers.errors import PlatformFault, ReconnectNeeded, Unreachable
from providers.http import Answer, reading, send
from providers.session import Session


def answer(body: BytesIO, status: int = 200) -> Answer:
    return Answer("Meta", urllib3.HTTPResponse(body, status=status, preload_content=False))


def test_a_whole_body_is_decoded() -> None:
    assert answer(BytesIO(b'{"data":[1]}')).json() == {"data": [1]}


@pytest.mark.parametrize("body", [b"", b"Service Unavailable", b"<html></html>", b'{"data":[{"id":"1"}'])
def test_a_body_that_is_no_json_is_worth_a_retry(body: bytes) -> None:
    with pytest.raises(Unreachable) as caught:
        answer(BytesIO(body), status=502).json()

    assert caught.value.http_status == 502
    assert caught.value.__context__ is None  # orjson's error holds the document


def test_a_body_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = count(step=20)  # seconds
    monkeypatch.setattr("providers.http.time.monotonic", lambda: next(moments))

    class Drip(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return b" "

        read1 = read

    with pytest.raises(Unreachable):
        answer(Drip()).json()


@pytest.mark.parametrize("token", ["two words", "line\n", "tökén", "\x00"])
def test_what_no_header_can_carry_is_no_token(token: str) -> None:
    with pytest.raises(ReconnectNeeded) as caught:
        send(Session(), "Meta", "GET", "http://127.0.0.1:9/", token=token)

    assert token not in str(caught.value)


@pytest.mark.parametrize("error", [KeyError("id"), TypeError("x"), ValueError("x"), AttributeError("x")])
def test_an_answer_in_another_form_is_the_platforms_fault(error: Exception) -> None:
    with pytest.raises(PlatformFault), reading("Meta"):
        raise error
