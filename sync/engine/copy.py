"""Copy a connection's streams, chunk by chunk.

Guarantee: a chunk's rows, changes, seen ids, checkpoint and progress commit together, fenced by the
lease. Killing anything at any moment costs at most one chunk.
"""

import time

from django.conf import settings
from django.db import transaction

from providers.base import Client, Selection
from providers.errors import CursorExpired
from providers.records import Page, Stream
from sync import prepared
from sync.engine.chunk import GaveWay, chunk
from sync.engine.merge import merge
from sync.engine.remove import remove_unseen
from sync.engine.stopping import WorkerStops, stop_asked
from sync.engine.streams import ORDER, TARGETS
from sync.ledger.claim import better_run_waits
from sync.ledger.lease import Lease, LeaseLost
from sync.models import SeenIds, SyncRun
from sync.models.choices import Mode

SEEN = "INSERT INTO sync_seenids (run_id, entity, external_ids) VALUES (%(run)s, %(entity)s, %(ids)s)"


def copy(run: SyncRun, lease: Lease, client: Client) -> None:
    """Copy all streams, from the run's checkpoint on, and mark what a full pass no longer found."""
    ends_at = time.monotonic() + settings.TURN_SECONDS
    selection = Selection(campaign_ids=tuple(run.campaign_ids))
    stream, cursor = run.checkpoint.get("stream", ORDER[0]), run.checkpoint.get("cursor")
    for current in ORDER[ORDER.index(Stream(stream)) :]:
        _copy_stream(run, lease, client, current, selection, cursor, ends_at)
        cursor = None
    if run.mode == Mode.FULL and not selection.campaign_ids:
        for current in ORDER:
            for _ in remove_unseen(run, lease, client, current):
                _check_turn(run, ends_at)


def _copy_stream(
    run: SyncRun,
    lease: Lease,
    client: Client,
    stream: Stream,
    selection: Selection,
    cursor: str | None,
    ends_at: float,
) -> None:
    if run.checkpoint.get("finished") == stream:
        return
    try:
        for page in client.pages(stream, selection=selection, cursor=cursor):
            _commit(run, lease, stream, page, calls=client.calls)
            if "finished" not in run.checkpoint:
                _check_turn(run, ends_at)
    except CursorExpired:
        _start_stream_again(run, lease, stream)
        raise


def _check_turn(run: SyncRun, ends_at: float) -> None:
    """Between two chunks: whether the slot is to be left to others, or the worker to stop."""
    if stop_asked():
        raise WorkerStops
    if better_run_waits(run):
        raise GaveWay("a more urgent sync", keeps_age=True)
    if time.monotonic() > ends_at:
        raise GaveWay("its next turn, for it is a long sync", keeps_age=False)


def _commit(run: SyncRun, lease: Lease, stream: Stream, page: Page, *, calls: int) -> None:
    """Write one page, with everything that says it was written."""
    target = TARGETS[stream]
    with chunk(run, lease, calls=calls, **{target.counter: len(page.records)}):
        merged = merge(
            stream,
            page.records,
            connection_id=run.connection_id,
            run_id=run.pk,
            tell_created=run.connection.last_full_sync_at is not None,
        )
        _remember_seen(run, stream, page)
        _advance(run, stream, page, merged.as_changes())


def _advance(run: SyncRun, stream: Stream, page: Page, changes: dict[str, int]) -> None:
    """Move the run's checkpoint, expectations and counts on, in memory."""
    if page.cursor is None:
        following = ORDER.index(stream) + 1
        done = following == len(ORDER)
        run.checkpoint = {"stream": stream, "finished": stream} if done else {"stream": ORDER[following]}
    else:
        run.checkpoint = {"stream": stream, "cursor": page.cursor}
    if page.expected_total is not None:
        run.expected[stream] = page.expected_total
    for name, count in changes.items():
        run.changes[name] = run.changes.get(name, 0) + count


def _remember_seen(run: SyncRun, stream: Stream, page: Page) -> None:
    if run.mode == Mode.FULL and not run.campaign_ids and page.records:
        ids = [record.external_id for record in page.records]
        prepared.run(SEEN, {"run": run.pk, "entity": TARGETS[stream].entity.value, "ids": ids})


def _start_stream_again(run: SyncRun, lease: Lease, stream: Stream) -> None:
    """The platform forgot the cursor: what was read stays, and the stream is read from its beginning."""
    target = TARGETS[stream]
    run.checkpoint = {"stream": stream}
    with transaction.atomic():
        if not lease.held().update(checkpoint=run.checkpoint, **{target.counter: 0}):
            raise LeaseLost(f"run {run.pk} was taken over")
        SeenIds.objects.filter(run=run, entity=target.entity).delete()
