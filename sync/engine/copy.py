"""Copy a connection's streams, chunk by chunk.

Guarantee: a chunk's rows, changes, seen ids, checkpoint and progress commit together, fenced by the
lease. Killing anything at any moment costs at most one chunk.
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from providers.base import Selection
from providers.errors import AccessDenied, CursorExpired
from providers.records import Page, Stream
from sync import prepared
from sync.engine.chunk import chunk
from sync.engine.denied import check_the_rest, note_denied
from sync.engine.inherit import inherit
from sync.engine.merge import merge
from sync.engine.plan import Plan, plan_of
from sync.engine.remove import remove_unseen
from sync.engine.streams import ORDER, TARGETS
from sync.engine.turn import Turn
from sync.ledger.lease import Lease, LeaseLost
from sync.models import SeenIds, SyncRun

SEEN = "INSERT INTO sync_seenids (run_id, entity, external_ids) VALUES (%(run)s, %(entity)s, %(ids)s)"


def copy(turn: Turn) -> None:
    """Copy what the run's plan selects, from its checkpoint on, and what can be concluded from it."""
    plan = plan_of(turn)
    if plan.selection is not None:
        for stream in _left(turn.run):
            _copy_stream(turn, plan, stream, plan.selection)
    if plan.sees_removals and plan.selection is not None:
        for stream in (stream for stream in ORDER if stream not in _denied(turn.run)):
            for _ in remove_unseen(turn, stream, plan.selection):
                turn.check()
    if plan.changed_since:
        inherit(turn, plan.changed_since)
    if plan.is_all and plan.sees_removals:
        _look_at_account(turn)


def _look_at_account(turn: Turn) -> None:
    """Let the account describe itself once a day; a first pass follows its connecting, which did."""
    last, still = turn.run.connection.last_full_sync_at, settings.FULL_SYNC_EVERY / 2
    if last and timezone.now() - last > still and turn.account is None:
        turn.account = turn.client.account()


def _left(run: SyncRun) -> Sequence[Stream]:
    """The streams that are not copied yet, the current one first."""
    if "finished" in run.checkpoint:
        return ()
    return ORDER[ORDER.index(Stream(run.checkpoint.get("stream", ORDER[0]))) :]


def _copy_stream(turn: Turn, plan: Plan, stream: Stream, selection: Selection) -> None:
    run, client = turn.run, turn.client
    cursor = run.checkpoint.get("cursor") if run.checkpoint.get("stream") == stream else None
    try:
        for page in client.pages(stream, selection=selection, cursor=cursor):
            _commit(turn, plan, stream, page)
            if "finished" not in run.checkpoint:
                turn.check()
    except CursorExpired:
        _start_stream_again(run, turn.lease, stream)
        raise
    except AccessDenied as exc:
        _pass_over(turn, stream, exc)


def _pass_over(turn: Turn, stream: Stream, exc: AccessDenied) -> None:
    """Go on with the next stream; what is not read is not taken for removed either."""
    run = turn.run
    denied = [*_denied(run), stream]
    if len(denied) == len(ORDER):
        raise exc
    check_the_rest(turn, exc)
    run.checkpoint["plan"]["denied"] = denied
    _go_behind(run, stream)
    with chunk(run, turn.lease, calls=turn.client.calls):
        note_denied(run, TARGETS[stream].words, exc)


def _denied(run: SyncRun) -> list[str]:
    denied: list[str] = run.checkpoint["plan"].get("denied", [])
    return denied


def _commit(turn: Turn, plan: Plan, stream: Stream, page: Page) -> None:
    """Write one page, with everything that says it was written."""
    run, target = turn.run, TARGETS[stream]
    with chunk(run, turn.lease, calls=turn.client.calls, **{target.counter: len(page.records)}):
        merged = merge(
            stream,
            page.records,
            connection_id=run.connection_id,
            run_id=run.pk,
            tell_created=run.connection.last_full_sync_at is not None,
        )
        if plan.sees_removals and page.records:
            ids = [record.external_id for record in page.records]
            prepared.run(SEEN, {"run": run.pk, "entity": target.entity.value, "ids": ids})
        _advance(run, stream, page, merged.as_changes())


def _advance(run: SyncRun, stream: Stream, page: Page, changes: dict[str, int]) -> None:
    """Move the run's checkpoint, expectations and counts on, in memory."""
    if page.cursor is None:
        _go_behind(run, stream)
    else:
        _go_to(run, stream, cursor=page.cursor)
    if page.expected_total is not None:
        run.expected[stream] = page.expected_total
    for name, count in changes.items():
        run.changes[name] = run.changes.get(name, 0) + count


def _go_behind(run: SyncRun, stream: Stream) -> None:
    following = ORDER.index(stream) + 1
    done = following == len(ORDER)
    _go_to(run, stream, finished=stream) if done else _go_to(run, ORDER[following])


def _go_to(run: SyncRun, stream: Stream, **place: Any) -> None:
    run.checkpoint = {"plan": run.checkpoint["plan"], "stream": stream, **place}


def _start_stream_again(run: SyncRun, lease: Lease, stream: Stream) -> None:
    """The platform forgot the cursor: what was read stays, and the stream is read from its beginning."""
    target = TARGETS[stream]
    _go_to(run, stream)
    with transaction.atomic():
        if not lease.held().update(checkpoint=run.checkpoint, **{target.counter: 0}):
            raise LeaseLost(f"run {run.pk} was taken over")
        SeenIds.objects.filter(run=run, entity=target.entity).delete()
