"""What others hold at the same moment neither stops a claim nor is seen before it is committed."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from sync.ledger import broker
from sync.ledger.claim import claim, promote_due
from sync.ledger.request import request_sync
from sync.models import Queue, SyncRun
from sync.models.choices import RunState, Trigger
from tests.factories import make_account, make_connection, make_run
from tests.locks import begin

pytestmark = pytest.mark.django_db(transaction=True)
HINTS = "sync.meta"


def test_a_run_that_somebody_just_joins_or_cancels_is_not_waited_for() -> None:
    run = make_run(make_connection(make_account()))

    with transaction.atomic():
        SyncRun.objects.select_for_update().get(pk=run.pk)
        claimed = begin(lambda: claim("meta", "default", worker="test")).result(timeout=10)

    assert claimed is None
    assert claim("meta", "default", worker="test") == run


def test_the_next_run_starts_while_somebody_holds_the_first_of_the_only_account() -> None:
    account = make_account()
    first, second = (make_run(make_connection(account)) for _ in range(2))

    with transaction.atomic():
        SyncRun.objects.select_for_update().get(pk=first.pk)
        claimed = begin(lambda: claim("meta", "default", worker="test")).result(timeout=10)

    assert claimed == second


def test_what_is_due_ripens_while_somebody_holds_a_run_whose_patience_is_over() -> None:
    account, now = make_account(), timezone.now()
    patient = make_run(make_connection(account), queued_at=now - timedelta(hours=1))
    make_run(make_connection(account), state=RunState.DEFERRED, available_at=now - timedelta(seconds=1))

    with transaction.atomic():
        SyncRun.objects.select_for_update().get(pk=patient.pk)
        promoted = begin(lambda: promote_due("meta", "default")).result(timeout=10)

    assert promoted == 1


def test_a_claim_that_had_to_wait_starts_what_was_connected_meanwhile_with_all_that_it_needs() -> None:
    """It reads the connection when it has its turn at the queue: an older look would miss it."""
    account = make_account()
    make_run(make_connection(account), state=RunState.SUCCEEDED)  # so that there is a queue

    with transaction.atomic():
        Queue.objects.select_for_update(no_key=True).get()
        claiming = begin(lambda: claim("meta", "default", worker="test"))
        assert not claiming.done()
        run = begin(lambda: make_run(make_connection(account))).result(timeout=10)

    claimed = claiming.result(timeout=10)
    assert claimed == run
    assert claimed.connection.credential.secret == "secret-token"


def test_nobody_is_told_of_a_run_that_is_not_committed() -> None:
    connection = make_connection(make_account())

    with transaction.atomic():
        request_sync(connection.account, [connection], trigger=Trigger.MANUAL, source="api")
        assert broker.messages([HINTS]) == {HINTS: 0}
        transaction.set_rollback(True)

    assert broker.messages([HINTS]) == {HINTS: 0}
