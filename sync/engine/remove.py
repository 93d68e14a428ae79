"""Mark as removed what a full pass no longer found.

Rows move between pages, so the pass alone proves nothing: what it did not see is asked for again by
id, and only what the platform does not know any more is marked. Nothing is deleted.
"""

from django.db import transaction
from django.utils import timezone

from providers.base import Client
from providers.records import Stream
from sync.engine.streams import TARGETS
from sync.ledger.lease import Lease, LeaseLost
from sync.models import Change, SyncRun
from sync.models.choices import ChangeAction

UNSEEN = """
    SELECT id, external_id FROM {table} entity
    WHERE connection_id = %(connection)s AND removed_at IS NULL AND NOT EXISTS (
        SELECT FROM (SELECT unnest(external_ids) AS id FROM sync_seenids
                     WHERE run_id = %(run)s AND entity = %(entity)s) seen
        WHERE seen.id = entity.external_id)
"""


def remove_unseen(run: SyncRun, lease: Lease, client: Client, stream: Stream) -> None:
    """The second look, and the marks, of one stream."""
    target = TARGETS[stream]
    unseen = [
        row.external_id
        for row in target.model._default_manager.raw(
            UNSEEN.format(table=target.table),
            {"connection": run.connection_id, "run": run.pk, "entity": target.entity.value},
        )
    ]
    if not unseen:
        return
    known = set(client.fetch(stream, unseen))
    if gone := [external_id for external_id in unseen if external_id not in known]:
        _mark(run, lease, stream, gone)


def _mark(run: SyncRun, lease: Lease, stream: Stream, gone: list[str]) -> None:
    target = TARGETS[stream]
    now = timezone.now()
    with transaction.atomic():
        if not lease.held().select_for_update().exists():
            raise LeaseLost(f"run {run.pk} was taken over")
        rows = target.model._default_manager.filter(
            connection_id=run.connection_id, external_id__in=gone, removed_at=None
        )
        marked = rows.update(removed_at=now)
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
        lease.held().update(changes=run.changes)
