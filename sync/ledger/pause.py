"""Pause and resume a queue, an account or a connection: the one way, for the admin and the commands.

A pause is a condition that the claim checks: what waits is not rewritten, what runs goes on to its
end, and pauses overlap correctly. Who, when and why is written down for both.
"""

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from sync.ledger.nudge import nudge
from sync.models import Account, Connection, Intervention, Queue
from sync.models.choices import Action, Priority

PausableRow = Queue | Account | Connection


def pause(row: PausableRow, *, by: str, reason: str = "") -> bool:
    """Start nothing more of it until `resume`. False when it is paused already: the first pause stays."""
    with transaction.atomic():
        won = (
            _itself(row)
            .filter(paused_at=None)
            .update(paused_at=timezone.now(), paused_by=by, pause_reason=reason)
        )
        if won:
            Intervention.objects.record(Action.PAUSED, [row], by=by, reason=reason)
    row.refresh_from_db(fields=["paused_at", "paused_by", "pause_reason"])
    return bool(won)


def resume(row: PausableRow, *, by: str, reason: str = "") -> bool:
    """Let it start again, at once where a slot is free. False when it is not paused."""
    with transaction.atomic():
        won = _itself(row).exclude(paused_at=None).update(paused_at=None, paused_by="", pause_reason="")
        if won:
            Intervention.objects.record(Action.RESUMED, [row], by=by, reason=reason)
            for queue in _queues(row):
                transaction.on_commit(partial(nudge, *queue, priority=Priority.SCHEDULED))
    row.refresh_from_db(fields=["paused_at", "paused_by", "pause_reason"])
    return bool(won)


def _itself(row: PausableRow) -> "QuerySet[Any]":
    """The row as a query, so that looking and writing are one UPDATE: the database picks the winner."""
    rows: QuerySet[Any] = type(row)._default_manager.all()
    return rows.filter(pk=row.pk)


def _queues(row: PausableRow) -> set[tuple[str, str]]:
    """The provider and region of each queue in which it may have runs."""
    if isinstance(row, Account):
        return set(row.connections.values_list("provider", "region"))
    return {(row.provider, row.region)}
