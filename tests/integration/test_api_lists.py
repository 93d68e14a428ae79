"""What all lists of data promise alike: few queries, one tenant's rows only, JSON and CSV."""

import csv
import json
from collections.abc import Callable
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from sync.models import Account, Connection, SyncAttempt, SyncRun
from sync.models.choices import RunState
from tests.factories import (
    make_ad,
    make_ad_group,
    make_campaign,
    make_change,
    make_connection,
    make_insight,
    make_run,
)
from tests.integration.api_callers import Answer, Caller, by_session, by_token


def make_attempted(connection: Connection) -> SyncRun:
    run = make_run(connection, state=RunState.SUCCEEDED)
    SyncAttempt.objects.create(run=run, lease_token=uuid4(), worker="w", started_at=run.created_at)
    return run


LISTS: dict[str, Callable[[Connection], Any]] = {
    "connections": lambda connection: make_connection(connection.account),
    "campaigns": make_campaign,
    "ad-groups": make_ad_group,
    "ads": make_ad,
    "changes": make_change,
    "runs": make_attempted,
    "insights": make_insight,
    "insights/totals": make_insight,
}
DAYS = {"level": "campaign", "range": "this_year"}
NEEDED = {"insights": DAYS, "insights/totals": {**DAYS, "by": "entity"}}
HAVE_ONE = {"connections", "campaigns", "ad-groups", "ads", "runs"}  # a route for one of them
EACH = pytest.mark.parametrize("what", LISTS)


@pytest.fixture
def caller(victor: User, account: Account) -> Caller:
    return by_token(victor, account)


def page(caller: Caller, what: str, **query: str) -> Answer:
    return caller.get(f"/api/{what}", **NEEDED.get(what, {}), **query)


def table(caller: Caller, what: str) -> list[list[str]]:
    """The lines of the CSV, the names first."""
    query = {"format": "csv", **NEEDED.get(what, {})}
    response = caller.client.get(f"/api/{what}", query, headers=caller.headers)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8; header=present"
    return list(csv.reader(StringIO(response.getvalue().decode())))


def queries_of(act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(database) as captured:
        act()
    return len(captured)


def rows_of(caller: Caller, what: str, connection: Connection) -> list[Any]:
    found: list[Any] = page(caller, what).body["results"]
    return found if what != "connections" else [row for row in found if row["id"] != str(connection.pk)]


@EACH
@pytest.mark.parametrize("form", ["json", "csv"])
def test_fifty_rows_need_no_more_queries_than_one(
    caller: Caller, connection: Connection, what: str, form: str
) -> None:
    def read() -> None:
        query = {"format": form, **NEEDED.get(what, {})}
        response = caller.client.get(f"/api/{what}", query, headers=caller.headers)
        assert response.getvalue()

    LISTS[what](connection)
    one = queries_of(read)
    for _ in range(49):
        LISTS[what](make_connection(connection.account) if what == "changes" else connection)

    assert queries_of(read) == one
    assert (
        one <= 12
    )  # the caller's three, the ad accounts, the rows, what is beside them; of CSV the transaction


@EACH
def test_everybody_sees_his_own_rows_only(
    caller: Caller, connection: Connection, other_account: Account, mallory: User, what: str
) -> None:
    theirs = make_connection(other_account)
    LISTS[what](connection)
    LISTS[what](theirs)

    for stranger, own in ((caller, connection), (by_session(mallory), theirs)):
        rows = rows_of(stranger, what, own)
        assert len(rows) == 1
        assert rows[0].get("connectionId", str(own.pk)) == str(own.pk)
        [names, *lines] = table(stranger, what)
        assert len(lines) == (2 if what == "connections" else 1)
        assert str(other_account.pk) not in str(names + lines)


@EACH
@pytest.mark.parametrize("form", ["json", "csv"])
def test_who_is_not_signed_in_gets_nothing(connection: Connection, what: str, form: str) -> None:
    LISTS[what](connection)

    answer = page(Caller(), what, format=form)

    assert (answer.status, answer.body["error"]) == (401, "Unauthorized")


@EACH
def test_the_csv_tells_what_the_json_tells(caller: Caller, connection: Connection, what: str) -> None:
    for _ in range(3):
        LISTS[what](connection)

    rows = page(caller, what).body["results"]
    [names, *lines] = table(caller, what)

    assert names == list(rows[0])
    assert lines == [[written(value, name) for name, value in row.items()] for row in rows]


def written(value: Any, name: str) -> str:
    if value is None:
        return ""
    is_json = isinstance(value, list | dict) or name in ("old", "new")
    return json.dumps(value, separators=(",", ":")) if is_json else str(value)


@EACH
def test_a_list_of_nothing_is_empty(caller: Caller, what: str) -> None:
    body = page(caller, what).body

    assert (body["results"], body["nextCursor"]) == ([], None)
    assert len(table(caller, what)) == 1


@EACH
def test_an_unknown_parameter_is_named_beside_the_known(
    caller: Caller, connection: Connection, what: str
) -> None:
    one = f"/{connection.pk if what in ('connections', 'runs') else 1}"
    for path in (f"/api/{what}", *([f"/api/{what}{one}"] if what in HAVE_ONE else [])):
        answer = caller.get(path, colour="red")
        assert answer.status == 400
        [detail] = answer.body["details"]
        assert detail["field"] == "colour"
        assert "fields" in detail["message"]
