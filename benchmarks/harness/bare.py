"""A queue on our tables that promises less, to tell what the promises cost: oldest first, a lease, history.

No order of classes, no fair share, no pause, no lost grant, no limit per kind or connection.
"""

from uuid import uuid4

from django.conf import settings
from django.db import models, transaction

from sync import prepared
from sync.models import SyncAttempt, SyncRun

_OWN = {"run_id", "lease_token", "worker", "started_at", "ended_at"}
_REST = {  # of the attempt's columns, with the defaults that the model has for them
    str(field.column): field.get_default()
    for field in SyncAttempt._meta.concrete_fields
    if field.column not in _OWN and not isinstance(field, models.AutoField)
}
_CLAIM = f"""
    WITH best AS (
        SELECT id FROM sync_syncrun
        WHERE provider = %(provider)s AND region = %(region)s AND state = 'queued'
        ORDER BY queued_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ), started AS (
        UPDATE sync_syncrun run SET
            state = 'running', started_at = statement_timestamp(), worker = %(worker)s,
            lease_token = %(token)s, lease_expires_at = statement_timestamp() + %(lease)s,
            starts_without_progress = starts_without_progress + 1
        FROM best WHERE run.id = best.id RETURNING run.id
    ), attempt AS (
        INSERT INTO sync_syncattempt (run_id, lease_token, worker, started_at, {", ".join(_REST)})
        SELECT id, %(token)s, %(worker)s, statement_timestamp(), {", ".join(f"%({name})s" for name in _REST)}
        FROM started
    )
    SELECT id FROM started
"""
_LOCK = """
    SELECT concurrency FROM sync_queue WHERE provider = %(provider)s AND region = %(region)s FOR UPDATE
"""
_BUSY = """
    SELECT count(*) FROM sync_syncrun
    WHERE provider = %(provider)s AND region = %(region)s AND state = 'running'
"""


def claim(provider: str, region: str, *, worker: str) -> SyncRun | None:
    """The oldest run, leased."""
    token = uuid4()
    values = {"provider": provider, "region": region, "worker": worker, "token": token}
    found = prepared.fetch(_CLAIM, {**values, "lease": settings.LEASE, **_REST})
    return SyncRun(pk=found[0][0], lease_token=token) if found else None


def claim_a_slot(provider: str, region: str, *, worker: str) -> SyncRun | None:
    """The same, while a slot of the queue is free, exactly."""
    queue = {"provider": provider, "region": region}
    with transaction.atomic():
        [(slots,)] = prepared.fetch(_LOCK, queue)
        [(busy,)] = prepared.fetch(_BUSY, queue)
        return claim(provider, region, worker=worker) if busy < slots else None
