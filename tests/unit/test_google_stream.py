"""A stream's array gives its rows as they come, and never passes off a broken answer as an empty one."""

from collections.abc import Iterator
from io import BytesIO

import orjson
import pytest
import urllib3

from providers.errors import PlatformFault, Unreachable
from providers.google.stream import chunks_of
from providers.http import Answer
from tests.payloads import lines

FAILURE = next(p["body"] for p in lines("google_errors.jsonl") if p["name"] == "internalError.INTERNAL_ERROR")
CHUNK = {"results": [{"campaign": {"id": "1"}}], "fieldMask": "campaign.id", "requestId": "x"}


def answer(body: bytes) -> Answer:
    """An answer that has arrived."""
    return Answer("Google", urllib3.HTTPResponse(BytesIO(body), status=200, preload_content=False))


def rows(body: bytes) -> Iterator[str]:
    return (row["campaign"]["id"] for chunk in chunks_of(answer(body)) for row in chunk)


def test_the_rows_of_all_chunks_arrive_in_order() -> None:
    second = CHUNK | {"results": [{"campaign": {"id": "2"}}, {"campaign": {"id": "3"}}]}

    assert list(rows(orjson.dumps([CHUNK, second]))) == ["1", "2", "3"]


@pytest.mark.parametrize("body", [b"[]", b"\n[ ]\n", b'[{"fieldMask":"campaign.id","requestId":"x"}]'])
def test_an_account_without_rows_is_empty(body: bytes) -> None:
    assert list(rows(body)) == []


def test_good_rows_come_before_the_error_that_follows_them() -> None:
    stream = rows(orjson.dumps([CHUNK, FAILURE]))

    assert next(stream) == "1"
    with pytest.raises(PlatformFault) as caught:
        next(stream)
    assert caught.value.http_status == 500


@pytest.mark.parametrize("cut", [-1, -5, -60])
def test_a_stream_that_ends_too_early_is_no_end(cut: int) -> None:
    body = orjson.dumps([CHUNK, CHUNK, CHUNK])

    with pytest.raises(Unreachable):
        list(rows(body[:cut]))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"<html>",
        b"Service Unavailable",
        b'{"results":[]}',
        b"[<html>]",
        b'[{"unexpected":true}]',
        b"[{}]",
        b"[1]",
        b"[[]]",
        b"[null]",
    ],
)
def test_what_is_no_array_is_no_empty_account(body: bytes) -> None:
    with pytest.raises(Unreachable):
        list(rows(body))


def test_numbers_stay_what_json_can_hold() -> None:
    chunk = {"results": [{"campaign": {"id": "1", "optimizationScore": 0.5}}]}

    ((row,),) = chunks_of(answer(orjson.dumps([chunk])))

    assert orjson.loads(orjson.dumps(row)) == row


def named(name: bytes) -> bytes:
    return b'[{"results":[{"campaign":{"id":"1","name":"' + name + b'"}},{"campaign":{"id":"2"}}]}]'


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"caf\xff", "caf\ufffd"),
        (b"\xe2\x82", "\ufffd"),  # half of a character
        ("春のセール".encode(), "春のセール"),
        (b"a\x00\x01b", "a  b"),
        (b"two\nlines", "two lines"),
        (b"\\ud83d\\ude00", "\N{GRINNING FACE}"),
        (b"\\ud83d", "?"),
        (b"[[[[{{{{", "[[[[{{{{"),
    ],
)
def test_an_odd_character_costs_itself(sent: bytes, expected: str) -> None:
    ((row, other),) = chunks_of(answer(named(sent)))

    assert row["campaign"]["name"] == expected
    assert other["campaign"]["id"] == "2"


def test_a_character_may_arrive_in_two_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.http.BLOCK", 7)

    ((row, _),) = chunks_of(answer(named("春のセール".encode() * 9)))

    assert row["campaign"]["name"] == "春のセール" * 9


def test_a_mark_of_byte_order_is_none_of_the_answer() -> None:
    assert list(rows(b"\xef\xbb\xbf" + orjson.dumps([CHUNK]))) == ["1"]


@pytest.mark.parametrize("step", [(b"[", b"]"), (b'{"a": ', b"}"), (b'[{"b":1,"a":\n', b"}]")])
def test_what_is_nested_without_end_is_refused(step: tuple[bytes, bytes]) -> None:
    opens, closes = step
    deep = opens * 100_000 + b"1" + closes * 100_000

    with pytest.raises(Unreachable, match="deep"):
        list(chunks_of(answer(b'[{"results":[{"campaign":{"id":"1","x":' + deep + b"}}]}]")))
