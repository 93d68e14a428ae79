"""How a running run ends or goes back: each function is fenced by the lease and closes the attempt.

A deferral is not a failure and uses up no attempt. A failure uses one; the last one makes the run a
dead letter, kept whole.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils import timezone

from sync import prepared
from sync.ledger.cancel import stop
from sync.ledger.lease import Lease, LeaseLost
from sync.models import SeenIds, SyncAttempt, SyncRun
from sync.models.choices import WAITING, DeferReason, Outcome, Priority, RunState
from sync.prepared import Asked, Rows


class Failure(NamedTuple):
    """What went wrong, in words that may be stored and shown."""

    category: str
    code: str
    message: str
    is_retryable: bool
    platform_code: str = ""
    trace_id: str = ""
    held_back: timedelta = timedelta(0)  # before the next attempt at least, as too many calls fail

    def columns(self) -> dict[str, str]:
        """The run's error columns."""
        return {
            "error_category": self.category,
            "error_code": self.code[:40],
            "error_message": self.message[:500],
            "platform_code": self.platform_code[:80],
            "trace_id": self.trace_id[:80],
        }

    def attempt_columns(self) -> dict[str, str]:
        """The same of the attempt, whose message is also that of a deferral."""
        columns = self.columns()
        return {"message": columns.pop("error_message"), **columns}


NO_ERROR: dict[str, Any] = Failure("", "", "", is_retryable=False).columns()


# What `_leave` does, and the connection's last sync, in one statement: nearly every run ends so. Each step
# takes the row before it from a WITH, so that they are locked in the order of all: connection, queue, run.
# What was read until then never becomes less; GREATEST passes NULL over.
_SUCCEED = f"""
    WITH connection AS (
        SELECT id FROM sync_connection
        WHERE id = (SELECT connection_id FROM sync_syncrun WHERE id = %(run)s) FOR NO KEY UPDATE
    ){{queue}}, won AS (
        UPDATE sync_syncrun run SET
            state = 'succeeded', finished_at = statement_timestamp(), lease_token = NULL,
            lease_expires_at = NULL, calls = calls + %(calls)s,
            data_discrepancies = COALESCE(%(discrepancies)s::jsonb, data_discrepancies),
            {", ".join(f"{name} = ''" for name in NO_ERROR)}
        FROM {{last}} WHERE run.id = %(run)s AND run.state = 'running' AND run.lease_token = %(token)s
        RETURNING run.id, connection_id,
            campaigns_count + ad_groups_count + ads_count + insights_count AS records
    ), synced AS (
        UPDATE sync_connection connection SET last_sync_at = statement_timestamp(),
            last_full_sync_at = CASE WHEN %(is_full)s THEN statement_timestamp() ELSE last_full_sync_at END,
            read_until = GREATEST(read_until, %(read_until)s), authors_since = %(authors_since)s
        FROM won WHERE connection.id = won.connection_id
    ), attempt AS (
        UPDATE sync_syncattempt SET
            ended_at = statement_timestamp(), outcome = 'succeeded', calls = %(calls)s
        FROM won WHERE lease_token = %(token)s
    ), seen AS (
        DELETE FROM sync_seenids USING won WHERE run_id = won.id
    )
    SELECT records FROM won
"""  # noqa: S608  (our own words)
_QUEUE = """, queue AS (
        SELECT queue.id FROM connection, sync_queue queue
        WHERE queue.provider = %(provider)s AND queue.region = %(region)s FOR NO KEY UPDATE OF queue
    )"""
_SUCCEED_ALONE = _SUCCEED.format(queue="", last="connection")
_SUCCEED_IN_QUEUE = _SUCCEED.format(queue=_QUEUE, last="queue")


class Success(NamedTuple):
    """A run that copied all that it was to copy."""

    calls: int
    is_full: bool = False  # it read all of the ad account
    read_until: datetime | None = None  # what changed before is read
    authors_since: datetime | None = None  # who made the changes seen since then is still to be asked
    discrepancies: Sequence[str] = ()


def succeed(lease: Lease, success: Success) -> int:
    """End the run; returns how many records it copied. Raises `LeaseLost`."""
    return records_of(lease, prepared.fetch(*succeeding(lease, success)))


def succeeding(lease: Lease, success: Success, *, queue_of: SyncRun | None = None) -> Asked:
    """The statement for it; with `queue_of` for a transaction that then claims from that run's queue."""
    found = orjson.dumps(success.discrepancies).decode() if success.discrepancies else None
    values = {"run": lease.run_id, "token": lease.token, **success._asdict(), "discrepancies": found}
    if queue_of is None:
        return _SUCCEED_ALONE, values
    return _SUCCEED_IN_QUEUE, {**values, "provider": queue_of.provider, "region": queue_of.region}


def records_of(lease: Lease, rows: Rows) -> int:
    """What the statement of `succeed` returned; raises `LeaseLost` where that was nothing."""
    if not rows:
        raise LeaseLost(f"run {lease.run_id} was taken over")
    [(records,)] = rows
    return int(records)


def defer(
    lease: Lease,
    *,
    until: datetime | Combinable,
    reason: DeferReason,
    waiting_for: str,
    calls: int,
    keeps_age: bool = False,
    report_ids: Sequence[str] = (),
) -> None:
    """Give the slot back until `until`; the checkpoint stays.

    The run is then as old as it is due, unless it `keeps_age`: who gave way to others loses no place. It is
    due at once when the platform tells that one of the reports is ready.
    """
    _leave(
        lease,
        Outcome.DEFERRED,
        calls,
        attempt={"message": waiting_for[:500]},
        starts_without_progress=0,  # it ended in good order, so it kills no worker
        report_ids=list(report_ids),
        **_deferred(until, reason, waiting_for, keeps_age=keeps_age),
    )


def give_back(lease: Lease, *, message: str, calls: int) -> None:
    """Put the run back into the queue as it was; a condition (pause, reconnect) holds it there."""
    _leave(
        lease,
        Outcome.DEFERRED,
        calls,
        attempt={"message": message[:500]},
        state=RunState.QUEUED,
        starts_without_progress=0,
    )


def cancel_running(lease: Lease, *, calls: int) -> None:
    """Somebody asked for it, and the page is committed."""
    _leave(lease, Outcome.CANCELLED, calls, state=RunState.CANCELLED, finished_at=Now())


def fail(lease: Lease, failure: Failure, *, calls: int) -> None:
    """Use up an attempt: wait and try again at retry priority, or end as a dead letter."""
    with transaction.atomic():
        run = lease.held().select_for_update().first()
        if run is None:
            raise LeaseLost(f"run {lease.run_id} was taken over")
        failed = run.failed_attempts + 1
        then: dict[str, Any] = {"state": RunState.FAILED, "finished_at": Now()}
        if failure.is_retryable and failed < run.max_attempts:
            then = _tried_again(failure, failed)
        _leave(
            lease,
            Outcome.FAILED,
            calls,
            attempt=failure.attempt_columns(),
            failed_attempts=failed,
            **failure.columns(),
            **then,
        )


def _tried_again(failure: Failure, failed_attempts: int) -> dict[str, Any]:
    held = " (held back: too many calls fail)" if failure.held_back else ""
    until = timezone.now() + max(retry_delay(failed_attempts), failure.held_back)
    waiting_for = f"the next attempt{held}, after: {failure.message}"
    return {
        **_deferred(until, DeferReason.RETRY, waiting_for),
        "priority": Priority.RETRY,
        "starts_without_progress": 0,
    }


def retry_delay(failed_attempts: int) -> timedelta:
    """2 s after the first failure, then 4 s, 8 s, …; up to a quarter more, so that herds spread."""
    jitter = 1 + random.random() / 4  # noqa: S311  (no secret)
    base: timedelta = settings.RETRY_BASE
    return base * float(2 ** (failed_attempts - 1)) * jitter


def _deferred(
    until: datetime | Combinable, reason: DeferReason, waiting_for: str, *, keeps_age: bool = False
) -> dict[str, Any]:
    return {
        "state": RunState.DEFERRED,
        "available_at": until,
        "defer_reason": reason,
        "waiting_for": waiting_for[:200],
        **({} if keeps_age else {"queued_at": until}),
    }


def _leave(
    lease: Lease, outcome: Outcome, calls: int, *, attempt: dict[str, Any] | None = None, **columns: Any
) -> None:
    """The one way out of `running`: release the lease, set the columns, close the attempt."""
    with transaction.atomic():
        won = lease.held().update(
            lease_token=None, lease_expires_at=None, calls=F("calls") + calls, **columns
        )
        if not won:
            raise LeaseLost(f"run {lease.run_id} was taken over")
        close_attempt(lease, outcome, calls=calls, **(attempt or {}))
        if columns["state"] in WAITING:  # unless it was to be cancelled
            stop(SyncRun.objects.filter(pk=lease.run_id).exclude(cancel_requested_at=None))
        if columns["state"] == RunState.CANCELLED:
            SeenIds.objects.filter(run_id=lease.run_id).delete()


def close_attempt(lease: Lease, outcome: Outcome, **columns: Any) -> None:
    """Write how the start under this lease ended."""
    SyncAttempt.objects.filter(lease_token=lease.token).update(ended_at=Now(), outcome=outcome, **columns)
