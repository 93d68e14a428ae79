"""/api/runs: every sync that is kept, and one of them with its attempts."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sync.models import Account, Connection, SyncAttempt, SyncRun
from sync.models.choices import ConnectionStatus, Kind, Mode, Provider, RunState, Trigger
from tests.factories import make_connection, make_run
from tests.integration.api_callers import Caller, Id, Moment, assert_shape, by_token, rows
from tests.integration.test_api_run_status import ATTEMPT

PATH = "/api/runs"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY = (str, None)
ROW = {
    "id": Id,
    "requestId": Id,
    "connectionId": Id,
    "provider": str,
    "kind": str,
    "mode": str,
    "trigger": str,
    "syncType": str,
    "state": str,
    "status": str,
    "healthStatus": str,
    "stage": str,
    "progress": int,
    "createdAt": Moment,
    "startedAt": (Moment, None),
    "completedAt": (Moment, None),
    "availableAt": (Moment, None),
    "duration": (int, None),
    "levels": list,
    "dateFrom": DAY,
    "dateTo": DAY,
    "campaignsSync": int,
    "adGroupsSync": int,
    "adsSync": int,
    "insightsSync": int,
    "detectedChanges": dict,
    "calls": int,
    "errorMessage": (str, None),
    "errorCategory": (str, None),
    "errorCode": (str, None),
    "retryCount": int,
    "waitingFor": (str, None),
}
WHOLE = {
    **ROW,
    "campaignIds": list,
    "adGroupIds": list,
    "adIds": list,
    "accessIssues": list,
    "dataDiscrepancies": list,
    "attempts": [ATTEMPT],
}


@pytest.fixture
def caller(victor: User, account: Account) -> Caller:
    return by_token(victor, account)


def found(caller: Caller, **query: str) -> list[str]:
    return [row["id"] for row in rows(caller, PATH, **query)]


def test_a_run_tells_what_it_did(caller: Caller, connection: Connection) -> None:
    run = make_run(
        connection,
        state=RunState.FAILED,
        trigger=Trigger.MANUAL,
        kind=Kind.INSIGHTS,
        levels=["campaign"],
        date_from=date(2026, 11, 1),
        date_to=date(2026, 11, 7),
        insights_count=40,
        changes={"updated": 2},
        failed_attempts=3,
        error_message="Meta broke",
        error_category="API_ERROR",
    )

    body = caller.get(PATH).body

    assert_shape(body, {"results": [ROW], "nextCursor": None})
    [row] = body["results"]
    assert (row["id"], row["connectionId"], row["provider"]) == (str(run.pk), str(connection.pk), "meta")
    assert (row["kind"], row["syncType"], row["state"], row["status"]) == (
        "insights",
        "MANUAL",
        "failed",
        "FAILED",
    )
    assert (row["levels"], row["dateFrom"], row["dateTo"]) == (["campaign"], "2026-11-01", "2026-11-07")
    assert (row["duration"], row["insightsSync"], row["detectedChanges"]) == (10, 40, {"updated": 2})
    assert (row["errorMessage"], row["errorCode"], row["retryCount"]) == ("Meta broke", None, 2)


def test_one_run_is_told_with_its_attempts(caller: Caller, connection: Connection) -> None:
    run = make_run(connection, state=RunState.SUCCEEDED, campaign_ids=["7"], data_discrepancies=["odd"])
    for number in (2, 1):
        at = NOON + timedelta(minutes=number)
        SyncAttempt.objects.create(run=run, lease_token=uuid4(), worker=f"w{number}", started_at=at)

    answer = caller.get(f"{PATH}/{run.pk}")

    assert answer.status == 200
    assert_shape(answer.body, WHOLE)
    assert [attempt["worker"] for attempt in answer.body["attempts"]] == ["w1", "w2"]
    assert (answer.body["campaignIds"], answer.body["dataDiscrepancies"]) == (["7"], ["odd"])
    assert found(caller, fields="id,attempts") == [str(run.pk)]


def test_what_waits_says_for_what(caller: Caller, account: Account) -> None:
    denied = make_connection(account, status=ConnectionStatus.ACCESS_DENIED)
    failed, waits = make_run(denied, state=RunState.FAILED), make_run(denied, kind=Kind.INSIGHTS)
    words = "access to the ad account, which the platform denies"

    told = {row["id"]: row["waitingFor"] for row in caller.get(PATH).body["results"]}
    csv = caller.client.get(PATH, {"format": "csv", "fields": "id,waitingFor"}, headers=caller.headers)

    assert told == {str(failed.pk): None, str(waits.pk): words}
    assert caller.get(f"{PATH}/{waits.pk}").body["waitingFor"] == words
    assert csv.getvalue().decode().splitlines()[1:] == [f'{waits.pk},"{words}"', f"{failed.pk},"]


def test_the_number_of_queries_does_not_grow(
    caller: Caller, account: Account, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        make_run(make_connection(account))

    with django_assert_max_num_queries(9):
        caller.get(PATH)


def test_the_newest_come_first_and_filters_narrow_them(
    caller: Caller, connection: Connection, account: Account
) -> None:
    google = make_connection(account, Provider.GOOGLE)
    runs = [
        make_run(connection, state=RunState.SUCCEEDED),
        make_run(connection, state=RunState.FAILED, mode=Mode.INCREMENTAL, trigger=Trigger.MANUAL),
        make_run(google, kind=Kind.ADS),
    ]
    for minute, run in enumerate(runs):
        SyncRun.objects.filter(pk=run.pk).update(created_at=NOON + timedelta(minutes=minute))
    first, second, third = (str(run.pk) for run in runs)

    assert found(caller) == [third, second, first]
    assert found(caller, ordering="createdAt") == [first, second, third]
    assert found(caller, connection=str(connection.pk)) == [second, first]
    assert found(caller, provider="google") == found(caller, kind="ads") == [third]
    assert found(caller, state="failed,queued") == [third, second]
    assert found(caller, mode="incremental") == found(caller, trigger="manual") == [second]
    assert found(caller, since="2026-11-01T12:01:00Z", until="2026-11-01T12:02:00Z") == [second]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": "SUCCESS"}, "state"),
        ({"kind": "keywords"}, "kind"),
        ({"mode": "partial"}, "mode"),
        ({"trigger": "me"}, "trigger"),
        ({"since": "2026-11-02", "until": "2026-11-01"}, "until"),
    ],
)
def test_a_wrong_query_is_named(
    caller: Caller, connection: Connection, query: dict[str, str], field: str
) -> None:
    answer = caller.get(PATH, **query)

    assert answer.status == 400
    assert answer.body["details"][0]["field"].split(".")[0] == field


def test_somebody_elses_run_is_not_found(caller: Caller, other_account: Account) -> None:
    theirs = make_run(make_connection(other_account))

    assert caller.get(f"{PATH}/{theirs.pk}").status == caller.get(f"{PATH}/{uuid4()}").status == 404
    assert caller.get(PATH, connection=str(theirs.connection_id)).status == 404


def test_a_page_ends_where_the_next_begins_while_new_runs_come(
    caller: Caller, connection: Connection
) -> None:
    runs = [str(make_run(connection, state=RunState.SUCCEEDED).pk) for _ in range(5)]
    for minute, pk in enumerate(runs):
        SyncRun.objects.filter(pk=pk).update(created_at=timezone.now() - timedelta(minutes=10 - minute))
    first = caller.get(PATH, pageSize="2").body

    make_run(connection)

    assert [row["id"] for row in first["results"]] == runs[:2:-1]
    assert found(caller, cursor=first["nextCursor"]) == runs[2::-1]
