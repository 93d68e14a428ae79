"""Give up what nobody reconnects: a run that was asked for has to end, whatever people do or don't.

Until then it waits without using an attempt, and goes on by itself once its user has reconnected.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from providers.errors import Category
from sync.ledger.finish import Failure
from sync.models import Connection, SeenIds, SyncRun
from sync.models.choices import ConnectionStatus, RunState
from sync.models.connection import ConnectionQuerySet

BATCH = 200  # runs per transaction: short locks, however many grants died on one day


def give_up_unconnected() -> list[SyncRun]:
    """Make dead letters of runs that waited for a reconnect too long, a batch at a time; returns them."""
    since = Now() - timedelta(days=settings.RECONNECT_DAYS)
    lost = Connection.objects.filter(credential__lost_at__lt=since)
    gone = Connection.objects.exclude(status=ConnectionStatus.ACTIVE)  # denied, or disconnected
    return _give_up(lost) or _give_up(gone)


def _give_up(connections: ConnectionQuerySet) -> list[SyncRun]:
    days = settings.RECONNECT_DAYS
    message = f"Nobody connected the ad account again within {days} days. Connect it, then replay this sync."
    failure = Failure(Category.API_ERROR, "reconnect_needed", message, is_retryable=False)
    waiting = SyncRun.objects.filter(
        connection__in=connections.values("pk"),
        state=RunState.QUEUED,  # deferred ones become due first
        is_held=True,  # so no lane counts them, and none is locked
        queued_at__lt=Now() - timedelta(days=days),
    )
    with transaction.atomic():
        runs = list(
            waiting.order_by("connection_id", "pk").select_for_update(of=("self",), skip_locked=True)[:BATCH]
        )
        ids = [run.pk for run in runs]
        SyncRun.objects.filter(pk__in=ids).update(
            state=RunState.FAILED, finished_at=Now(), **failure.columns()
        )
        SeenIds.objects.filter(run__in=ids).delete()
    return runs
