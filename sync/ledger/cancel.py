"""Stop runs: waiting ones at once, running ones when their page is committed."""

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from sync.models import Account, Intervention, SeenIds, SyncRun
from sync.models.choices import Action, RunState
from sync.models.run_queries import SyncRunQuerySet


def cancel(runs: SyncRunQuerySet, *, by: str, reason: str = "") -> list[SyncRun]:
    """Cancel the open ones among `runs` for a person, and write down for whom and why.

    Returns them as they were: those that were running still end their page. Each account's are one
    transaction, which so holds the lanes of one account, and lets the others go on.
    """
    chosen: list[SyncRun] = []
    for account in Account.objects.filter(pk__in=runs.open().values("account_id")).order_by("pk"):
        with transaction.atomic():
            # account before run, as requests lock them: or two who take several runs may wait in a circle
            Account.objects.select_for_update(no_key=True).filter(pk=account.pk).first()
            stopped = stop(runs.filter(account=account))
            Intervention.objects.record(Action.CANCELLED, stopped, by=by, reason=reason)
        chosen += stopped
    return chosen


def stop(runs: SyncRunQuerySet) -> list[SyncRun]:
    """The same for the ledger itself, which has locked what it stops, and whom nobody asks why."""
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
