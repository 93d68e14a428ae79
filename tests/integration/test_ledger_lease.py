"""A lease lasts as long as its worker works, and what a worker commits speaks for its run."""

import multiprocessing
import os
import threading
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection as database
from django.db.models.functions import Now
from pytest_django import Settings

from sync.engine import heartbeat
from sync.engine.chunk import chunk
from sync.engine.heartbeat import Heartbeat
from sync.ledger.claim import claim
from sync.ledger.lease import Lease
from sync.ledger.queues import ensure_queue
from sync.ledger.recover import take_back_lost
from sync.models import Queue, SyncRun
from sync.models.choices import RunState
from tests.factories import make_account, make_connection, make_run
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)


BEATING = """
    SELECT EXISTS (SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'UPDATE%lease_expires_at%')
"""


def claimed() -> SyncRun:
    run = claim("meta", "default", worker="test")
    assert run is not None
    return run


def test_a_run_that_works_longer_than_its_lease_keeps_it(settings: Settings) -> None:
    settings.LEASE = timedelta(seconds=1)
    make_run(make_connection(make_account()))
    run = claimed()
    assert run.lease_expires_at is not None
    late = SyncRun.objects.filter(pk=run.pk).annotate(now=Now()).filter(now__gt=run.lease_expires_at)

    with Heartbeat(Lease.of(run)):
        eventually(late.exists, seconds=10, what="the end of the first lease")
        assert take_back_lost() == []


def test_runs_share_one_thread_which_keeps_no_connection(settings: Settings) -> None:
    settings.LEASE = timedelta(seconds=1)
    connections = [make_connection(make_account()) for _ in range(2)]
    ensure_queue("meta", "default")
    Queue.objects.update(concurrency=2)
    runs = [claimed() for connection in connections if make_run(connection)]
    leases = [Lease.of(run) for run in runs]
    renewed = SyncRun.objects.filter(lease_expires_at__gt=runs[1].lease_expires_at)

    with Heartbeat(leases[0]):
        with Heartbeat(leases[1]):
            eventually(lambda: renewed.count() == 2, seconds=10, what="a beat")
        assert [thread.name for thread in threading.enumerate()].count("heartbeat") == 1
        assert beats_are_connected()

    eventually(lambda: not beats_are_connected(), seconds=10, what="the end of its connection")


def test_short_runs_are_not_renewed(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.LEASE = timedelta(seconds=1)
    ends_at = time.monotonic() + 0.7

    while time.monotonic() < ends_at:
        with Heartbeat(Lease(uuid4(), uuid4())):  # nobody's: to renew it would say that it is lost
            time.sleep(0.02)

    assert "lease lost" not in caplog.text


def test_a_process_that_is_forked_beats_for_its_own_runs_only() -> None:
    parents, own = Lease(uuid4(), uuid4()), Lease(uuid4(), uuid4())

    def beats() -> None:
        with Heartbeat(own):
            is_there = "heartbeat" in [thread.name for thread in threading.enumerate()]
            os._exit(0 if is_there and heartbeat._heart._held == {own} else 1)

    child = multiprocessing.get_context("fork").Process(target=beats, daemon=True)
    with Heartbeat(parents):
        child.start()
    child.join(5)

    assert child.exitcode == 0


def beats_are_connected() -> bool:
    with database.cursor() as cursor:
        cursor.execute(BEATING)
        return bool(cursor.fetchone()[0])


def test_a_run_that_gets_on_survives_any_number_of_killed_workers(settings: Settings) -> None:
    make_run(make_connection(make_account()))
    for _ in range(2 * settings.MAX_STARTS_WITHOUT_PROGRESS):
        run = claimed()
        with chunk(run, Lease.of(run), calls=1):
            pass
        SyncRun.objects.update(lease_expires_at=Now() - timedelta(seconds=1))
        assert [lost.pk for lost in take_back_lost()] == [run.pk]

    run.refresh_from_db()
    assert run.state == RunState.QUEUED
