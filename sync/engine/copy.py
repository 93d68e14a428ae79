"""Copy a connection's streams, chunk by chunk.

Guarantee: a chunk's rows, changes, seen ids, checkpoint and progress commit together, fenced by the
lease. Killing anything at any moment costs at most that chunk and the next, which is read meanwhile, and
a forgotten page cursor one slice.
"""

from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from providers.errors import AccessDenied, CursorExpired
from providers.records import Page, Stream
from sync.engine.ahead import read_ahead
from sync.engine.chunk import chunk
from sync.engine.denied import check_the_rest, note_denied
from sync.engine.gather import gathered
from sync.engine.incoming import as_array, as_json
from sync.engine.inherit import inherit
from sync.engine.merge import Merging
from sync.engine.plan import Plan, catch_up, plan_of
from sync.engine.remove import remove_unseen
from sync.engine.slices import Place, Slice, are_needed, expected, following
from sync.engine.streams import ORDER, TARGETS
from sync.engine.turn import Turn
from sync.ledger.lease import LeaseLost
from sync.models import SyncRun

SEEN = f"""
    INSERT INTO sync_seenids (run_id, entity, external_ids) VALUES (%(run)s, %(entity)s, {as_array("ids")})
"""  # noqa: S608  (our own text)


def copy(turn: Turn) -> None:
    """Copy what the run's plan selects, from its checkpoint on, and what can be concluded from it."""
    _copy(turn, plan_of(turn))
    if changed := catch_up(turn):
        _copy(turn, changed)


def _copy(turn: Turn, plan: Plan) -> None:
    run = turn.run
    if not plan.is_empty:
        _copy_streams(turn, plan)
    if plan.sees_removals:
        for _ in remove_unseen(turn, [one for one in ORDER if one not in _denied(run)], plan.selection):
            turn.check()
    if plan.changed_since:
        inherit(turn, plan.changed_since)
    if plan.is_all and plan.sees_removals:
        _look_at_account(turn)


def _copy_streams(turn: Turn, plan: Plan) -> None:
    run = turn.run
    run.checkpoint.setdefault("stream", ORDER[0])
    while "finished" not in run.checkpoint:
        _copy_part(turn, plan, Stream(run.checkpoint["stream"]))
        if "finished" not in run.checkpoint:
            turn.check()


def _look_at_account(turn: Turn) -> None:
    """Let the account describe itself once a day; a first pass follows its connecting, which did."""
    last, still = turn.run.connection.last_full_sync_at, settings.FULL_SYNC_EVERY / 2
    if last and timezone.now() - last > still and turn.account is None:
        turn.account = turn.client.account()


def _copy_part(turn: Turn, plan: Plan, stream: Stream) -> None:
    """All of a stream, or one slice of it."""
    run, slice = turn.run, _slice(turn, plan, stream)
    selection, cursor = slice.selection if slice else plan.selection, run.checkpoint.get("cursor")
    goes_on = cursor is not None
    pages = gathered(turn.client.pages(stream, selection=selection, cursor=cursor))
    try:
        for page in read_ahead(turn, pages, behind_first=slice is not None or goes_on):
            _commit(turn, plan, stream, page, slice)
            goes_on = False
            if not slice and page.cursor and page.expected_total and _is_too_long(turn, plan, stream):
                _begin_again(turn, plan, stream)
                return
    except CursorExpired:
        _begin_again(turn, plan, stream)
        if not goes_on:  # it was given just now
            raise
    except AccessDenied as exc:
        _pass_over(turn, stream, exc)


def _slice(turn: Turn, plan: Plan, stream: Stream) -> Slice | None:
    """The part that is read now; None where the stream is read in one."""
    run, place = turn.run, turn.run.checkpoint
    is_begun = "slice" in place or "cursor" in place
    if not is_begun and ("after" in place or _is_too_long(turn, plan, stream)):
        place.setdefault("after", list(Place()))
        if first := following(turn, stream, Place(*place["after"])):
            place["slice"] = first._asdict()
            run.expected[stream] = expected(run, stream)
    return Slice.stored(place["slice"]) if "slice" in place else None


def _is_too_long(turn: Turn, plan: Plan, stream: Stream) -> bool:
    return plan.is_all and are_needed(turn, stream)


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


def _commit(turn: Turn, plan: Plan, stream: Stream, page: Page, slice: Slice | None) -> None:
    """Write one page, with everything that says it was written."""
    run, target = turn.run, TARGETS[stream]
    counted = {target.counter: len(page.records)}
    merging = Merging(
        stream,
        page.records,
        connection_id=run.connection_id,
        lease=turn.lease,
        tell_created=run.connection.last_full_sync_at is not None,
    )
    with chunk(run, turn.lease, calls=turn.client.calls, first=merging.asked, **counted) as part:
        merged = merging.merged(part.answers)
        if plan.sees_removals and page.records:
            ids = as_json([record.external_id for record in page.records])
            part.behind.append((SEEN, {"run": run.pk, "entity": target.entity.value, "ids": ids}))
        if page.expected_total is not None and slice is None:
            run.expected[stream] = page.expected_total
        for name, count in merged.as_changes().items():
            run.changes[name] = run.changes.get(name, 0) + count
        _advance(turn, stream, page, slice)


def _advance(turn: Turn, stream: Stream, page: Page, slice: Slice | None) -> None:
    """Move the run's checkpoint on, in memory: within the part, to the next slice, or to the next stream."""
    run = turn.run
    if page.cursor is not None:
        run.checkpoint["cursor"] = page.cursor
        run.checkpoint["rows"] = run.checkpoint.get("rows", 0) + len(page.records)
    elif slice and (next_one := following(turn, stream, slice.end)):
        _go_to(run, stream, after=list(slice.end), slice=next_one._asdict())
    else:
        _go_behind(run, stream)


def _go_behind(run: SyncRun, stream: Stream) -> None:
    if stream == ORDER[-1]:
        _go_to(run, stream, finished=stream)
    else:
        _go_to(run, ORDER[ORDER.index(stream) + 1])


def _go_to(run: SyncRun, stream: Stream, **place: Any) -> None:
    run.checkpoint = {"plan": run.checkpoint["plan"], "stream": stream, **place}


def _begin_again(turn: Turn, plan: Plan, stream: Stream) -> None:
    """Read the part from its beginning, for its cursor is forgotten or it takes too long; a stream that was
    read in one, in slices. What was read stays."""
    run, counter = turn.run, TARGETS[stream].counter
    rows, after = run.checkpoint.get("rows", 0), run.checkpoint.get("after")
    if after is None and plan.is_all and turn.client.rows_per_call and stream != Stream.CAMPAIGNS:
        after = list(Place())
    _go_to(run, stream, **({} if after is None else {"after": after}))
    if not turn.lease.held().update(checkpoint=run.checkpoint, **{counter: F(counter) - rows}):
        raise LeaseLost(f"run {run.pk} was taken over")
