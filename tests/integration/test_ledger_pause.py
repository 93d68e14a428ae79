"""Pause and resume: a condition beside what waits, written down with who, when and why."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from sync.ledger.claim import claim
from sync.ledger.pause import PausableRow, pause, resume
from sync.models import Account, Connection, Intervention, Queue, SyncRun
from sync.models.choices import Action, RunState
from tests.factories import make_account, make_connection, make_run

KINDS = ["queue", "account", "connection"]


def claimed() -> SyncRun | None:
    return claim("meta", "default", worker="w")


def row_of(connection: Connection, kind: str) -> PausableRow:
    rows: dict[str, PausableRow] = {
        "queue": Queue.objects.get(provider=connection.provider),
        "account": connection.account,
        "connection": connection,
    }
    return rows[kind]


def story(row: PausableRow) -> list[tuple[str, str, str]]:
    return list(row.interventions.values_list("action", "by", "reason"))


@pytest.mark.parametrize("kind", KINDS)
def test_who_when_and_why_stay_after_the_resume(connection: Connection, kind: str) -> None:
    make_run(connection)
    row, before = row_of(connection, kind), timezone.now()

    assert pause(row, by="carol", reason="The shop moves")
    assert (row.paused_by, row.pause_reason) == ("carol", "The shop moves")
    assert resume(row, by="dave", reason="It has moved")

    assert (row.paused_at, row.paused_by, row.pause_reason) == (None, "", "")
    assert story(row) == [("paused", "carol", "The shop moves"), ("resumed", "dave", "It has moved")]
    assert all(before <= at <= timezone.now() for at in row.interventions.values_list("at", flat=True))


@pytest.mark.parametrize("kind", KINDS)
def test_what_runs_goes_on_and_what_waits_is_not_touched(account: Account, kind: str) -> None:
    running = make_run(make_connection(account), state=RunState.RUNNING)
    waiting = [make_run(running.connection, state=state) for state in (RunState.QUEUED, RunState.DEFERRED)]
    before = list(SyncRun.objects.order_by("pk").values())

    row = row_of(running.connection, kind)
    pause(row, by="carol")
    assert claimed() is None
    resume(row, by="carol")

    assert list(SyncRun.objects.order_by("pk").values()) == before
    assert len(before) == 1 + len(waiting)


def test_two_pauses_overlap(connection: Connection) -> None:
    run = make_run(connection)
    pause(connection.account, by="carol")
    pause(connection, by="dave")

    resume(connection.account, by="carol")
    assert claimed() is None

    resume(connection, by="dave")
    assert claimed() == run


def test_the_first_pause_stays(connection: Connection) -> None:
    pause(connection, by="carol", reason="First")
    since = connection.paused_at

    assert not pause(connection, by="dave", reason="Second")

    assert (connection.paused_at, connection.paused_by, connection.pause_reason) == (since, "carol", "First")
    assert len(story(connection)) == 1


def test_resuming_what_is_not_paused_leaves_no_record(connection: Connection) -> None:
    assert not resume(connection, by="carol")

    assert story(connection) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_resume_nudges_the_workers_once_it_is_committed(
    connection: Connection,
    kind: str,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_run(connection)
    row = row_of(connection, kind)
    pause(row, by="carol")
    nudged: list[tuple[str, str]] = []
    monkeypatch.setattr("sync.ledger.pause.nudge", lambda *queue, priority: nudged.append(queue))

    with django_capture_on_commit_callbacks(execute=True):
        resume(row, by="carol")
        assert nudged == []

    assert nudged == [("meta", "default")]


@pytest.mark.django_db(transaction=True)
def test_two_who_pause_at_once_leave_one_pause_and_one_record() -> None:
    connection = make_connection(make_account())
    start = Barrier(2)

    def press(by: str) -> bool:
        start.wait()
        try:
            return pause(Connection.objects.get(pk=connection.pk), by=by)
        finally:
            database.close()

    with ThreadPoolExecutor(2) as pool:
        won = dict(zip(("carol", "dave"), pool.map(press, ("carol", "dave")), strict=True))

    connection.refresh_from_db()
    assert sorted(won.values()) == [False, True]
    assert story(connection) == [("paused", connection.paused_by, "")]
    assert won[connection.paused_by]


@pytest.mark.django_db(transaction=True)
def test_nothing_of_a_provider_starts_once_its_pause_has_returned() -> None:
    account = make_account()
    for _ in range(40):
        make_run(make_connection(account))
    Queue.objects.update(concurrency=40)
    started = Event()

    def work(worker: str) -> None:
        try:
            while claim("meta", "default", worker=worker):
                started.set()
        finally:
            database.close()

    with ThreadPoolExecutor(2) as pool:
        workers = [pool.submit(work, name) for name in ("w1", "w2")]
        assert started.wait(timeout=10)
        pause(Queue.objects.get(), by="carol")
        running = SyncRun.objects.running().count()
        for done in workers:
            done.result(timeout=10)

    assert SyncRun.objects.running().count() == running < 40


def test_an_intervention_is_about_one_thing(connection: Connection) -> None:
    with pytest.raises(IntegrityError, match="intervention_on_one_subject"), transaction.atomic():
        Intervention.objects.create(
            action=Action.PAUSED, by="carol", connection=connection, account=connection.account
        )
