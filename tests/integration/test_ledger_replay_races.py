"""Replays at the same moment as others, and as requests: nothing is done twice."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection as database
from django.db import transaction

from sync.ledger.dead_letters import NotADeadLetter
from sync.ledger.replay import Replayed, replay, replay_many
from sync.ledger.request import request_sync
from sync.models import SyncRequest, SyncRun
from sync.models.choices import RunState, Trigger
from tests.factories import make_account, make_connection
from tests.integration.test_ledger_replay import die
from tests.locks import begin


@pytest.mark.django_db(transaction=True)
def test_two_replays_at_once_make_one() -> None:
    run = die(make_connection(make_account()))
    start = threading.Barrier(2)

    def press(by: str) -> Replayed | None:
        start.wait()
        try:
            return replay(run.pk, by=by)
        except NotADeadLetter:
            return None
        finally:
            database.close()

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(press, ("carol", "dave")))

    assert sum(replayed is not None for replayed in done) == 1
    assert run.interventions.count() == 1
    assert SyncRun.objects.get().state == RunState.QUEUED


@pytest.mark.django_db(transaction=True)
def test_two_replays_of_many_send_each_run_back_once() -> None:
    account = make_account()
    runs = [die(make_connection(account)) for _ in range(6)]
    start = threading.Barrier(2)

    def press(by: str) -> list[SyncRun]:
        start.wait()
        try:
            return replay_many(SyncRun.objects.all(), by=by).sent
        finally:
            database.close()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(press, ("carol", "dave"))

    assert sorted(run.pk for run in (*first, *second)) == sorted(run.pk for run in runs)
    assert all(run.interventions.count() == 1 for run in runs)


@pytest.mark.django_db(transaction=True)
def test_a_replay_waits_for_a_request_of_the_connection_and_joins_its_run() -> None:
    connection = make_connection(make_account())
    run = die(connection)

    with transaction.atomic():
        requested = request_sync(connection.account, [connection], trigger=Trigger.SCHEDULED, source="beat")
        replaying = begin(lambda: replay(run.pk, by="carol"))
        assert not replaying.done()

    assert replaying.result(timeout=10).joined == requested.made[0]
    assert SyncRun.objects.open().count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_request_waits_for_a_replay_of_the_connection_and_joins_its_run() -> None:
    connection = make_connection(make_account())
    run = die(connection)

    with transaction.atomic():
        replay(run.pk, by="carol")
        asking = begin(
            lambda: request_sync(connection.account, [connection], trigger=Trigger.MANUAL, source="api")
        )
        assert not asking.done()

    assert asking.result(timeout=10).joined == [run]
    assert SyncRequest.objects.count() == 2
    assert SyncRun.objects.count() == 1
