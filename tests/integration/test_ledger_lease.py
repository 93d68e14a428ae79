"""A lease lasts as long as its worker works, and what a worker commits speaks for its run."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from pytest_django import Settings

from sync.engine.chunk import chunk
from sync.engine.heartbeat import Heartbeat
from sync.ledger.claim import claim
from sync.ledger.lease import Lease
from sync.ledger.recover import take_back_lost
from sync.models import SyncRun
from sync.models.choices import RunState
from tests.factories import make_account, make_connection, make_run
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)


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
