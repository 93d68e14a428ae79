"""A day of Meta's that is too much, in the parts that the client makes of it: together they are the day."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from providers.errors import CursorExpired, ReportPending, TooMuchData
from providers.meta.client import MetaClient
from providers.records import EVERY_ID, Ids, InsightRecord, InsightSlice, Level
from providers.sandbox.process import Sandbox
from tests.integration.client_callers import meta_client
from tests.integration.report_callers import runs

pytest_plugins = "tests.integration.sandbox_fixtures"

DAY = InsightSlice(Level.AD, date(2026, 11, 1), date(2026, 11, 1))
MANY = 5_000  # rows: expected, so a report is asked for


@pytest.fixture(autouse=True)
def quick_reports(sandbox: Sandbox) -> None:
    sandbox.control("settings", today="2026-11-20", meta_report_seconds=0)


@pytest.fixture
def client(sandbox: Sandbox, ad_account: str) -> MetaClient:
    return meta_client(sandbox, ad_account)


def read(client: MetaClient, slice: InsightSlice, **how: Any) -> list[InsightRecord]:
    """In the order of ids, whatever has to be awaited."""
    while True:
        try:
            pages = list(client.insights(slice, **how))
        except ReportPending as pending:
            how["cursor"] = pending.cursor
        else:
            return sorted((record for page in pages for record in page.records), key=_key)


def _key(record: InsightRecord) -> tuple[date, str]:
    return record.day, record.external_id


def parts_of(client: MetaClient, slice: InsightSlice) -> Iterator[InsightSlice]:
    """Divided as often as it can be, before the fields are."""
    for part in client.narrower(slice):
        if part.in_halves:
            yield slice
        else:
            yield from parts_of(client, part)


@pytest.mark.parametrize("level", [Level.AD_GROUP, Level.AD])
def test_the_parts_of_a_day_are_the_day(client: MetaClient, level: Level) -> None:
    day = DAY._replace(level=level)

    parts = list(parts_of(client, day))

    assert len(parts) > (20 if level is Level.AD else 1)
    found = [record for part in parts for record in read(client, part)]
    assert sorted(found, key=_key) == read(client, day)
    in_one = [{record.ad_group_external_id for record in read(client, part)} for part in parts]
    assert level is not Level.AD or {len(ad_groups) for ad_groups in in_one} == {1}


def test_who_the_parents_are_is_asked_once(client: MetaClient) -> None:
    calls = client.calls
    parts = client.narrower(DAY)
    assert client.calls == calls + 1

    for part in parts:
        client.narrower(part)
        read(client, part)

    assert client.calls == calls + 1 + len(parts)


def test_the_parents_are_asked_for_by_smaller_pages_where_meta_asks_for_less(
    sandbox: Sandbox, client: MetaClient, ad_account: str
) -> None:
    expected = client.narrower(DAY)
    sandbox.fault("meta", "too_much_data", account=ad_account, rows=200)
    calls = client.calls

    assert meta_client(sandbox, ad_account).narrower(DAY) == expected
    assert client.calls == calls


def test_where_even_the_parents_are_too_much_the_fields_are_divided(
    sandbox: Sandbox, client: MetaClient, ad_account: str
) -> None:
    sandbox.fault("meta", "too_wide", account=ad_account, rows=1)

    assert client.narrower(DAY) == [DAY._replace(in_halves=True)]
    assert client.narrower(DAY._replace(in_halves=True)) == []


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("expected_rows", [0, MANY])
def test_halves_of_the_fields_are_joined_to_whole_rows(
    sandbox: Sandbox, client: MetaClient, ad_account: str, level: Level, expected_rows: int
) -> None:
    day = DAY._replace(level=level)
    whole = read(client, day)

    assert read(client, day._replace(in_halves=True), expected_rows=expected_rows) == whole
    assert runs(sandbox, ad_account) == (2 if expected_rows else 0)


def test_another_process_goes_on_with_the_reports_of_the_halves(
    sandbox: Sandbox, client: MetaClient, ad_account: str
) -> None:
    slice, cursor = DAY._replace(in_halves=True), None
    for submitted in (1, 2):
        with pytest.raises(ReportPending) as caught:
            list(meta_client(sandbox, ad_account).insights(slice, cursor=cursor, expected_rows=MANY))
        cursor = caught.value.cursor
        assert runs(sandbox, ad_account) == submitted

    assert read(meta_client(sandbox, ad_account), slice, cursor=cursor) == read(client, DAY)
    assert runs(sandbox, ad_account) == 2
    with pytest.raises(CursorExpired):
        list(client.insights(slice, cursor=cursor, attribution="1d_click"))


def test_a_half_that_fails_is_too_much_for_both(
    sandbox: Sandbox, client: MetaClient, ad_account: str
) -> None:
    sandbox.fault("meta", "too_wide", account=ad_account, cells=10, late=True)

    with pytest.raises(TooMuchData):
        read(client, DAY._replace(in_halves=True), expected_rows=MANY)


def test_a_parts_page_goes_on_in_another_process_unless_its_parents_are_others(
    sandbox: Sandbox, client: MetaClient, ad_account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, other = client.narrower(DAY)[:2]
    expected = read(client, part)
    monkeypatch.setattr("providers.meta.insights.PAGE_ROWS", len(expected) // 2 + 1)

    first = next(client.insights(part))

    rest = read(meta_client(sandbox, ad_account), part, cursor=first.cursor)
    assert sorted([*first.records, *rest], key=_key) == expected
    with pytest.raises(CursorExpired):
        next(client.insights(other, cursor=first.cursor))


def test_a_part_whose_parents_are_gone_is_empty(client: MetaClient) -> None:
    client.narrower(DAY)
    calls = client.calls

    assert list(client.insights(DAY._replace(campaigns=Ids("0", "1")))) == [([], None)]
    assert client.calls == calls


def test_ranges_that_follow_each_other_hold_every_id() -> None:
    parts = EVERY_ID.cut(["12", "34", "56"])

    assert parts == [Ids("", "34"), Ids("34", "56"), Ids("56", "")]
    for external_id in ("", "1", "12", "33~9", "34", "99999", "act_1"):
        assert sum(part.has(external_id) for part in parts) == 1
    assert Ids("34", "56").cut(["4", "5"]) == [Ids("34", "5"), Ids("5", "56")]
