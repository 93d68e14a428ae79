"""Claiming: exact order, exact concurrency, one running run per connection."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.utils import timezone

from sync.ledger.cancel import cancel
from sync.ledger.claim import better_run_waits, claim, promote_due
from sync.ledger.pause import PausableRow, pause, resume
from sync.ledger.position import positions
from sync.models import Account, Connection, Queue, SyncRun
from sync.models.choices import CredentialStatus, Priority, RunState, Trigger
from tests.factories import make_account, make_connection, make_run
from tests.locks import begin


def claimed(provider: str = "meta") -> SyncRun | None:
    return claim(provider, "default", worker="test")


def test_the_best_class_starts_first_then_the_oldest(account: Account) -> None:
    now = timezone.now()
    Queue.objects.create(provider="meta", region="default", concurrency=10)
    retry = make_run(make_connection(account), priority=Priority.RETRY, queued_at=now - timedelta(seconds=50))
    old = make_run(make_connection(account), queued_at=now - timedelta(seconds=40))
    new = make_run(make_connection(account), queued_at=now - timedelta(seconds=30))
    manual = make_run(make_connection(account), trigger=Trigger.MANUAL, queued_at=now)

    order = [claimed() for _ in range(5)]

    assert order == [manual, old, new, retry, None]


def test_a_run_that_waited_past_its_patience_rises_a_class(account: Account) -> None:
    now = timezone.now()
    patient = make_run(
        make_connection(account), priority=Priority.RETRY, queued_at=now - timedelta(minutes=11)
    )
    make_run(make_connection(account), queued_at=now)

    assert claimed() == patient


def test_bulk_syncs_of_a_person_have_the_patience_of_scheduled_ones(account: Account) -> None:
    waited = timezone.now() - timedelta(minutes=5)
    make_run(make_connection(account), trigger=Trigger.MANUAL, priority=Priority.SCHEDULED, queued_at=waited)
    urgent = make_run(make_connection(account), trigger=Trigger.MANUAL)

    assert claimed() == urgent


def test_accounts_take_turns_whatever_the_length_of_their_queues(account: Account) -> None:
    Queue.objects.create(provider="meta", region="default", concurrency=10)
    other = make_account("Globex")
    now = timezone.now()
    for minutes in range(4):
        make_run(make_connection(account), queued_at=now - timedelta(minutes=9 - minutes))
    for _ in range(2):
        make_run(make_connection(other), queued_at=now)

    names = [run.account.name for _ in range(6) if (run := claimed())]

    assert names == ["Acme", "Globex", "Acme", "Globex", "Acme", "Acme"]


def test_an_account_that_slept_saves_up_no_turns(account: Account) -> None:
    Queue.objects.create(provider="meta", region="default", concurrency=20)
    now = timezone.now()
    for seconds in range(8):
        make_run(make_connection(account), queued_at=now - timedelta(seconds=100 - seconds))
    for _ in range(5):
        claimed()
    late = make_account("Globex")
    for _ in range(3):
        make_run(make_connection(late), queued_at=now)

    names = [run.account.name for _ in range(4) if (run := claimed())]

    assert names == ["Globex", "Acme", "Globex", "Acme"]


def test_no_more_runs_start_than_the_queue_has_slots(account: Account) -> None:
    for _ in range(3):
        make_run(make_connection(account))

    assert [claimed() is None for _ in range(3)] == [False, False, True]


def test_the_number_of_slots_can_be_changed_while_it_runs(account: Account) -> None:
    for _ in range(3):
        make_run(make_connection(account))
    assert claimed()
    assert claimed()

    Queue.objects.update(concurrency=3)

    assert claimed()


def test_one_connection_has_one_running_run(connection: Connection) -> None:
    make_run(connection)
    make_run(connection)

    assert claimed() is not None
    assert claimed() is None


def test_the_database_refuses_a_second_running_run(connection: Connection) -> None:
    make_run(connection, state=RunState.RUNNING)

    with pytest.raises(IntegrityError, match="one_running_run_per_connection"):
        make_run(connection, state=RunState.RUNNING)


@pytest.mark.parametrize("held", ["connection", "account", "queue", "credential"])
def test_what_is_held_does_not_start_and_the_rest_goes_on(account: Account, held: str) -> None:
    connection = make_connection(account)
    run = make_run(connection)
    queue = Queue.objects.get(provider="meta")
    pausable: dict[str, PausableRow] = {"connection": connection, "account": account, "queue": queue}
    if held == "credential":
        connection.credential.status = CredentialStatus.RECONNECT_NEEDED
        connection.credential.save()
    else:
        pause(pausable[held], by="carol", reason="test")
    assert claimed() is None
    assert positions([run]) == {}

    if held == "credential":
        connection.credential.status = CredentialStatus.ACTIVE
        connection.credential.save()
    else:
        resume(pausable[held], by="carol")
    assert positions([run]) == {run.pk: 1}
    assert claimed() == run


def test_a_due_deferred_run_is_promoted_by_the_claim(connection: Connection) -> None:
    run = make_run(connection, state=RunState.DEFERRED, available_at=timezone.now() - timedelta(seconds=1))

    assert claimed() == run


@pytest.mark.django_db(transaction=True)
def test_promoting_and_cancelling_at_the_same_moment_do_not_wait_for_each_other() -> None:
    account, past = make_account(), timezone.now() - timedelta(seconds=1)
    ids = [UUID(int=number) for number in (2, 1)]  # as they lie in the table; the cancelling begins with 1
    for pk in ids:
        make_run(make_connection(account), state=RunState.DEFERRED, available_at=past, id=pk)

    with transaction.atomic():
        SyncRun.objects.select_for_update().get(pk=ids[-1])  # so far the cancelling has come
        promotion = begin(lambda: promote_due("meta", "default"))
        cancel(SyncRun.objects.all(), by="carol")

    assert promotion.result(timeout=10) == 1
    assert {run.state for run in SyncRun.objects.all()} == {RunState.CANCELLED}


def test_a_deferred_run_waits_for_its_time(connection: Connection) -> None:
    make_run(connection, state=RunState.DEFERRED)

    assert claimed() is None


def test_the_position_is_the_order_of_starting(account: Account) -> None:
    now = timezone.now()
    second = make_run(make_connection(account), queued_at=now - timedelta(seconds=9))
    third = make_run(make_connection(account), queued_at=now)
    first = make_run(make_connection(account), trigger=Trigger.MANUAL)

    assert positions([third, second, first]) == {first.pk: 1, second.pk: 2, third.pk: 3}


def test_a_better_run_waits_only_when_no_slot_is_free(account: Account) -> None:
    make_run(make_connection(account))
    running = claimed()
    assert running is not None
    make_run(make_connection(account), trigger=Trigger.MANUAL)
    assert not better_run_waits(running)

    Queue.objects.update(concurrency=1)

    assert better_run_waits(running)


@pytest.mark.django_db(transaction=True)
def test_racing_workers_never_share_a_run_nor_exceed_the_slots() -> None:
    account = make_account()
    for _ in range(12):
        make_run(make_connection(account))
    Queue.objects.update(concurrency=5)
    start = threading.Barrier(8)

    def worker(_: int) -> list[SyncRun]:
        start.wait()
        try:
            return [run for _ in range(3) if (run := claimed())]
        finally:
            database.close()

    with ThreadPoolExecutor(8) as pool:
        runs = [run for claims in pool.map(worker, range(8)) for run in claims]

    assert len(runs) == len({run.pk for run in runs}) == 5
    assert SyncRun.objects.running().count() == 5
