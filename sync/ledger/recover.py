"""Take back the runs of workers that died or fell silent.

A run that kills its worker several times in a row, without one committed checkpoint between, becomes
a dead letter (`lost_worker`); a long innocent one survives any number of kills.
"""

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from providers.errors import Category
from sync.ledger.cancel import stop
from sync.ledger.finish import Failure, close_attempt
from sync.ledger.lease import Lease
from sync.models import SyncRun
from sync.models.choices import Outcome, RunState
from sync.models.run_queries import SyncRunQuerySet

BATCH = 200  # runs per tick, which is to be over in a moment, however many workers died


def take_back_lost() -> list[SyncRun]:
    """End the expired leases; the runs go on from their checkpoints. Returns the runs taken back."""
    return take_back(SyncRun.objects.lost())


def take_back(runs: SyncRunQuerySet) -> list[SyncRun]:
    """The same for running ones of which it is known otherwise that nobody works on them any more."""
    taken = []
    for pk in list(runs.order_by("lease_expires_at").values_list("pk", flat=True)[:BATCH]):
        # one per transaction: it holds the lanes of one account, so nobody waits for it in a circle
        with transaction.atomic():
            run = runs.filter(pk=pk).select_for_update(skip_locked=True).first()
            if run is not None:
                _take_back(run)
                taken.append(run)
    return taken


def _take_back(run: SyncRun) -> None:
    lease = Lease.of(run)
    released = {"lease_token": None, "lease_expires_at": None}
    if run.starts_without_progress >= settings.MAX_STARTS_WITHOUT_PROGRESS:
        message = f"The worker was lost {run.starts_without_progress} times in a row without progress."
        failure = Failure(Category.UNKNOWN, "lost_worker", message, is_retryable=False)
        lease.held().update(state=RunState.FAILED, finished_at=Now(), **failure.columns(), **released)
    else:
        lease.held().update(state=RunState.QUEUED, **released)
        if run.cancel_requested_at:
            stop(SyncRun.objects.filter(pk=run.pk))
    close_attempt(lease, Outcome.LOST, message="The worker was lost; the run goes on from its checkpoint.")
