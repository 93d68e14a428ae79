"""Cancelling several runs beside somebody who asks for syncs of the same account."""

import pytest
from django.db import transaction

from sync.ledger.cancel import cancel
from sync.ledger.request import request_sync
from sync.models import Account, SyncRun
from sync.models.choices import RunState, Trigger
from tests.factories import make_account, make_connection, make_run
from tests.locks import begin


def test_who_cancelled_and_why_is_written_down_for_each_run(account: Account) -> None:
    waiting = make_run(make_connection(account))
    running = make_run(make_connection(account), state=RunState.RUNNING)

    cancel(SyncRun.objects.all(), by="carol", reason="Wrong shop")

    for run in (waiting, running):
        assert list(run.interventions.values_list("action", "by", "reason")) == [
            ("cancelled", "carol", "Wrong shop")
        ]


@pytest.mark.django_db(transaction=True)
def test_the_runs_of_one_account_are_cancelled_while_anothers_are_busy() -> None:
    accounts = sorted((make_account("Acme"), make_account("Globex")), key=lambda account: account.pk)
    first, second = (make_run(make_connection(account)) for account in accounts)

    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=accounts[1].pk)
        cancelling = begin(lambda: cancel(SyncRun.objects.all(), by="carol"))
        assert not cancelling.done()
        first.refresh_from_db()
        assert first.state == RunState.CANCELLED

    assert [run.pk for run in cancelling.result(timeout=10)] == [first.pk, second.pk]


@pytest.mark.django_db(transaction=True)
def test_a_cancel_waits_for_a_request_of_the_account_and_sees_what_it_made() -> None:
    """It takes the account's row first: whoever takes runs before it might wait for one who holds it."""
    account = make_account()
    waiting = make_run(make_connection(account))
    fresh = make_connection(account)

    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get()  # so far a person's request has come
        cancelling = begin(lambda: cancel(SyncRun.objects.all(), by="carol"))
        assert not cancelling.done()
        SyncRun.objects.select_for_update(nowait=True).get(pk=waiting.pk)  # not held by who waits
        request_sync(account, [fresh], trigger=Trigger.SCHEDULED, source="beat")

    assert len(cancelling.result(timeout=10)) == 2
    assert set(SyncRun.objects.values_list("state", flat=True)) == {RunState.CANCELLED}
