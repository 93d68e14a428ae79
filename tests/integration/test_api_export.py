"""CSV of a list: complete, harmless in a spreadsheet, flat in memory, and gone when its reader is."""

import csv
import time
import tracemalloc
from io import StringIO
from typing import Any
from unittest.mock import ANY

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.db import connection as database

from sync.api.data import export
from sync.models import Account, Connection
from tests.factories import make_campaign
from tests.integration.api_callers import Caller, by_token

PATH = "/api/campaigns"


@pytest.fixture
def caller(victor: User, account: Account) -> Caller:
    return by_token(victor, account)


def response_of(caller: Caller, accept: str = "text/csv", **query: str) -> Any:
    return caller.client.get(PATH, query, headers={**caller.headers, "Accept": accept})


def lines_of(caller: Caller, **query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(response_of(caller, **query).getvalue().decode())))


def fill(connection: Connection, count: int) -> None:
    """So many campaigns, made in the database."""
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sync_campaign (connection_id, external_id, name, status, platform_status,"
            " objective, bidding_strategy, raw) SELECT %s, n::text, 'Campaign ' || n, 'active', 'ACTIVE',"
            " '', '', '{}' FROM generate_series(1, %s) AS n",
            [connection.pk, count],
        )


def test_the_header_or_the_parameter_asks_for_it(caller: Caller, connection: Connection) -> None:
    make_campaign(connection, external_id="7", name='Ümläut, "quoted"\nand more')

    by_header, by_parameter = response_of(caller), response_of(caller, "*/*", format="csv")

    assert by_header["Content-Disposition"] == 'attachment; filename="campaigns.csv"'
    assert by_header["Content-Type"] == "text/csv; charset=utf-8; header=present"
    text = by_header.getvalue().decode()
    assert text == by_parameter.getvalue().decode()
    assert text.startswith("id,connectionId,provider,name,")
    [row] = csv.DictReader(StringIO(text, newline=""))
    assert row["name"] == 'Ümläut, "quoted"\nand more'


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html,*/*;q=0.8"])
def test_everybody_else_gets_json(caller: Caller, connection: Connection, accept: str) -> None:
    assert response_of(caller, accept)["Content-Type"] == "application/json"


def test_filters_order_and_fields_are_those_of_the_list(caller: Caller, connection: Connection) -> None:
    for number, status in enumerate(("active", "paused", "active"), 1):
        make_campaign(connection, external_id=str(number), status=status, raw={"a": [number]})

    lines = lines_of(caller, status="active", ordering="-id", fields="id,raw")

    assert lines == [{"id": "3", "raw": '{"a":[3]}'}, {"id": "1", "raw": '{"a":[1]}'}]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t1", "\r1", "\n1", "＝1"])  # noqa: RUF001  (as it comes)
def test_a_formula_is_text_for_a_spreadsheet(caller: Caller, connection: Connection, name: str) -> None:
    make_campaign(connection, name=name)

    assert [line["name"] for line in lines_of(caller)] == [f"'{name}"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Summer;=1+1", "Summer;'=1+1"),  # where semicolons separate, as in Germany
        ("Summer\t@SUM(A1)", "Summer\t'@SUM(A1)"),
        ("Summer\n=1", "Summer\n'=1"),
        ("\r=1", "'\r'=1"),
        ("=1;+2;-3", "'=1;'+2;'-3"),
        ("A; - 5 = 3 + 2, @home", "A; - 5 = 3 + 2, @home"),
    ],
)
def test_nor_where_the_spreadsheet_separates_by_something_else(
    caller: Caller, connection: Connection, name: str, told: str
) -> None:
    make_campaign(connection, name=name)

    assert [line["name"] for line in lines_of(caller)] == [told]


def test_numbers_stay_numbers(caller: Caller, connection: Connection) -> None:
    make_campaign(connection, daily_budget_micros=-5)

    assert lines_of(caller, fields="dailyBudgetMicros,lifetimeBudgetMicros") == [
        {"dailyBudgetMicros": "-5", "lifetimeBudgetMicros": ""}
    ]


@pytest.mark.parametrize("query", [{"cursor": "a"}, {"pageSize": "10"}])
def test_it_has_no_pages(caller: Caller, connection: Connection, query: dict[str, str]) -> None:
    response = response_of(caller, **query)

    assert (response.status_code, response["Content-Type"]) == (400, "application/json")
    assert response.json()["details"][0]["field"] in query


def test_a_mistake_is_told_in_json(caller: Caller, connection: Connection) -> None:
    response = response_of(caller, status="on")

    assert (response.status_code, response["Content-Type"]) == (400, "application/json")


def test_memory_stays_flat(caller: Caller, connection: Connection) -> None:
    def peak(rows: int) -> int:
        fill(connection, rows)
        tracemalloc.start()
        response = response_of(caller, fields="id,name")
        assert sum(part.count(b"\n") for part in response.streaming_content) == rows + 1
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        database.cursor().execute("DELETE FROM sync_campaign")
        return peak

    few, many = peak(3_000), peak(30_000)

    assert many < 1.2 * few


def test_slow_readers_of_one_account_leave_room_for_others(
    caller: Caller, connection: Connection, mallory: User, other_account: Account
) -> None:
    slow = [response_of(caller) for _ in range(export.AT_ONCE)]
    next(iter(slow[0].streaming_content))

    refused = response_of(caller)

    assert (refused.status_code, refused["Retry-After"]) == (429, str(export.AGAIN_SECONDS))
    assert refused.json()["error"] == "Rate limit exceeded"
    assert caller.get(PATH).status == 200
    assert lines_of(by_token(mallory, other_account)) == []
    for reader in slow:
        reader.close()
    assert [response_of(caller).getvalue() for _ in slow] == [ANY, ANY]
    assert not export._running


@pytest.mark.django_db(transaction=True)
def test_a_reader_that_goes_away_frees_the_database(caller: Caller, connection: Connection) -> None:
    fill(connection, 5_000)
    response = response_of(caller)
    parts = response.streaming_content
    next(parts), next(parts)
    assert database.in_atomic_block

    response.close()

    assert not database.in_atomic_block
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_cursors WHERE is_holdable = false AND name LIKE '_django%%'")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_a_reader_that_stops_loses_its_export(
    caller: Caller, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PATIENCE_SECONDS", 0.2)
    fill(connection, 5_000)
    parts = response_of(caller).streaming_content
    next(parts), next(parts)

    time.sleep(0.5)  # the guarantee is about time

    with pytest.raises(DatabaseError, match="idle-in-transaction"):
        list(parts)
    database.close()
