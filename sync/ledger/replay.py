"""Send dead letters back into the queue: the same run, its counters at zero, its attempts kept.

Guarantee: a connection has no second run that does the same. Where one that is open covers a dead
letter, or waits and can take it on, that one answers for it, and the dead letter is done.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from sync.ledger.dead_letters import NotADeadLetter, check_dead, resolve
from sync.ledger.finish import NO_ERROR
from sync.ledger.nudge import nudge
from sync.ledger.scope import Ask, Scope, begin_again, covers, touches, widen
from sync.models import Connection, Intervention, JoinedRequest, SyncRun
from sync.models.choices import Action, DeferReason, Kind, Priority, RunState, Trigger
from sync.models.run_queries import SyncRunQuerySet

PER_MINUTE = 10  # of each provider: what two slots do of syncs that take 12 s, so no backlog forms
CHECKPOINT_LASTS = timedelta(hours=1)  # then hourly syncs know better than a pass that goes on half-way


@dataclass(frozen=True)
class Replayed:
    """A run that went back; or one that is done, for `joined` answers for it."""

    run: SyncRun
    joined: SyncRun | None = None


@dataclass
class ReplayedMany:
    """What became of many."""

    sent: list[SyncRun] = field(default_factory=list)
    joined: list[Replayed] = field(default_factory=list)
    last_at: datetime | None = None  # when the last one becomes due


def replay(run_id: UUID, *, by: str, reason: str = "", at: datetime | None = None) -> Replayed:
    """Send one back, to be due at once or `at` a time. Raises `NotADeadLetter`; then nothing was changed."""
    with transaction.atomic():
        run = _locked(run_id)
        Intervention.objects.record(Action.REPLAYED, [run], by=by, reason=reason)
        if joined := _answered_by(run):
            resolve(SyncRun.objects.filter(pk=run.pk), by=by, reason=f"Run {joined.pk} does its work.")
            return Replayed(run, joined)
        _send_back(run, at)
        if at is None:
            transaction.on_commit(partial(nudge, run.provider, run.region, priority=Priority.RETRY))
    return Replayed(run)


def replay_many(
    runs: SyncRunQuerySet, *, by: str, reason: str = "", per_minute: int = PER_MINUTE
) -> ReplayedMany:
    """Send the dead letters among `runs` back, so many a minute of each provider: the first at once.

    The accounts take turns, so none waits for all of another's.
    """
    turn = Window(RowNumber(), partition_by=[F("account_id")], order_by=[F("finished_at"), F("pk")])
    line = runs.dead_letters().annotate(turn=turn).order_by("turn", "finished_at", "pk")
    done, sent, start = ReplayedMany(), Counter[str](), timezone.now()
    for run_id, provider in list(line.values_list("pk", "provider")):
        at = start + timedelta(minutes=sent[provider] / per_minute)
        try:
            replayed = replay(run_id, by=by, reason=reason, at=at if sent[provider] else None)
        except NotADeadLetter:
            continue  # somebody else was quicker
        if replayed.joined:
            done.joined.append(replayed)
        else:
            sent[provider] += 1
            done.sent.append(replayed.run)
            done.last_at = max(at, done.last_at or at)
    return done


def _locked(run_id: UUID) -> SyncRun:
    """The dead letter, its connection locked as by every request: so neither makes a second run."""
    connections = SyncRun.objects.filter(pk=run_id).values("connection_id")
    Connection.objects.select_for_update(no_key=True).filter(pk__in=connections).first()
    run = SyncRun.objects.select_for_update().filter(pk=run_id).first()
    if run is None:
        raise NotADeadLetter(f"There is no run {run_id} any more.")
    check_dead(run)
    return run


def _answered_by(run: SyncRun) -> SyncRun | None:
    """The open run that does the dead letter's work, if there is one: its end answers all who asked."""
    ask = Ask(Trigger.RETRY, Kind(run.kind), Priority.RETRY, Scope.of(run))
    same_kind = SyncRun.objects.filter(connection=run.connection_id, kind=run.kind).select_for_update()
    waits = (one for one in same_kind.waiting().order_by("created_at") if touches(one, ask))
    answer = next(waits, None)
    if answer is not None:
        widen(answer, ask)
    else:
        running = same_kind.running().filter(cancel_requested_at=None).first()
        answer = running if running is not None and covers(running, ask) else None
    if answer is not None:
        asked = {run.request_id, *run.joined_by.values_list("request_id", flat=True)}
        JoinedRequest.objects.bulk_create(
            [JoinedRequest(request_id=request, run=answer) for request in sorted(asked)],
            ignore_conflicts=True,
        )
    return answer


def _send_back(run: SyncRun, at: datetime | None) -> None:
    if not _checkpoint_is_good(run):
        begin_again(run)
    run.state = RunState.DEFERRED if at else RunState.QUEUED
    run.queued_at = at or timezone.now()
    run.available_at = at
    run.defer_reason = DeferReason.RETRY if at else ""
    run.waiting_for = "its turn among the replayed" if at else ""
    run.priority, run.max_attempts = Priority.RETRY, settings.MAX_ATTEMPTS
    run.failed_attempts = run.starts_without_progress = 0
    run.started_at = run.finished_at = run.cancel_requested_at = None
    for column, empty in NO_ERROR.items():
        setattr(run, column, empty)
    run.save()


def _checkpoint_is_good(run: SyncRun) -> bool:
    """Whether it may go on where it stood: it worked lately, so what it read before is not old yet."""
    return run.attempts.filter(ended_at__gt=timezone.now() - CHECKPOINT_LASTS).exists()
