"""Mark as removed what a full pass no longer found.

Rows move between pages, so the pass alone proves nothing: what it did not see is asked for again by
id, and only what the platform does not know any more is marked. Nothing is deleted.
"""

from typing import Any

from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from providers.base import Client
from providers.records import Stream
from sync.engine.streams import TARGETS
from sync.ledger.lease import Lease, LeaseLost
from sync.models import Change, SyncRun
from sync.models.choices import ChangeAction

# EXCEPT hashes both sides whatever the planner knows of them; an anti-join without statistics becomes a
# nested loop, and 100,000 ads take minutes.
UNSEEN = """
    SELECT external_id FROM {table} WHERE connection_id = %(connection)s AND removed_at IS NULL
    EXCEPT SELECT unnest(external_ids) FROM sync_seenids WHERE run_id = %(run)s AND entity = %(entity)s
"""


def remove_unseen(run: SyncRun, lease: Lease, client: Client, stream: Stream) -> None:
    """The second look, and the marks, of one stream."""
    unseen = _unseen(run, stream)
    if not unseen:
        return
    known = set(client.fetch(stream, unseen))
    if gone := [external_id for external_id in unseen if external_id not in known]:
        _mark(run, lease, stream, gone)


def _unseen(run: SyncRun, stream: Stream) -> list[str]:
    target = TARGETS[stream]
    values: dict[str, Any] = {
        "connection": run.connection_id,
        "run": run.pk,
        "entity": target.entity.value,
    }
    with database.cursor() as cursor:
        cursor.execute(UNSEEN.format(table=target.table), values)
        return [external_id for (external_id,) in cursor.fetchall()]


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
