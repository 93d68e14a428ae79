"""GET /api/sync/status: each field, what narrows it, and what it costs."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from sync import moments
from sync.ledger.pause import pause
from sync.models import Account, Connection, SyncRun
from sync.models.choices import (
    ConnectionStatus,
    CredentialStatus,
    Mode,
    RunState,
    Trigger,
)
from tests.factories import make_connection, make_run
from tests.integration.api_callers import STATUS, Caller, Id, Moment, assert_shape, by_token, written

JOB = {"id": Id, "provider": str, "syncType": str, "progress": int, "stage": str, "startedAt": Moment}
QUEUE = {
    "isActive": bool,
    "isWaiting": bool,
    "queuePosition": (int, None),
    "estimatedStartAt": (Moment, None),
    "waitingFor": (str, None),
    "hasRecentFailures": bool,
    "activeJob": (dict, None),
    "recentFailures": list,
}
FAILURE = {"id": Id, "error": str, "timestamp": Moment, "attempts": int}
NUMBERS = dict.fromkeys(("waiting", "active", "completed", "failed", "delayed", "total"), int)
COUNTS = dict.fromkeys(("campaignsSync", "adGroupsSync", "adsSync", "insightsSync"), int)
RUN = {
    "id": Id,
    "provider": str,
    "syncType": str,
    "status": str,
    "healthStatus": str,
    "startedAt": (Moment, None),
    "completedAt": (Moment, None),
    "duration": (int, None),
    **COUNTS,
    "errorMessage": (str, None),
    "errorCategory": (str, None),
    "retryCount": int,
}
CONNECTION = {
    "id": Id,
    "externalId": str,
    "name": str,
    "status": str,
    "lastSyncAt": (Moment, None),
    "nextSyncAt": (Moment, None),
    "hasErrors": bool,
}
STATS = {
    "totalSyncs": int,
    "successfulSyncs": int,
    "failedSyncs": int,
    "successRate": str,
    "avgDuration": int,
    "avgDurationMs": int,
    "avgDurationFormatted": str,
    "lastSuccessfulSync": (Moment, None),
    "lastFailedSync": (Moment, None),
    "errorCategories": dict,
    "manualSyncsToday": int,
    "maxManualSyncsPerDay": int,
    "canSyncManually": bool,
    "nextScheduledSync": (Moment, None),
}
SHARED = {
    "accountId": Id,
    "providers": [{"provider": str, "connection": CONNECTION, "queue": QUEUE}],
    "recentSyncs": [RUN],
    "stats": STATS,
    "queues": {"campaign-sync": NUMBERS, "ad-sync": NUMBERS, "insights-sync": NUMBERS},
    "timestamp": Moment,
}
BODY = {
    **SHARED,
    "isRunning": bool,
    "currentProvider": (str, None),
    "progress": int,
    "message": str,
    "lastSync": {"provider": str, "status": str, "completedAt": Moment, "duration": int, **COUNTS},
    "nextSync": {"provider": str, "scheduledAt": Moment},
    "queueStatus": NUMBERS,
    "recentErrors": int,
    "queue": QUEUE,
    "fullStats": SHARED,
}
EXPECTED_FAILURE: dict[str, Any] = {
    "error_message": "Meta broke",
    "error_category": "UNKNOWN",
    "failed_attempts": 3,
}


@pytest.fixture
def caller(bob: User, account: Account) -> Caller:
    return by_token(bob, account)


def status(caller: Caller, **query: str) -> Any:
    answer = caller.get(STATUS, **query)
    assert answer.status == 200
    return answer.body


def make_ended(connection: Connection, seconds: int = 90, **columns: Any) -> SyncRun:
    now = timezone.now()
    state = columns.pop("state", RunState.SUCCEEDED)
    defaults = {"started_at": now - timedelta(seconds=seconds), "finished_at": now, **columns}
    return make_run(connection, state=state, **defaults)


def test_every_field_is_there_with_its_type(caller: Caller, connection: Connection) -> None:
    make_ended(connection)
    make_ended(connection, state=RunState.FAILED, **EXPECTED_FAILURE)
    make_run(connection, state=RunState.RUNNING)
    make_run(connection, state=RunState.DEFERRED)

    for query in ({}, {"provider": "meta"}):
        body = status(caller, **query)
        assert_shape(body, BODY)
        assert_shape(body["queue"]["activeJob"], JOB)
        assert_shape(body["queue"]["recentFailures"], [FAILURE])
        assert body["fullStats"] == {name: body[name] for name in SHARED}


def test_an_account_without_anything_has_every_field(caller: Caller, account: Account) -> None:
    body = status(caller)

    assert set(body) == set(BODY)
    assert (body["isRunning"], body["progress"], body["currentProvider"]) == (False, 0, None)
    assert body["message"] == "No ad account is connected"
    assert body["lastSync"] is None
    assert body["nextSync"] == {"provider": None, "scheduledAt": None}
    assert body["providers"] == body["recentSyncs"] == []
    assert body["queue"] == {
        "isActive": False,
        "isWaiting": False,
        "queuePosition": None,
        "estimatedStartAt": None,
        "waitingFor": None,
        "hasRecentFailures": False,
        "activeJob": None,
        "recentFailures": [],
    }
    assert body["stats"]["successRate"] == "100.0%"
    assert body["stats"]["canSyncManually"] is False
    assert body["accountId"] == str(account.pk)


def test_a_running_sync_is_shown_with_its_progress(caller: Caller, connection: Connection) -> None:
    run = make_run(
        connection,
        state=RunState.RUNNING,
        trigger=Trigger.MANUAL,
        checkpoint={"stream": "ads", "cursor": "c"},
        expected={"campaigns": 10, "ad_groups": 20, "ads": 200},
        campaigns_count=10,
        ad_groups_count=20,
        ads_count=50,
    )

    body = status(caller)

    assert (body["isRunning"], body["currentProvider"], body["progress"]) == (True, "meta", 75)
    assert body["message"] == f"Syncing {connection.name}: fetching ads, 75 %"
    assert body["queue"]["isActive"] is True
    assert body["queue"]["activeJob"]["id"] == str(run.pk)
    assert body["queue"]["activeJob"]["syncType"] == "MANUAL"
    assert body["queue"]["activeJob"]["stage"] == "fetching_ads"


def test_a_waiting_sync_has_its_place_and_its_reason(caller: Caller, account: Account) -> None:
    for _ in range(2):
        make_run(make_connection(account), state=RunState.RUNNING)
    first, second = make_connection(account), make_connection(account)
    make_run(first)
    make_run(second)

    body = status(caller)

    places = {one["connection"]["id"]: one["queue"]["queuePosition"] for one in body["providers"]}
    assert (places[str(first.pk)], places[str(second.pk)]) == (1, 2)
    assert (body["queue"]["isWaiting"], body["queue"]["queuePosition"]) == (True, 1)
    assert body["queue"]["waitingFor"] == "a free slot: 2 of 2 slots busy"


def test_a_deferred_sync_is_waiting_until_its_time(caller: Caller, connection: Connection) -> None:
    until = timezone.now() + timedelta(minutes=5)
    make_run(connection, state=RunState.DEFERRED, available_at=until, waiting_for="10 calls a minute")

    queue = status(caller)["queue"]

    assert (queue["isActive"], queue["isWaiting"], queue["queuePosition"]) == (False, True, None)
    assert queue["waitingFor"] == f"the call budget: 10 calls a minute, until {moments.told(until)}"
    assert queue["estimatedStartAt"] == written(until)


@pytest.mark.parametrize(
    ("state", "trigger", "mode", "expected"),
    [
        (RunState.QUEUED, Trigger.MANUAL, Mode.FULL, ("pending", "MANUAL", "HEALTHY")),
        (RunState.DEFERRED, Trigger.SCHEDULED, Mode.INCREMENTAL, ("pending", "INCREMENTAL", "HEALTHY")),
        (RunState.RUNNING, Trigger.WEBHOOK, Mode.FULL, ("running", "FULL", "HEALTHY")),
        (RunState.SUCCEEDED, Trigger.SCHEDULED, Mode.FULL, ("SUCCESS", "FULL", "HEALTHY")),
        (RunState.FAILED, Trigger.RULE, Mode.FULL, ("FAILED", "FULL", "UNHEALTHY")),
        (RunState.CANCELLED, Trigger.MANUAL, Mode.INCREMENTAL, ("CANCELLED", "MANUAL", "PARTIAL")),
    ],
)
def test_a_runs_words_are_the_contracts(
    caller: Caller,
    connection: Connection,
    state: str,
    trigger: Trigger,
    mode: Mode,
    expected: tuple[str, str, str],
) -> None:
    make_run(connection, state=state, trigger=trigger, mode=mode)

    [run] = status(caller)["recentSyncs"]

    assert (run["status"], run["syncType"], run["healthStatus"]) == expected


def test_history_tells_what_a_sync_did(caller: Caller, connection: Connection) -> None:
    run = make_ended(
        connection, 90, campaigns_count=1, ad_groups_count=2, ads_count=3, insights_count=4, failed_attempts=1
    )

    body = status(caller)

    counts = {"campaignsSync": 1, "adGroupsSync": 2, "adsSync": 3, "insightsSync": 4}
    assert body["recentSyncs"][0] == {
        "id": str(run.pk),
        "provider": "meta",
        "syncType": "FULL",
        "status": "SUCCESS",
        "healthStatus": "HEALTHY",
        "startedAt": written(run.started_at),
        "completedAt": written(run.finished_at),
        "duration": 90,
        **counts,
        "errorMessage": None,
        "errorCategory": None,
        "retryCount": 1,
    }
    completed = body["recentSyncs"][0]["completedAt"]
    last = {"provider": "meta", "status": "SUCCESS", "completedAt": completed, "duration": 90, **counts}
    assert body["lastSync"] == last


def test_the_twenty_newest_syncs_are_listed_newest_first(caller: Caller, connection: Connection) -> None:
    runs = [make_ended(connection) for _ in range(22)]

    listed = [run["id"] for run in status(caller)["recentSyncs"]]

    assert listed == [str(run.pk) for run in reversed(runs)][:20]


def test_failures_of_the_last_day_are_told(caller: Caller, account: Account) -> None:
    bad, good = make_connection(account), make_connection(account)
    make_ended(bad, state=RunState.FAILED, finished_at=timezone.now() - timedelta(days=2), **EXPECTED_FAILURE)
    failed = make_ended(bad, state=RunState.FAILED, **EXPECTED_FAILURE)
    make_ended(good)

    body = status(caller)

    errors = {one["connection"]["id"]: one["connection"]["hasErrors"] for one in body["providers"]}
    assert errors == {str(bad.pk): True, str(good.pk): False}
    assert body["recentErrors"] == 1
    assert body["queue"]["hasRecentFailures"] is True
    [failure] = body["queue"]["recentFailures"]
    assert (failure["id"], failure["error"], failure["attempts"]) == (str(failed.pk), "Meta broke", 3)
    by_connection = {one["connection"]["id"]: one["queue"]["recentFailures"] for one in body["providers"]}
    assert by_connection == {str(bad.pk): [failure], str(good.pk): []}


def test_a_success_after_a_failure_clears_the_error(caller: Caller, connection: Connection) -> None:
    make_ended(connection, state=RunState.FAILED, **EXPECTED_FAILURE)
    make_ended(connection)

    assert status(caller)["providers"][0]["connection"]["hasErrors"] is False


def test_a_connections_condition_is_its_status(caller: Caller, account: Account) -> None:
    make_connection(account)
    pause(make_connection(account), by="carol")
    lost = make_connection(account).credential
    lost.status = CredentialStatus.RECONNECT_NEEDED
    lost.save()
    make_connection(account, status=ConnectionStatus.ACCESS_DENIED)
    make_connection(account, status=ConnectionStatus.DISCONNECTED)

    told = [one["connection"] for one in status(caller)["providers"]]

    assert [(one["status"], one["hasErrors"], one["nextSyncAt"] is None) for one in told] == [
        ("active", False, False),
        ("paused", False, True),
        ("reconnect_needed", True, True),
        ("access_denied", True, True),
        ("disconnected", False, True),
    ]
