"""/api/changes: what was found changed, by whom, and which of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from sync.changes import FIELDS
from sync.models import Account, Connection
from sync.models.choices import Provider
from tests.factories import make_campaign, make_change, make_connection, make_run
from tests.integration.api_callers import Caller, Id, Moment, assert_shape, by_token, rows

PATH = "/api/changes"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
ROW = {
    "id": int,
    "seenAt": Moment,
    "connectionId": Id,
    "provider": str,
    "entity": str,
    "entityId": str,
    "action": str,
    "field": str,
    "old": (str, int, None),
    "new": (str, int, None),
    "currency": str,
    "by": str,
    "runId": Id,
}


@pytest.fixture
def caller(victor: User, account: Account) -> Caller:
    return by_token(victor, account)


def found(caller: Caller, **query: str) -> list[str]:
    return [row["entityId"] for row in rows(caller, PATH, **query)]


def test_a_change_tells_what_it_was_and_is(caller: Caller, connection: Connection) -> None:
    change = make_change(
        connection,
        external_id="7",
        field="daily_budget_micros",
        old=None,
        new=5_000_000,
        seen_at=NOON,
        by="api",
    )

    body = caller.get(PATH).body

    assert_shape(body, {"results": [ROW], "nextCursor": None})
    [row] = body["results"]
    assert (row["id"], row["seenAt"], row["runId"]) == (change.pk, "2026-11-01T12:00:00Z", str(change.run_id))
    assert (row["entity"], row["entityId"], row["action"]) == ("campaign", "7", "updated")
    assert (row["field"], row["old"], row["new"]) == ("dailyBudgetMicros", None, 5_000_000)
    assert (row["currency"], row["provider"], row["by"]) == ("EUR", "meta", "api")


@pytest.mark.parametrize("column", FIELDS)
def test_each_field_is_called_as_by_its_entity(caller: Caller, connection: Connection, column: str) -> None:
    make_change(connection, field=column)

    [row] = caller.get(PATH).body["results"]

    assert "_" not in row["field"]
    assert found(caller, field=row["field"]) == [row["entityId"]]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, ["4", "3", "2", "1"]),
        ({"entity": "ad,ad_group"}, ["3", "2"]),
        ({"entityId": "1,3"}, ["3", "1"]),
        ({"entity": "ad", "entityId": "1,3"}, ["3"]),
        ({"action": "removed"}, ["2"]),
        ({"field": "status"}, ["3"]),
        ({"by": "api"}, ["4"]),
        ({"provider": "google"}, ["4"]),
        ({"since": "2026-11-01T12:02:00Z"}, ["4", "3"]),
        ({"until": "2026-11-01T13:02:00+01:00"}, ["2", "1"]),
        ({"since": "2026-11-01T12:01:00Z", "until": "2026-11-01T12:02:00Z"}, ["2"]),
        ({"since": "2026-11-02"}, []),
        ({"ordering": "seenAt"}, ["1", "2", "3", "4"]),
    ],
)
def test_filters_narrow_the_list(
    caller: Caller, connection: Connection, account: Account, query: dict[str, str], ids: list[str]
) -> None:
    google = make_connection(account, Provider.GOOGLE)
    for minute, (one, columns) in enumerate(
        [
            (connection, {}),
            (connection, {"entity": "ad_group", "action": "removed", "field": ""}),
            (connection, {"entity": "ad", "field": "status"}),
            (google, {"by": "api"}),
        ]
    ):
        at = NOON + timedelta(minutes=minute)
        make_change(one, external_id=str(minute + 1), seen_at=at, **columns)

    assert found(caller, **query) == ids


def test_what_one_run_saw(caller: Caller, connection: Connection, account: Account) -> None:
    make_change(make_connection(account))
    change = make_change(connection, external_id="7")

    assert found(caller, run=str(change.run_id)) == ["7"]
    assert found(caller, run=str(make_run(connection).pk)) == []


def test_an_unknown_entity_or_run_is_not_found(
    caller: Caller, connection: Connection, other_account: Account
) -> None:
    make_campaign(connection, external_id="1")
    theirs = make_change(make_connection(other_account), external_id="9")

    assert found(caller, entityId="1") == []
    for query in ({"entityId": "1,9"}, {"run": str(theirs.run_id)}, {"run": str(uuid4())}):
        answer = caller.get(PATH, **query)
        assert (answer.status, answer.body["error"]) == (404, "Not found")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-11-02", "until": "2026-11-01"}, "until"),
        ({"since": "2026-11-02", "until": "2026-11-02"}, "until"),
        ({"entity": "account"}, "entity"),
        ({"action": "deleted"}, "action"),
        ({"field": "daily_budget_micros"}, "field"),
        ({"run": "7"}, "run"),
        ({"ordering": "entity"}, "ordering"),
    ],
)
def test_a_wrong_query_is_named(
    caller: Caller, connection: Connection, query: dict[str, str], field: str
) -> None:
    answer = caller.get(PATH, **query)

    assert answer.status == 400
    assert answer.body["details"][0]["field"].split(".")[0] == field


def test_the_future_is_yet_to_come(caller: Caller, connection: Connection) -> None:
    tomorrow = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")

    answer = caller.get(PATH, since=tomorrow)

    assert (answer.status, answer.body["details"][0]["field"]) == (400, "since")


def test_pages_of_many_ad_accounts_hold_every_change_once(caller: Caller, account: Account) -> None:
    connections = [make_connection(account) for _ in range(3)]
    for number in range(30):
        make_change(connections[number % 3], seen_at=NOON + timedelta(minutes=number // 7))
    whole = caller.get(PATH).body["results"]

    paged: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        body = caller.get(PATH, pageSize="4", **cursor).body
        paged += body["results"]
        if body["nextCursor"] is None:
            break
        cursor = {"cursor": body["nextCursor"]}

    assert paged == whole
    assert len({row["id"] for row in whole}) == 30
