"""Replay: the same run goes back, its counters at zero, its history kept, and nothing is done twice."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from sync.ledger import finish
from sync.ledger.claim import claim
from sync.ledger.dead_letters import NotADeadLetter, resolve
from sync.ledger.finish import Failure, Success
from sync.ledger.lease import Lease
from sync.ledger.replay import replay, replay_many
from sync.ledger.request import request_sync
from sync.models import Account, Connection, SeenIds, SyncRun
from sync.models.choices import DeferReason, EntityKind, Mode, Priority, RunState, Trigger
from tests.factories import make_connection, make_request, make_run

WRONG = Failure(
    "VALIDATION_ERROR", "invalid_request", "Wrong.", is_retryable=False, platform_code="100/33", trace_id="T1"
)
MID_WAY: dict[str, Any] = {"checkpoint": {"stream": "ads", "cursor": "c9"}, "ads_count": 500}


def die(connection: Connection, **columns: Any) -> SyncRun:
    """A run that failed for good just now, by the ledger itself."""
    run = make_run(connection, **columns)
    claimed = claim(connection.provider, connection.region, worker="w1")
    assert claimed == run
    SeenIds.objects.create(run=run, entity=EntityKind.AD, external_ids=["1"])
    finish.fail(Lease.of(claimed), WRONG, calls=3)
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    return run


def claimed() -> SyncRun | None:
    return claim("meta", "default", worker="w2")


def test_a_replayed_run_starts_anew_and_keeps_its_history(connection: Connection) -> None:
    run = die(connection, trigger=Trigger.MANUAL)
    SyncRun.objects.filter(pk=run.pk).update(starts_without_progress=2)

    replay(run.pk, by="carol", reason="Meta mended it")

    run.refresh_from_db()
    assert (run.state, run.priority, run.trigger) == (RunState.QUEUED, Priority.RETRY, Trigger.MANUAL)
    assert (run.failed_attempts, run.starts_without_progress) == (0, 0)
    assert (run.error_category, run.error_code, run.error_message) == ("", "", "")
    assert (run.platform_code, run.trace_id) == ("", "")
    assert (run.started_at, run.finished_at) == (None, None)
    assert [attempt.trace_id for attempt in run.attempts.all()] == ["T1"]
    assert list(run.interventions.values_list("action", "by", "reason")) == [
        ("replayed", "carol", "Meta mended it")
    ]
    assert claimed() == run


def test_a_replayed_run_has_all_its_attempts_again(connection: Connection) -> None:
    busy = Failure("NETWORK_ERROR", "unreachable", "", is_retryable=True)
    run = die(connection)
    replay(run.pk, by="carol")

    for failed in (1, 2, 3):
        SyncRun.objects.filter(state=RunState.DEFERRED).update(available_at=timezone.now())
        again = claimed()
        assert again == run
        finish.fail(Lease.of(run=again), busy, calls=1)
        run.refresh_from_db()
        assert run.failed_attempts == failed

    assert run.state == RunState.FAILED
    assert run.attempts.count() == 4


def test_how_often_it_was_replayed_is_remembered(connection: Connection) -> None:
    run = die(connection)
    for by in ("carol", "dave"):
        replay(run.pk, by=by)
        finish.fail(Lease.of(claimed() or run), WRONG, calls=1)

    assert list(run.interventions.values_list("action", "by")) == [
        ("replayed", "carol"),
        ("replayed", "dave"),
    ]


def test_it_goes_on_from_a_fresh_checkpoint(connection: Connection) -> None:
    run = die(connection, **MID_WAY)

    replay(run.pk, by="carol")

    run.refresh_from_db()
    assert (run.checkpoint, run.ads_count) == (MID_WAY["checkpoint"], 500)
    assert run.seen.exists()


def test_it_begins_again_where_its_checkpoint_is_old(connection: Connection) -> None:
    run = die(connection, **MID_WAY)
    run.attempts.update(ended_at=timezone.now() - timedelta(hours=2))

    replay(run.pk, by="carol")

    run.refresh_from_db()
    assert (run.checkpoint, run.ads_count) == ({}, 0)
    assert not run.seen.exists()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (RunState.QUEUED, "it is queued"),
        (RunState.RUNNING, "it is running"),
        (RunState.DEFERRED, "it is deferred"),
        (RunState.SUCCEEDED, "it is succeeded"),
        (RunState.CANCELLED, "it is cancelled"),
    ],
)
def test_only_a_dead_letter_is_replayed(connection: Connection, state: RunState, words: str) -> None:
    run = make_run(connection, state=state)
    before = SyncRun.objects.values().get()

    with pytest.raises(NotADeadLetter, match=words):
        replay(run.pk, by="carol")

    assert SyncRun.objects.values().get() == before
    assert not run.interventions.exists()


def test_what_a_person_is_done_with_is_not_replayed(connection: Connection) -> None:
    run = die(connection)
    resolve(SyncRun.objects.all(), by="carol")

    with pytest.raises(NotADeadLetter, match="was marked as done"):
        replay(run.pk, by="dave")


def test_a_run_that_is_gone_is_no_dead_letter(connection: Connection) -> None:
    gone = die(connection).pk
    SyncRun.objects.all().delete()

    with pytest.raises(NotADeadLetter, match="no run"):
        replay(gone, by="carol")


def test_a_waiting_run_takes_the_dead_letter_on_and_answers_all_who_asked_for_it(
    connection: Connection,
) -> None:
    run = die(connection)
    other = make_request(connection.account)
    run.joined_by.create(request=other)
    waiting = make_run(connection, campaign_ids=["7"])

    replayed = replay(run.pk, by="carol")

    waiting.refresh_from_db()
    run.refresh_from_db()
    assert replayed.joined == waiting
    assert (waiting.campaign_ids, waiting.priority) == ([], Priority.SCHEDULED)
    assert (run.state, run.resolved_at is not None) == (RunState.FAILED, True)
    assert run.interventions.last().reason == f"Run {waiting.pk} does its work."  # type: ignore[union-attr]  # there is one
    for request in (run.request, other):
        assert waiting in SyncRun.objects.of_request(request)
    assert SyncRun.objects.open().count() == 1


def test_a_running_run_that_covers_the_dead_letter_answers_for_it(connection: Connection) -> None:
    run = die(connection, campaign_ids=["7"])
    running = make_run(connection, state=RunState.RUNNING)

    assert replay(run.pk, by="carol").joined == running
    assert running in SyncRun.objects.of_request(run.request)


@pytest.mark.parametrize(
    "columns", [{"campaign_ids": ["7"]}, {"mode": Mode.INCREMENTAL}, {"cancel_requested_at": timezone.now()}]
)
def test_behind_a_running_run_that_does_not_cover_it_the_dead_letter_waits(
    connection: Connection, columns: dict[str, Any]
) -> None:
    run = die(connection)
    running = make_run(connection, state=RunState.RUNNING, **columns)

    assert replay(run.pk, by="carol").joined is None

    run.refresh_from_db()
    assert run.state == RunState.QUEUED
    assert claimed() is None
    finish.succeed(Lease.of(running), Success(calls=1))
    assert claimed() == run


def test_a_run_of_another_kind_is_not_joined(connection: Connection) -> None:
    run = die(connection)
    make_run(connection, kind="insights")

    assert replay(run.pk, by="carol").joined is None


def test_a_request_joins_a_replayed_run(connection: Connection) -> None:
    run = die(connection)
    replay(run.pk, by="carol")

    requested = request_sync(
        connection.account, [connection], trigger=Trigger.MANUAL, source="api", limited=False
    )

    assert requested.joined == [run]
    run.refresh_from_db()
    assert run.priority == Priority.MANUAL


def test_a_replay_nudges_the_workers_once_it_is_committed(
    connection: Connection,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = die(connection)
    nudged: list[tuple[str, str]] = []
    monkeypatch.setattr("sync.ledger.replay.nudge", lambda *queue, priority: nudged.append(queue))

    with django_capture_on_commit_callbacks(execute=True):
        replay(run.pk, by="carol")
        assert nudged == []

    assert nudged == [("meta", "default")]


def test_many_are_spread_at_a_pace_of_each_provider(account: Account) -> None:
    meta = [die(make_connection(account)) for _ in range(3)]
    google = [die(make_connection(account, "google")) for _ in range(2)]
    before = timezone.now()

    done = replay_many(SyncRun.objects.all(), by="carol", per_minute=6)

    assert set(done.sent) == {*meta, *google}
    for runs in (meta, google):
        for run in runs:
            run.refresh_from_db()
        assert (runs[0].state, runs[0].available_at) == (RunState.QUEUED, None)
        later = [run.available_at for run in runs[1:]]
        waits = [(at - before).total_seconds() for at in later if at is not None]
        assert waits == pytest.approx([10.0 * number for number in range(1, len(runs))], abs=2)
        assert [run.queued_at for run in runs[1:]] == later
    assert done.last_at == meta[2].available_at
    assert (meta[1].state, meta[1].defer_reason) == (RunState.DEFERRED, DeferReason.RETRY)
    assert (meta[1].waiting_for, meta[1].priority) == ("its turn among the replayed", Priority.RETRY)


def test_accounts_take_turns_among_the_replayed(account: Account, other_account: Account) -> None:
    many = [die(make_connection(account)) for _ in range(3)]
    late = die(make_connection(other_account))

    done = replay_many(SyncRun.objects.all(), by="carol")

    assert done.sent == [many[0], late, many[1], many[2]]


def test_the_dead_letters_of_one_connection_become_one_run(connection: Connection) -> None:
    runs = [die(connection) for _ in range(3)]

    done = replay_many(SyncRun.objects.all(), by="carol")

    assert done.sent == [runs[0]]
    assert [replayed.run for replayed in done.joined] == runs[1:]
    assert [run.pk for run in SyncRun.objects.open()] == [runs[0].pk]
    assert not SyncRun.objects.dead_letters().exists()


def test_only_the_chosen_are_replayed(account: Account) -> None:
    chosen, other = die(make_connection(account)), die(make_connection(account))

    replay_many(SyncRun.objects.filter(connection=chosen.connection), by="carol")

    assert list(SyncRun.objects.dead_letters()) == [other]
