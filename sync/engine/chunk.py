"""One chunk of a run: what it writes commits together with the words that say so, fenced by the lease."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from sync.ledger.lease import Lease, LeaseLost
from sync.models import SyncAttempt, SyncRun


class CancelRequested(Exception):
    """Somebody asked to stop the run; its last chunk is committed."""


class GaveWay(Exception):
    """The slot is left to others, and the last chunk is committed; says what the run waits for now."""

    def __init__(self, waiting_for: str, *, keeps_age: bool) -> None:
        super().__init__(waiting_for)
        self.keeps_age = keeps_age  # of a place among its account's runs


@contextmanager
def chunk(run: SyncRun, lease: Lease, *, calls: int, **columns: Any) -> Iterator[None]:
    """Its transaction. Raises `LeaseLost` before it writes anything, `CancelRequested` after its commit."""
    with transaction.atomic():
        held = lease.held().select_for_update().values("cancel_requested_at").first()
        if held is None:
            raise LeaseLost(f"run {run.pk} was taken over")
        yield
        lease.held().update(
            checkpoint=run.checkpoint,
            expected=run.expected,
            changes=run.changes,
            lease_expires_at=Now() + settings.LEASE,
            starts_without_progress=0,
            **columns,
        )
        SyncAttempt.objects.filter(lease_token=lease.token).update(calls=calls)  # for `past_calls`
    if held["cancel_requested_at"]:
        raise CancelRequested
