"""Leaving `running`: fenced, with the attempt closed, and attempts used only by failures."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from sync.ledger import finish
from sync.ledger.cancel import cancel
from sync.ledger.claim import claim
from sync.ledger.finish import Failure, Success
from sync.ledger.lease import Lease, LeaseLost
from sync.ledger.recover import take_back_lost
from sync.models import Connection, SeenIds, SyncRun
from sync.models.choices import DeferReason, EntityKind, Outcome, Priority, RunState
from tests.factories import make_connection, make_run

Leave = Callable[[Lease], object]
BUSY = Failure("NETWORK_ERROR", "unreachable", "Meta could not be reached.", is_retryable=True, trace_id="T1")
WRONG = Failure("VALIDATION_ERROR", "invalid_request", "Meta calls the request wrong.", is_retryable=False)


@pytest.fixture
def run(connection: Connection) -> SyncRun:
    make_run(connection)
    claimed = claim("meta", "default", worker="w1")
    assert claimed is not None
    return claimed


def again(run: SyncRun) -> Lease:
    """Let a waiting run be due, and claim it."""
    SyncRun.objects.filter(pk=run.pk, state=RunState.DEFERRED).update(available_at=timezone.now())
    claimed = claim("meta", "default", worker="w2")
    assert claimed == run
    return Lease.of(claimed)


def test_success_ends_the_run_and_its_attempt(run: SyncRun) -> None:
    finish.succeed(Lease.of(run), Success(calls=7))

    run.refresh_from_db()
    attempt = run.attempts.get()
    assert (run.state, run.progress, run.calls) == (RunState.SUCCEEDED, 100, 7)
    assert run.finished_at is not None
    assert (attempt.outcome, attempt.calls, attempt.worker) == (Outcome.SUCCEEDED, 7, "w1")


def test_three_failures_make_a_dead_letter_after_waits_of_two_and_four_seconds(run: SyncRun) -> None:
    waits = []
    lease = Lease.of(run)
    for _ in range(2):
        before = timezone.now()
        finish.fail(lease, BUSY, calls=1)
        run.refresh_from_db()
        assert (run.state, run.defer_reason, run.priority) == ("deferred", DeferReason.RETRY, Priority.RETRY)
        assert run.available_at is not None
        waits.append((run.available_at - before).total_seconds())
        lease = again(run)
    finish.fail(lease, BUSY, calls=1)

    run.refresh_from_db()
    assert 2 <= waits[0] <= 2.6
    assert 4 <= waits[1] <= 5.1
    assert (run.state, run.failed_attempts, run.calls) == (RunState.FAILED, 3, 3)
    assert (run.error_category, run.error_code) == ("NETWORK_ERROR", "unreachable")
    assert [attempt.trace_id for attempt in run.attempts.all()] == ["T1"] * 3


def test_a_run_started_when_it_first_started(run: SyncRun) -> None:
    first = run.started_at
    finish.give_back(Lease.of(run), message="", calls=0)
    again(run)

    run.refresh_from_db()
    assert run.started_at == first
    assert [attempt.worker for attempt in run.attempts.all()] == ["w1", "w2"]


def test_what_cannot_be_helped_by_waiting_is_not_retried(run: SyncRun) -> None:
    finish.fail(Lease.of(run), WRONG, calls=1)

    run.refresh_from_db()
    assert (run.state, run.failed_attempts) == (RunState.FAILED, 1)


def test_deferrals_use_no_attempt_and_keep_the_checkpoint(run: SyncRun) -> None:
    lease = Lease.of(run)
    lease.held().update(checkpoint={"stream": "ads", "cursor": "c9"})
    for _ in range(5):
        until = timezone.now() + timedelta(minutes=3)
        finish.defer(lease, until=until, reason=DeferReason.BUDGET, waiting_for="act_1 may call", calls=1)
        run.refresh_from_db()
        assert (run.state, run.waiting_for, run.available_at) == ("deferred", "act_1 may call", until)
        lease = again(run)

    run.refresh_from_db()
    assert (run.failed_attempts, run.checkpoint) == (0, {"stream": "ads", "cursor": "c9"})
    assert run.attempts.filter(outcome=Outcome.DEFERRED).count() == 5


@pytest.mark.parametrize(
    "leave",
    [
        lambda lease: finish.succeed(lease, Success(calls=1)),
        lambda lease: finish.fail(lease, BUSY, calls=1),
        lambda lease: finish.give_back(lease, message="", calls=1),
        lambda lease: finish.cancel_running(lease, calls=1),
        lambda lease: lease.renew(),
        lambda lease: finish.defer(
            lease, until=timezone.now(), reason=DeferReason.BUDGET, waiting_for="", calls=1
        ),
    ],
)
def test_a_late_worker_changes_nothing(run: SyncRun, leave: Leave) -> None:
    late = Lease.of(run)
    lose(run)
    take_back_lost()
    owner = again(run)

    with pytest.raises(LeaseLost):
        leave(late)

    run.refresh_from_db()
    assert (run.state, run.lease_token, run.calls) == (RunState.RUNNING, owner.token, 0)


def lose(run: SyncRun) -> None:
    SyncRun.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def test_a_lost_run_goes_on_from_its_checkpoint_and_uses_no_attempt(run: SyncRun) -> None:
    Lease.of(run).held().update(checkpoint={"stream": "ads", "cursor": "c9"})
    lose(run)

    assert take_back_lost() == [run]

    run.refresh_from_db()
    assert (run.state, run.failed_attempts, run.checkpoint["cursor"]) == (RunState.QUEUED, 0, "c9")
    assert run.attempts.get().outcome == Outcome.LOST


def test_a_healthy_run_is_not_taken_back(run: SyncRun) -> None:
    assert take_back_lost() == []


def test_a_machine_whose_clock_is_ahead_takes_no_healthy_run_back(
    run: SyncRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: ahead)

    assert take_back_lost() == []


def test_a_run_that_kills_three_workers_in_a_row_is_a_dead_letter(run: SyncRun) -> None:
    for _ in range(2):
        lose(run)
        take_back_lost()
        again(run)
    lose(run)
    take_back_lost()

    run.refresh_from_db()
    assert (run.state, run.error_code) == (RunState.FAILED, "lost_worker")


def test_a_run_that_makes_progress_survives_any_number_of_kills(run: SyncRun) -> None:
    for _ in range(6):
        SyncRun.objects.filter(pk=run.pk).update(starts_without_progress=0)  # as each committed chunk does
        lose(run)
        take_back_lost()
        again(run)

    run.refresh_from_db()
    assert run.state == RunState.RUNNING


def test_cancelling_ends_waiting_runs_at_once_and_asks_running_ones(run: SyncRun) -> None:
    waiting = make_run(make_connection(run.account))
    deferred = make_run(make_connection(run.account), state=RunState.DEFERRED)
    ended = make_run(make_connection(run.account), state=RunState.SUCCEEDED)

    chosen = cancel(SyncRun.objects.all(), by="carol")

    assert {row.pk for row in chosen} == {run.pk, waiting.pk, deferred.pk}
    for row in (run, waiting, deferred, ended):
        row.refresh_from_db()
    assert (waiting.state, deferred.state, ended.state) == ("cancelled", "cancelled", "succeeded")
    assert run.state == RunState.RUNNING
    assert run.cancel_requested_at is not None


@pytest.mark.parametrize(
    "leave",
    [
        lambda lease: finish.fail(lease, BUSY, calls=1),
        lambda lease: finish.give_back(lease, message="", calls=1),
        lambda lease: finish.defer(
            lease, until=timezone.now(), reason=DeferReason.BUDGET, waiting_for="", calls=1
        ),
    ],
)
def test_a_run_that_was_to_be_cancelled_does_not_wait_once_more(run: SyncRun, leave: Leave) -> None:
    SeenIds.objects.create(run=run, entity=EntityKind.AD, external_ids=["1"])
    cancel(SyncRun.objects.all(), by="carol")

    leave(Lease.of(run))

    run.refresh_from_db()
    assert (run.state, run.calls) == (RunState.CANCELLED, 1)
    assert run.attempts.get().ended_at is not None
    assert not SeenIds.objects.exists()


def test_a_lost_run_that_was_to_be_cancelled_ends_cancelled(run: SyncRun) -> None:
    SeenIds.objects.create(run=run, entity=EntityKind.AD, external_ids=["1"])
    cancel(SyncRun.objects.all(), by="carol")
    lose(run)
    take_back_lost()

    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert not SeenIds.objects.exists()
