"""Mark as removed what a full pass no longer found.

Rows move between pages, so the pass alone proves nothing: what it did not see is asked for again by
id, and only what the platform does not know any more is marked. Nothing is deleted. Each call's ids
are a chunk, so a long second look goes on where it was stopped.
"""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from providers.base import Client
from providers.records import Stream
from sync import prepared
from sync.engine.chunk import chunk
from sync.engine.streams import TARGETS
from sync.ledger.lease import Lease
from sync.models import Change, SeenIds, SyncRun
from sync.models.choices import ChangeAction

# EXCEPT hashes both sides whatever the planner knows of them; an anti-join without statistics becomes a
# nested loop, and 100,000 ads take minutes.
UNSEEN = """
    SELECT external_id FROM {table} WHERE connection_id = %(connection)s AND removed_at IS NULL
    EXCEPT SELECT unnest(external_ids) FROM sync_seenids WHERE run_id = %(run)s AND entity = %(entity)s
"""


def remove_unseen(run: SyncRun, lease: Lease, client: Client, stream: Stream) -> Iterator[None]:
    """The second look, and the marks, of one stream; yields after each chunk but the last."""
    unseen, step = _unseen(run, stream), client.ids_per_call
    for start in range(0, len(unseen), step):
        if start:
            yield
        ids = unseen[start : start + step]
        known = set(client.fetch(stream, ids))
        with chunk(run, lease, calls=client.calls):
            _remember_seen(run, stream, known)
            _mark(run, stream, [external_id for external_id in ids if external_id not in known])


def _unseen(run: SyncRun, stream: Stream) -> list[str]:
    target = TARGETS[stream]
    values: dict[str, Any] = {
        "connection": run.connection_id,
        "run": run.pk,
        "entity": target.entity.value,
    }
    unseen = prepared.fetch(UNSEEN.format(table=target.table), values)
    return [external_id for (external_id,) in unseen]


def _remember_seen(run: SyncRun, stream: Stream, known: set[str]) -> None:
    if known:
        SeenIds.objects.create(run=run, entity=TARGETS[stream].entity, external_ids=sorted(known))


def _mark(run: SyncRun, stream: Stream, gone: list[str]) -> None:
    if not gone:
        return
    target = TARGETS[stream]
    rows = target.model._default_manager.filter(
        connection_id=run.connection_id, external_id__in=gone, removed_at=None
    )
    marked = rows.update(removed_at=timezone.now())
    Change.objects.bulk_create(
        Change(
            connection_id=run.connection_id,
            run_id=run.pk,
            entity=target.entity,
            external_id=external_id,
            action=ChangeAction.REMOVED,
        )
        for external_id in gone
    )
    run.changes["removed"] = run.changes.get("removed", 0) + marked
