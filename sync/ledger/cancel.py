"""Stop runs: waiting ones at once, running ones when their page is committed."""

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from sync.models import SeenIds, SyncRun
from sync.models.choices import RunState
from sync.models.run import SyncRunQuerySet


def cancel(runs: SyncRunQuerySet) -> list[SyncRun]:
    """Cancel the open ones among `runs`; returns them, those that still end their page included."""
    with transaction.atomic():
        # locked in the order in which requests lock them
        chosen = list(runs.open().order_by("connection_id", "pk").select_for_update(of=("self",)))
        ids = [run.pk for run in chosen]
        SyncRun.objects.filter(pk__in=ids).waiting().update(
            state=RunState.CANCELLED,
            finished_at=Now(),
            available_at=None,
            defer_reason="",
            waiting_for="",
        )
        SeenIds.objects.filter(run__in=ids, run__state=RunState.CANCELLED).delete()
        SyncRun.objects.filter(pk__in=ids, state=RunState.RUNNING).update(cancel_requested_at=timezone.now())
    return chosen
