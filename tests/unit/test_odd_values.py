"""One odd value in a page costs itself: whatever stands in a row, its neighbours arrive as they are."""

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.google import parse as google
from providers.google.walk import walk_of
from providers.lenient import loads
from providers.meta import client as meta_client
from providers.meta import parse as meta
from providers.records import Record, Stream
from providers.values import LARGEST, LONGEST_ID
from tests.unit import test_google_parse, test_meta_parse

ROWS: dict[tuple[str, Stream], dict[str, Any]] = {
    ("meta", Stream.CAMPAIGNS): test_meta_parse.CAMPAIGN,
    ("meta", Stream.AD_GROUPS): test_meta_parse.AD_SET,
    ("meta", Stream.ADS): test_meta_parse.AD,
    ("google", Stream.CAMPAIGNS): test_google_parse.CAMPAIGN,
    ("google", Stream.AD_GROUPS): test_google_parse.AD_GROUP,
    ("google", Stream.ADS): test_google_parse.AD,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def paths(row: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where a value stands in a row, at any depth; the row itself is ()."""
    yield above
    for name, value in row.items():
        if isinstance(value, dict):
            yield from paths(value, (*above, name))
        else:
            yield (*above, name)


def replaced(row: dict[str, Any], path: tuple[str, ...], value: Any) -> Any:
    if not path:
        return value
    name, *below = path
    return row | {name: replaced(row[name], tuple(below), value)}


def records_of(provider: str, stream: Stream, rows: list[Any]) -> list[Record]:
    if provider == "meta":
        return meta.records_of(stream, rows, "EUR")
    return google.records_of(stream, rows, lambda: ZoneInfo("Europe/Berlin"))


PLACES = [(*key, path) for key, row in ROWS.items() for path in paths(row)]


@given(place=st.sampled_from(PLACES), odd=JSON)
@example(place=("meta", Stream.CAMPAIGNS, ("name",)), odd=None)
@example(place=("meta", Stream.CAMPAIGNS, ("start_time",)), odd="0001-01-01T00:00:00+1400")
@example(place=("meta", Stream.CAMPAIGNS, ("daily_budget",)), odd=2**63)
@example(place=("meta", Stream.ADS, ("id",)), odd="9" * (LONGEST_ID + 1))
@example(place=("google", Stream.ADS, ("adGroup", "id")), odd="33\n")
@example(place=("google", Stream.CAMPAIGNS, ("campaign",)), odd=None)
def test_whatever_stands_in_one_row_its_neighbours_arrive(
    place: tuple[str, Stream, tuple[str, ...]], odd: Any
) -> None:
    provider, stream, path = place
    good = ROWS[provider, stream]
    (expected,) = records_of(provider, stream, [good])

    found = records_of(provider, stream, [good, replaced(good, path, odd), good])

    assert found[0] == found[-1] == expected
    assert len(found) in (2, 3)
    for record in found:
        check(record)
        if provider == "google":
            walk_of("0").fresh([record])


def check(record: Record) -> None:
    """Everything fits the column that it is for."""
    for name, value in record._asdict().items():
        if name.endswith("_micros"):
            assert value is None or abs(value) <= LARGEST
        elif name.endswith("_at"):
            assert value is None or isinstance(value, datetime)
        elif name != "raw":
            assert isinstance(value, str), name
            assert len(value) <= LONGEST_ID or not name.endswith("external_id")
    assert record.external_id


@pytest.mark.parametrize(("provider", "stream"), ROWS)
def test_a_page_where_no_row_has_an_id_is_no_empty_account(provider: str, stream: Stream) -> None:
    with pytest.raises(ValueError, match="no row"):
        records_of(provider, stream, [None, {}, 7])

    assert records_of(provider, stream, []) == []


def test_the_second_look_takes_no_row_for_gone_whose_id_it_can_not_read() -> None:
    assert meta.ids_of([{"id": "1"}, {"id": 2}]) == ["1", "2"]

    with pytest.raises(ValueError, match="no id"):
        meta.ids_of([{"id": "1"}, {"id": None}])


@pytest.mark.parametrize("summary", [None, [], {}, {"total_count": None}, {"total_count": "many"}])
def test_an_odd_total_is_none(summary: Any) -> None:
    assert meta_client._total({"data": [], "summary": summary}) is None
    assert meta_client._total({"data": []}) is None
    assert meta_client._total({"summary": {"total_count": "7"}}) == 7


def test_odd_values_are_counted_in_the_log_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    rows = [ROWS["meta", Stream.ADS] | {"name": ["Secret"], "created_time": "yesterday"}]

    with caplog.at_level(logging.WARNING):
        records_of("meta", Stream.ADS, [*rows, ROWS["meta", Stream.ADS]])

    (record,) = caplog.records
    assert (record.__dict__["stream"], record.__dict__["count"]) == ("ads", 2)
    assert "Secret" not in repr(record.__dict__)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'{"name":"a\ud800b"}', {"name": "a\ufffdb"}),
        (rb'{"name":"a\udc00"}', {"name": "a\ufffd"}),
        (rb'{"\ud800":["\ud800\ud800"]}', {"\ufffd": ["\ufffd\ufffd"]}),
        (rb'["\ud83d\ude00","\ud83d"]', ["😀", "\ufffd"]),
        (b'{"name":"caf\xe9"}', {"name": "caf\ufffd"}),
        (b'{"name":"a\tb\x01"}', {"name": "a\tb\x01"}),
        (b'[NaN,1,-Infinity,"\xff"]', [None, 1, None, "\ufffd"]),
        (b'["\xff",123456789012345678901234567890]', ["\ufffd", 123456789012345678901234567890.0]),
        (b"\xef\xbb\xbf[1]", [1]),
    ],
)
def test_json_with_an_odd_character_is_read_without_it(body: bytes, value: Any) -> None:
    assert loads(body) == value
    orjson.dumps(loads(body))  # as the merge does with the row


@pytest.mark.parametrize(
    "body", [b"", b"Service Unavailable", b"<html>", b'{"a":', b"[" * 100_000, b"\xff\xfe"]
)
def test_what_is_no_json_says_nothing_of_itself(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"^no JSON$") as caught:
        loads(body)

    assert caught.value.__context__ is None
