"""/api/cron/sync-hourly: the secret, the schedule driven from outside, and the health check."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.db import connection as database
from django.utils import timezone
from pytest_django import Settings

from sync import alive
from sync.ledger.pause import pause
from sync.models import Account, Connection, Queue, SyncRequest, SyncRun
from sync.models.choices import Provider, RunState, Trigger
from tests.factories import make_account, make_connection, make_run, make_token
from tests.integration.api_callers import CRON, Answer, Caller, Moment, assert_shape, bearer, database_away
from tests.integration.test_api_status import NUMBERS

DONE = {
    "success": bool,
    "timestamp": Moment,
    "results": {"total": int, "queued": int, "skipped": int, "errors": list},
    "queueStats": {"campaign-sync": NUMBERS, "ad-sync": NUMBERS, "insights-sync": NUMBERS},
}
HEALTH = {
    "healthy": bool,
    "timestamp": Moment,
    "reasons": list,
    "warnings": list,
    "stats": {
        "connections": {"total": int, "active": int},
        "syncs24h": {"total": int, "failed": int, "successRate": str},
        "queue": NUMBERS,
    },
}


def cron() -> Caller:
    return bearer(configured.CRON_SECRET)


def at_work(*queues: str) -> None:
    """As if a worker of these queues and beat had just shown themselves."""
    alive.record("worker@here", started_at=timezone.now(), queues=queues)
    alive.record_tick()


@pytest.fixture
def _no_hour_ends() -> Iterator[None]:
    """Between what a test prepares and what it looks at."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer cron-secret-for-test",
        "Bearer cron-secret-for-tests-and-more",
        "Bearer CRON-SECRET-FOR-TESTS",
        "Bearer cron-secret-for-tests cron-secret-for-tests",
        "Basic cron-secret-for-tests",
        "cron-secret-for-tests",
        "Bearer größer",
    ],
)
def test_without_the_secret_nothing_happens(
    account: Account, settings: Settings, method: str, header: str | None
) -> None:
    make_connection(account, next_sync_at=timezone.now())
    caller = Caller({"Authorization": header} if header is not None else {})

    answer = caller.call(method, CRON)

    assert (answer.status, answer.body["error"]) == (401, "Unauthorized")
    assert not SyncRun.objects.exists()


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer None", "Bearer False"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unset_secret_lets_nobody_in(db: None, settings: Settings, method: str, header: str) -> None:
    settings.CRON_SECRET = ""

    assert Caller({"Authorization": header}).call(method, CRON).status == 401


def test_an_api_token_is_no_cron_secret(alice: User, account: Account) -> None:
    assert bearer(make_token(account, alice)).get(CRON).status == 401


def test_the_cron_secret_is_no_api_token(account: Account) -> None:
    assert cron().get("/api/sync/status").status == 401


@pytest.mark.usefixtures("_no_hour_ends")
def test_this_hours_connections_are_asked_for(account: Account, other_account: Account) -> None:
    end = timezone.now().replace(minute=59, second=59, microsecond=999_999)
    due = make_connection(account, next_sync_at=end)
    busy = make_connection(other_account, Provider.GOOGLE, next_sync_at=end)
    make_run(busy, state=RunState.RUNNING)
    make_connection(account, next_sync_at=end + timedelta(hours=1))
    pause(make_connection(account, next_sync_at=end), by="carol")

    answer = cron().get(CRON)

    assert answer.status == 200
    assert_shape(answer.body, DONE)
    assert answer.body["success"] is True
    assert answer.body["results"] == {"total": 2, "queued": 2, "skipped": 0, "errors": []}
    assert answer.body["queueStats"]["campaign-sync"]["waiting"] == 1
    assert answer.body["queueStats"]["campaign-sync"]["active"] == 1
    assert answer.body["queueStats"]["insights-sync"]["waiting"] == 2
    assert SyncRun.objects.filter(connection=busy).count() == 2  # what runs covers its part of the sync
    for run in SyncRun.objects.filter(connection=due):
        assert (run.trigger, run.request.source) == (Trigger.SCHEDULED, "cron")


@pytest.mark.usefixtures("_no_hour_ends")
def test_a_second_call_in_the_hour_does_nothing_twice(account: Account) -> None:
    make_connection(account, next_sync_at=timezone.now())

    cron().get(CRON)
    again = cron().get(CRON)

    assert again.body["results"] == {"total": 0, "queued": 0, "skipped": 0, "errors": []}
    assert (SyncRequest.objects.count(), SyncRun.objects.count()) == (1, 2)


def test_the_call_does_what_the_tick_does(account: Account) -> None:
    past = timezone.now() - timedelta(seconds=1)
    deferred = make_run(make_connection(account), state=RunState.DEFERRED, available_at=past)
    lost = make_run(make_connection(account), state=RunState.RUNNING, lease_expires_at=past)

    cron().get(CRON)

    states = SyncRun.objects.in_bulk([deferred.pk, lost.pk])
    assert [states[run.pk].state for run in (deferred, lost)] == [RunState.QUEUED, RunState.QUEUED]


@pytest.mark.django_db(transaction=True)
def test_two_crons_at_once_ask_once() -> None:
    account = make_account()
    for _ in range(5):
        make_connection(account, next_sync_at=timezone.now())
    start = threading.Barrier(2)

    def call(_: int) -> Answer:
        start.wait()
        try:
            return cron().get(CRON)
        finally:
            database.close()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(call, range(2)))

    assert [answer.status for answer in answers] == [200, 200]
    assert sum(answer.body["results"]["queued"] for answer in answers) == SyncRequest.objects.count() == 5
    assert SyncRun.objects.count() == 10


def test_it_is_healthy_when_everything_is_at_work(account: Account) -> None:
    connection = make_connection(account)
    pause(make_connection(account), by="carol")
    for _ in range(49):
        make_run(connection, state=RunState.SUCCEEDED)
    make_run(connection, state=RunState.FAILED)
    make_run(connection, state=RunState.FAILED, finished_at=timezone.now() - timedelta(hours=25))
    make_run(connection)
    at_work("sync.meta", "maintenance")

    answer = cron().post(CRON)

    assert answer.status == 200
    assert_shape(answer.body, HEALTH)
    assert (answer.body["healthy"], answer.body["reasons"]) == (True, [])
    assert answer.body["stats"] == {
        "connections": {"total": 2, "active": 1},
        "syncs24h": {"total": 50, "failed": 1, "successRate": "98.0%"},
        "queue": {"waiting": 1, "active": 0, "completed": 49, "failed": 1, "delayed": 0, "total": 51},
    }


def unhealthy() -> Any:
    answer = cron().post(CRON)
    assert answer.status == 503
    assert_shape(answer.body, {**HEALTH, "reasons": [str], "stats": (dict, None)})
    assert answer.body["healthy"] is False
    return answer.body


def test_it_is_unhealthy_without_workers_and_beat(connection: Connection) -> None:
    make_run(connection)

    body = unhealthy()

    assert body["reasons"][:2] == [
        "No worker serves the queue maintenance.",
        "No worker serves the queue sync.meta.",
    ]
    assert "beat" in body["reasons"][2]
    assert_shape(body["stats"], HEALTH["stats"])


@pytest.mark.django_db(transaction=True)
def test_it_is_unhealthy_while_the_database_is_away() -> None:
    with database_away():
        body = unhealthy()

    assert body["reasons"] == ["The database does not answer."]
    assert body["stats"] is None


def test_a_queue_is_named_when_its_due_run_is_not_started(connection: Connection) -> None:
    make_run(connection, queued_at=timezone.now() - timedelta(minutes=2))
    at_work("sync.meta", "maintenance")

    [reason] = unhealthy()["reasons"]

    assert reason.startswith("sync.meta: a sync has been due for 12")
    pause(Queue.objects.get(), by="carol")
    assert cron().post(CRON).status == 200
