"""Runs that wait for the platform's reports, and become due when one of those ended."""

from collections.abc import Collection
from functools import partial

from django.db import transaction
from django.db.models.functions import Now

from sync.ledger.nudge import nudge
from sync.models import SyncRun
from sync.models.choices import DeferReason, RunState


def let_start(report_ids: Collection[str]) -> None:
    """The runs that wait for any of these reports are due now; one that somebody changes just now is not."""
    if not report_ids:
        return
    waits = SyncRun.objects.filter(
        report_ids__overlap=list(report_ids),
        state=RunState.DEFERRED,
        defer_reason=DeferReason.REPORT,
        available_at__gt=Now(),
    )
    with transaction.atomic():
        for run in waits.select_for_update(of=("self",), skip_locked=True):
            SyncRun.objects.filter(pk=run.pk).update(available_at=Now())
            transaction.on_commit(partial(nudge, run.provider, run.region, priority=run.priority))
