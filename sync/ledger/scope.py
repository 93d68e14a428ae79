"""What a run is to do, whether that covers what is asked for, and how a waiting run takes more on.

For requests and replays alike. The connection's row is locked by whoever calls, so nothing is placed twice.
"""

from dataclasses import dataclass

from django.utils import timezone

from sync.models import JoinedRequest, SyncRequest, SyncRun
from sync.models.choices import Kind, Mode, Priority, RunState, Trigger


@dataclass(frozen=True)
class Ask:
    """One request's wishes, the same for all its connections."""

    trigger: Trigger
    kind: Kind
    mode: Mode
    priority: Priority
    campaign_ids: tuple[str, ...] = ()


def covers(run: SyncRun, ask: Ask) -> bool:
    """Whether the run does all that is asked for."""
    mode_covers = run.mode == Mode.FULL or ask.mode == Mode.INCREMENTAL
    ids_cover = not run.campaign_ids or (
        bool(ask.campaign_ids) and set(ask.campaign_ids) <= set(run.campaign_ids)
    )
    return mode_covers and ids_cover


def join(request: SyncRequest, run: SyncRun, ask: Ask) -> SyncRun:
    """Share a waiting run: it takes on what is asked for, and its end answers the request."""
    widen(run, ask)
    JoinedRequest.objects.create(request=request, run=run)
    return run


def widen(run: SyncRun, ask: Ask) -> None:
    """Let a waiting run do all that is asked for too, in the better of both classes.

    A person is shown the data of now: what the run read before the request is read again.
    """
    if not covers(run, ask):
        run.mode = Mode.FULL if Mode.FULL in (run.mode, ask.mode) else Mode.INCREMENTAL
        everything = not run.campaign_ids or not ask.campaign_ids
        run.campaign_ids = [] if everything else sorted({*run.campaign_ids, *ask.campaign_ids})
        begin_again(run)
    elif ask.trigger == Trigger.MANUAL and run.checkpoint:
        begin_again(run)
    if ask.priority < run.priority:
        run.priority = ask.priority
        _let_be_due(run)
    if ask.trigger == Trigger.MANUAL:
        run.trigger = Trigger.MANUAL
    run.save()


def begin_again(run: SyncRun) -> None:
    """Read from the first page on: what was read so far lacks what is asked for now."""
    run.checkpoint, run.expected = {}, {}
    run.campaigns_count = run.ad_groups_count = run.ads_count = 0
    run.seen.all().delete()


def _let_be_due(run: SyncRun) -> None:
    """A better class may start sooner: people have a reserve of the budget, and need no more patience.

    Where the budget is spent for them, too, the run is deferred again before anything is called.
    """
    if run.state == RunState.DEFERRED:
        run.state, run.queued_at = RunState.QUEUED, timezone.now()
        run.available_at, run.defer_reason, run.waiting_for = None, "", ""
