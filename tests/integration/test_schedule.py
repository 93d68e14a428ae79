"""What is due: hourly syncs, the tick, the clean-up; each may run twice at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_results.models import TaskResult
from pytest_django import Settings

from sync.ledger import request_each
from sync.ledger.claim import claim
from sync.ledger.pause import pause
from sync.ledger.replay import replay
from sync.ledger.request import request_sync
from sync.models import (
    Account,
    Change,
    Connection,
    Lane,
    OutsideCalls,
    Queue,
    SeenIds,
    SyncRequest,
    SyncRun,
)
from sync.models.choices import CredentialStatus, Kind, RunState, Trigger
from sync.schedule import cleanup, hourly
from sync.schedule.beat import ensure_rows
from sync.schedule.cleanup import clean_up
from sync.schedule.hourly import request_due, request_hour
from sync.schedule.tick import tick
from sync.schedule.upkeep import keep_up
from tests.factories import make_account, make_connection, make_run
from tests.locks import begin

NOON = datetime(2026, 3, 1, 12, 20, tzinfo=UTC)


def due_connection(account: Account) -> Connection:
    return make_connection(account, next_sync_at=timezone.now() - timedelta(seconds=1))


def test_a_due_connection_gets_its_scheduled_runs_once_and_its_next_slot(account: Account) -> None:
    connection = due_connection(account)

    result = request_due(timezone.now())
    request_due(timezone.now())

    connection.refresh_from_db()
    assert (result.total, result.queued) == (1, 1)
    runs = SyncRun.objects.order_by("created_at").values_list("kind", "trigger")
    assert list(runs) == [(Kind.CAMPAIGNS, Trigger.SCHEDULED), (Kind.INSIGHTS, Trigger.SCHEDULED)]
    assert timezone.now() < connection.next_sync_at <= timezone.now() + timedelta(hours=2)


@pytest.mark.parametrize("every", [timedelta(hours=1), timedelta(hours=6, minutes=55)])
def test_the_next_slot_is_in_the_next_hour_or_longer_time_at_the_connections_own_second(
    connection: Connection, every: timedelta
) -> None:
    slot = connection.slot_after(NOON, every)

    assert timedelta(0) < slot - NOON < 2 * every
    assert connection.slot_after(slot, every) == slot + every


def test_an_hours_slot_is_in_the_next_hour_of_the_clock(connection: Connection) -> None:
    one = timedelta(hours=1)

    assert NOON.replace(hour=13, minute=0) <= connection.slot_after(NOON) < NOON.replace(hour=14, minute=0)
    assert connection.slot_after(NOON) == connection.slot_after(NOON, one)


def test_slots_spread_over_the_hour(account: Account) -> None:
    begins = NOON.replace(hour=13, minute=0)
    offsets = [(Connection(account=account).slot_after(NOON) - begins).total_seconds() for _ in range(2000)]

    quarters = [sum(900 * q <= offset < 900 * (q + 1) for offset in offsets) for q in range(4)]
    assert min(quarters) > 400


@pytest.mark.parametrize("held", ["paused", "account paused", "reconnect", "disconnected"])
def test_what_is_not_active_is_not_scheduled(account: Account, held: str) -> None:
    connection = due_connection(account)
    if held == "paused":
        pause(connection, by="carol")
    elif held == "account paused":
        pause(account, by="carol")
    elif held == "reconnect":
        connection.credential.status = CredentialStatus.RECONNECT_NEEDED
        connection.credential.save()
    else:
        Connection.objects.update(status="disconnected")

    assert request_due(timezone.now()).total == 0


def test_the_external_cron_asks_for_this_hours_connections_once(account: Account) -> None:
    now = timezone.now()
    end = now.replace(minute=59, second=59, microsecond=0)
    make_connection(account, next_sync_at=end)
    make_connection(account, next_sync_at=end + timedelta(hours=1))

    first, second = request_hour(now), request_hour(now)

    assert (first.queued, second.total) == (1, 0)


@pytest.mark.django_db(transaction=True)
def test_two_beats_make_one_request_per_connection() -> None:
    account = make_account()
    for _ in range(5):
        due_connection(account)
    start = threading.Barrier(2)

    def beat(_: int) -> int:
        start.wait()
        try:
            return request_due(timezone.now()).queued
        finally:
            database.close()

    with ThreadPoolExecutor(2) as pool:
        queued = sum(pool.map(beat, range(2)))

    assert queued == SyncRequest.objects.count() == 5
    assert SyncRun.objects.count() == 10


@pytest.mark.django_db(transaction=True)
def test_beat_and_a_person_may_ask_at_the_same_moment() -> None:
    connection = due_connection(make_account())

    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get()  # so far the person's request has come
        beat = begin(lambda: request_due(timezone.now()))
        request_sync(connection.account, [connection], trigger=Trigger.MANUAL, source="api")

    assert beat.result(timeout=10).total == 1
    assert SyncRun.objects.get(kind=Kind.CAMPAIGNS).trigger == Trigger.MANUAL


def test_as_many_statements_for_many_as_for_a_few(account: Account) -> None:
    other = make_account("Globex")

    def statements(number: int) -> int:
        for of in (account, other):
            for _ in range(number):
                due_connection(of)
        with CaptureQueriesContext(database) as captured:
            assert request_due(timezone.now()).queued == 2 * number
        return len(captured)

    request_due(timezone.now())  # reads what is read once
    statements(1)  # makes the queue
    assert statements(20) == statements(2)
    assert SyncRun.objects.count() == 2 * SyncRequest.objects.count() == 2 * 2 * 23


def test_who_is_busy_joins_while_the_others_get_their_runs(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In several transactions; whose sync is open is asked one by one."""
    monkeypatch.setattr(hourly, "TOGETHER", 3)
    connections = [due_connection(account) for _ in range(7)]
    waiting = make_run(connections[1], trigger=Trigger.MANUAL)
    make_run(connections[4], state=RunState.RUNNING)

    result = request_due(timezone.now())

    assert (result.total, result.queued, result.skipped) == (7, 7, 0)
    assert waiting.joined_by.count() == 1
    assert SyncRun.objects.filter(trigger=Trigger.SCHEDULED, state=RunState.QUEUED).count() == 5 * 2 + 2
    assert not Connection.objects.filter(next_sync_at__lte=timezone.now()).exists()


def test_who_gets_no_run_keeps_the_slot(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = due_connection(account)
    monkeypatch.setattr(request_each, "new_run", Mock(side_effect=RuntimeError))

    with pytest.raises(RuntimeError):
        request_due(timezone.now())

    assert Connection.objects.get().next_sync_at == connection.next_sync_at
    assert not SyncRequest.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_slot_that_somebody_took_meanwhile_is_not_asked_for_again() -> None:
    """He who took it may have had his runs done by then."""
    connection = due_connection(make_account())

    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get()
        beat = begin(lambda: request_due(timezone.now()))
        Connection.objects.update(next_sync_at=connection.slot_after(timezone.now()))

    assert beat.result(timeout=10).queued == 0
    assert not SyncRun.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_lanes_of_many_accounts_are_changed_behind_the_queues_lock() -> None:
    """As by those that ripen, who may take them in another order."""
    accounts = [make_account(name) for name in ("Acme", "Globex")]
    for account in accounts:
        make_run(make_connection(account))  # makes its lane
        due_connection(account)

    first, second = Lane.objects.order_by("id")

    with transaction.atomic():
        Queue.objects.select_for_update(no_key=True).get()
        assert Lane.objects.select_for_update().filter(pk=second.pk).exists()
        beat = begin(lambda: request_due(timezone.now()))
        assert Lane.objects.select_for_update().filter(pk=first.pk).exists()

    assert beat.result(timeout=10).queued == 2


def test_the_tick_promotes_takes_back_and_nudges(account: Account) -> None:
    past = timezone.now() - timedelta(seconds=1)
    deferred = make_run(make_connection(account), state=RunState.DEFERRED, available_at=past)
    lost = make_run(make_connection(account), state=RunState.RUNNING, lease_expires_at=past)

    done = tick()

    deferred.refresh_from_db()
    lost.refresh_from_db()
    assert (deferred.state, lost.state) == (RunState.QUEUED, RunState.QUEUED)
    assert (done.promoted, done.taken_back, done.nudged) == (1, 1, 1)


def test_the_upkeep_releases_a_run_that_a_race_left_held(connection: Connection) -> None:
    """It went back into the queue at the very moment at which its connection was resumed."""
    run = make_run(connection)
    SyncRun.objects.update(is_held=True)
    assert claim("meta", "default", worker="test") is None

    assert keep_up().mended == 1

    assert claim("meta", "default", worker="test") == run


def test_a_paused_queue_is_not_nudged(connection: Connection) -> None:
    make_run(connection)
    assert tick().nudged == 1

    pause(Queue.objects.get(), by="carol")
    assert tick().nudged == 0


def test_beat_rows_are_made_once_and_edits_are_kept(db: None) -> None:
    ensure_rows()
    slow = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.HOURS)
    PeriodicTask.objects.filter(name="Tick").update(interval=slow)

    ensure_rows()

    assert PeriodicTask.objects.count() == 4
    assert PeriodicTask.objects.get(name="Tick").interval == slow


def test_history_is_kept_as_long_as_the_settings_say(connection: Connection) -> None:
    now = timezone.now()

    def ended(days: int, **columns: object) -> SyncRun:
        state = columns.pop("state", RunState.SUCCEEDED)
        return make_run(connection, state=state, finished_at=now - timedelta(days=days), **columns)  # type: ignore[arg-type]  # by name

    kept = {
        ended(6),
        ended(89, changes={"updated": 1}),
        ended(89, trigger=Trigger.MANUAL),
        ended(89, state=RunState.FAILED),
        make_run(connection),
    }
    ended(8)
    ended(91, changes={"updated": 1})
    ended(91, state=RunState.FAILED, resolved_at=now)

    cleaned = clean_up()

    assert set(SyncRun.objects.all()) == kept
    assert cleaned.runs == 3


def test_the_clean_up_goes_by_batches_past_what_is_kept(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanup, "BATCH", 2)
    old = timezone.now() - timedelta(days=8)  # a week is what a run that found nothing is kept
    for changes in ({}, {"new": 1}, {}, {"new": 1}, {}, {}):
        make_run(
            connection,
            state=RunState.SUCCEEDED,
            trigger=Trigger.SCHEDULED,
            finished_at=old,
            changes=changes,
        )

    assert clean_up().runs == 4
    assert [run.changes for run in SyncRun.objects.all()] == [{"new": 1}] * 2


def test_dead_letters_have_a_retention_of_their_own_until_a_person_is_done_with_them(
    connection: Connection, settings: Settings
) -> None:
    settings.DEAD_LETTER_DAYS = 200
    now = timezone.now()

    def failed(days: int, resolved_at: datetime | None = None) -> SyncRun:
        finished_at = now - timedelta(days=days)
        return make_run(connection, state=RunState.FAILED, finished_at=finished_at, resolved_at=resolved_at)

    kept = {failed(91), failed(199), failed(89, resolved_at=now)}
    failed(201)
    failed(91, resolved_at=now)

    cleaned = clean_up()

    assert set(SyncRun.objects.all()) == kept
    assert (cleaned.dead_letters, cleaned.runs) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_clean_up_leaves_a_dead_letter_that_is_just_being_replayed() -> None:
    connection = make_connection(make_account())
    old = timezone.now() - timedelta(days=settings.DEAD_LETTER_DAYS + 1)
    run = make_run(connection, state=RunState.FAILED, finished_at=old)

    with transaction.atomic():
        replay(run.pk, by="carol")
        cleaning = begin(clean_up)

    assert cleaning.result(timeout=10).dead_letters == 0
    assert SyncRun.objects.get().state == RunState.QUEUED


def test_what_a_dead_letter_has_seen_is_kept_as_long_as_its_checkpoint_is_good(
    connection: Connection,
) -> None:
    for hours in (1, 3):
        failed_at = timezone.now() - timedelta(hours=hours)
        run = make_run(connection, state=RunState.FAILED, finished_at=failed_at)
        SeenIds.objects.create(run=run, entity="ad", external_ids=[str(hours)])

    assert clean_up().seen == 1
    assert SeenIds.objects.get().external_ids == ["1"]


def test_calls_of_no_run_are_kept_as_long_as_a_window_may_hold_them(account: Account) -> None:
    for hours in (23, 25):
        OutsideCalls.objects.create(
            account=account,
            provider="meta",
            calls=hours,
            at=timezone.now() - timedelta(hours=hours),
        )

    assert clean_up().outside_calls == 1
    assert OutsideCalls.objects.get().calls == 23


def test_changes_outlive_their_runs(connection: Connection) -> None:
    now = timezone.now()
    for days in (399, 401):
        Change.objects.create(
            connection=connection,
            run_id=uuid4(),
            entity="ad",
            external_id=str(days),
            action="updated",
            seen_at=now - timedelta(days=days),
        )

    assert clean_up().changes == 1
    assert Change.objects.get().external_id == "399"


def test_the_newest_results_of_each_maintenance_task_are_kept(db: None) -> None:
    for name in ("sync.tick", "sync.clean_up"):
        for status, number in (("SUCCESS", 15), ("FAILURE", 25)):
            for index in range(number):
                TaskResult.objects.create(task_id=f"{name}-{status}-{index}", task_name=name, status=status)

    assert clean_up().results == 20
    for name in ("sync.tick", "sync.clean_up"):
        for status, keep in settings.KEEP_RESULTS.items():
            rows = TaskResult.objects.filter(task_name=name, status=status).order_by("-date_done")
            assert rows.count() == keep
            assert rows[0].task_id == f"{name}-{status}-{(15 if status == 'SUCCESS' else 25) - 1}"
