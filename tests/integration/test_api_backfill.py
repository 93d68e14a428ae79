"""POST /api/insights/backfill: days of the past, read behind what people wait for."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User

from sync.ledger.pause import pause
from sync.models import Account, Connection, SyncRequest, SyncRun
from sync.models.choices import Kind, Priority, RunState, Trigger
from tests.factories import make_connection
from tests.integration.api_callers import Caller, Id, assert_shape, by_session, by_token

PATH = "/api/insights/backfill"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OCTOBER = {"from": "2026-10-01", "to": "2026-10-31"}
BODY = {
    "success": bool,
    "jobId": Id,
    "jobIds": [Id],
    "syncHistoryId": Id,
    "message": str,
    "joined": bool,
}


@pytest.fixture(autouse=True)
def _now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def caller(bob: User, account: Account) -> Caller:
    return by_token(bob, account)


def test_it_becomes_a_run_of_these_days(caller: Caller, connection: Connection, bob: User) -> None:
    answer = caller.post(
        PATH, {"connectionId": str(connection.pk), **OCTOBER, "levels": ["campaign", "account"]}
    )

    assert answer.status == 202
    assert_shape(answer.body, BODY)
    run = SyncRun.objects.get()
    assert answer.body["jobIds"] == [str(run.pk)]
    assert (run.kind, run.trigger, run.priority, run.state) == (
        Kind.INSIGHTS,
        Trigger.MANUAL,
        Priority.SCHEDULED,
        RunState.QUEUED,
    )
    assert (run.levels, run.date_from, run.date_to) == (
        ["account", "campaign"],
        date(2026, 10, 1),
        date(2026, 10, 31),
    )
    assert SyncRequest.objects.get().requested_by == bob
    assert caller.get(f"/api/sync/status/{answer.body['jobId']}").body["status"] == "pending"


def test_the_last_day_is_today_unless_it_is_told(caller: Caller, connection: Connection) -> None:
    assert caller.post(PATH, {"connectionId": str(connection.pk), "from": "2026-10-01"}).status == 202
    assert SyncRun.objects.get().date_to == NOW.date()


def test_neighbouring_days_join_a_waiting_run(caller: Caller, connection: Connection) -> None:
    caller.post(PATH, {"connectionId": str(connection.pk), **OCTOBER})

    answer = caller.post(PATH, {"connectionId": str(connection.pk), "from": "2026-09-01", "to": "2026-09-30"})

    assert (answer.status, answer.body["joined"]) == (202, True)
    assert SyncRun.objects.get().date_from == date(2026, 9, 1)


def test_the_same_days_are_asked_for_once(caller: Caller, connection: Connection) -> None:
    body = {"connectionId": str(connection.pk), **OCTOBER}
    first = caller.post(PATH, body)

    again = caller.post(PATH, body)

    assert (again.status, again.body["error"]) == (409, "Sync already in progress")
    assert again.body["jobId"] == first.body["jobId"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"from": None}, "from"),
        ({"from": "2026-11-01"}, "to"),
        ({"to": "2026-12-01"}, "to"),
        ({"from": "2023-10-01"}, "from"),
        ({"from": "October"}, "from"),
        ({"levels": ["keyword"]}, "levels"),
        ({"levels": "ad"}, "levels"),
        ({"connectionId": 7}, "connectionId"),
    ],
)
def test_a_wrong_body_is_named(
    caller: Caller, connection: Connection, change: dict[str, Any], field: str
) -> None:
    answer = caller.post(PATH, {"connectionId": str(connection.pk), **OCTOBER, **change})

    assert (answer.status, answer.body["error"]) == (400, "Validation error")
    assert answer.body["details"][0]["field"].split(".")[0] == field
    assert not SyncRun.objects.exists()


def test_a_paused_ad_account_is_not_connected(caller: Caller, connection: Connection) -> None:
    pause(connection, by="carol")

    answer = caller.post(PATH, {"connectionId": str(connection.pk), **OCTOBER})

    assert (answer.status, answer.body["error"]) == (400, "Provider not connected")


def test_it_counts_as_a_manual_sync(caller: Caller, account: Account) -> None:
    for _ in range(account.manual_syncs_per_hour):
        body = {"connectionId": str(make_connection(account).pk), **OCTOBER}
        assert caller.post(PATH, body).status == 202

    refused = caller.post(PATH, {"connectionId": str(make_connection(account).pk), **OCTOBER})

    assert (refused.status, refused.body["error"]) == (429, "Rate limit exceeded")


def test_somebody_elses_ad_account_is_not_found(caller: Caller, other_account: Account) -> None:
    theirs = make_connection(other_account)

    assert caller.post(PATH, {"connectionId": str(theirs.pk), **OCTOBER}).status == 404
    assert not SyncRun.objects.exists()


def test_a_viewer_can_look_only(connection: Connection, victor: User) -> None:
    answer = by_session(victor).post(PATH, {"connectionId": str(connection.pk), **OCTOBER})

    assert (answer.status, answer.body["error"]) == (403, "Forbidden")
    assert not SyncRun.objects.exists()
