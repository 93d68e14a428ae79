"""A run that succeeds hands its slot to the next one, in one step."""

import pytest
from django.db import transaction

from sync.ledger import finish
from sync.ledger.claim import claim
from sync.ledger.finish import Success
from sync.ledger.follow import succeed_and_claim
from sync.ledger.lease import Lease, LeaseLost
from sync.models import Account, Queue, SyncAttempt, SyncRun
from sync.models.choices import Outcome, RunState
from tests.factories import make_connection, make_run
from tests.locks import begin

pytestmark = pytest.mark.django_db


def test_the_next_run_starts_where_the_only_slot_becomes_free(account: Account) -> None:
    Queue.objects.create(provider="meta", region="default", concurrency=1)
    connection = make_connection(account)
    first, second = make_run(connection), make_run(make_connection(account))
    run = claimed()

    records, following = succeed_and_claim(run, Lease.of(run), Success(calls=3))

    assert (run.pk, records, following and following.pk) == (first.pk, 0, second.pk)
    states = dict(SyncRun.objects.values_list("pk", "state"))
    assert states == {first.pk: RunState.SUCCEEDED, second.pk: RunState.RUNNING}
    assert SyncRun.objects.get(pk=second.pk).worker == run.worker
    assert SyncAttempt.objects.get(run=first).outcome == Outcome.SUCCEEDED
    connection.refresh_from_db()
    assert connection.last_sync_at is not None


def test_a_run_that_was_taken_over_starts_no_other(account: Account) -> None:
    Queue.objects.create(provider="meta", region="default", concurrency=2)
    make_run(make_connection(account))
    waits = make_run(make_connection(account))
    run = claimed()
    lost = Lease.of(run)
    finish.give_back(lost, message="", calls=0)

    with pytest.raises(LeaseLost):
        succeed_and_claim(run, lost, Success(calls=0))

    waits.refresh_from_db()
    assert waits.state == RunState.QUEUED
    assert not SyncAttempt.objects.filter(run=waits).exists()


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_the_queue_before_it_locks_its_run(account: Account) -> None:
    queue = Queue.objects.create(provider="meta", region="default", concurrency=1)
    make_run(make_connection(account))
    run = claimed()

    with transaction.atomic():
        Queue.objects.select_for_update(no_key=True).get(pk=queue.pk)
        ending = begin(lambda: succeed_and_claim(run, Lease.of(run), Success(calls=0)))
        SyncRun.objects.select_for_update(nowait=True).get(pk=run.pk)

    assert ending.result(timeout=10) == (0, None)


def claimed() -> SyncRun:
    run = claim("meta", "default", worker="one")
    assert run is not None
    return run
