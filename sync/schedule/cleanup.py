"""Remove what is past its retention, in small batches.

Scheduled runs that found nothing are kept a week, all others 90 days; dead letters, changes and the daily
statistic, into which each run is counted before it goes, have times of their own. All are settings.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django_celery_results.models import TaskResult

from sync.engine.insights.owners import remove_ownerless
from sync.engine.insights.partitions import drop_old_partitions, oldest_kept
from sync.ledger.replay import CHECKPOINT_LASTS
from sync.models import (
    Change,
    DailyStatistic,
    InsightDay,
    OperationCount,
    OutsideCalls,
    SeenIds,
    SyncRequest,
    SyncRun,
)
from sync.models.choices import RunState, Trigger
from sync.models.google import DAY
from sync.statistics import count_days, counted_until

NEVER = datetime.min.replace(tzinfo=UTC)
BATCH = 1_000  # rows per transaction: short locks beside the workers


@dataclass
class Cleaned:
    """How many rows went; and how many days were counted before."""

    days_counted: int = 0
    runs: int = 0
    dead_letters: int = 0
    seen: int = 0
    requests: int = 0
    changes: int = 0
    results: int = 0
    operations: int = 0
    outside_calls: int = 0
    partitions: int = 0  # whole months of metrics
    insight_days: int = 0
    insights: int = 0  # of connections that are gone
    statistics: int = 0


def clean_up() -> Cleaned:
    """One whole clean-up."""
    now = timezone.now()
    days_counted = count_days(now)
    history = now - timedelta(days=settings.HISTORY_DAYS)
    found_nothing = Q(
        state=RunState.SUCCEEDED,
        trigger=Trigger.SCHEDULED,
        changes={},
        finished_at__lt=now - timedelta(days=settings.EMPTY_HISTORY_DAYS),
    )
    counted = SyncRun.objects.filter(finished_at__lt=counted_until() or NEVER)
    ended = counted.ended().exclude(state=RunState.FAILED, resolved_at=None)
    runs = ended.filter(Q(finished_at__lt=history) | found_nothing)
    dead = counted.dead_letters().filter(finished_at__lt=now - timedelta(days=settings.DEAD_LETTER_DAYS))
    # what a dead letter has seen is of use as long as a replay goes on from its checkpoint
    seen = SeenIds.objects.filter(run__state=RunState.FAILED, run__finished_at__lt=now - 2 * CHECKPOINT_LASTS)
    requests = SyncRequest.objects.filter(created_at__lt=history, made_runs=None, joined=None)
    changes = Change.objects.filter(seen_at__lt=now - timedelta(days=settings.CHANGE_DAYS))
    statistics = DailyStatistic.objects.filter(day__lt=now.date() - timedelta(days=settings.STATISTIC_DAYS))
    return Cleaned(
        days_counted=days_counted,
        runs=_delete(runs),
        dead_letters=_delete(dead),
        seen=_delete(seen),
        requests=_delete(requests),
        changes=_delete(changes),
        statistics=_delete(statistics),
        results=_trim_results(),
        operations=_delete(OperationCount.objects.filter(until__lt=Now() - DAY)),
        outside_calls=_delete(OutsideCalls.objects.filter(at__lt=Now() - DAY)),
        partitions=len(drop_old_partitions(now.date())),
        insights=remove_ownerless(),
        # at once: nobody works on days that old, and each batch would look for them in all that are kept
        insight_days=InsightDay.objects.filter(day__lt=oldest_kept(now.date())).delete()[0],
    )


def _delete(rows: "models.QuerySet[models.Model]") -> int:
    """Delete in batches, each from where the one before ended: what is kept between is passed once. Returns
    how many of these rows went."""
    total, rest = 0, rows
    while ids := _delete_batch(rest):
        total += len(ids)
        rest = rows.filter(pk__gt=ids[-1])
    return total


@transaction.atomic
def _delete_batch(rows: "models.QuerySet[models.Model]") -> list[Any]:
    """Locked before they go: what a person just replays is no longer among them. Returns their keys."""
    locked = rows.order_by("pk").select_for_update(of=("self",), skip_locked=True)
    ids = [row.pk for row in locked.only("pk")[:BATCH]]
    rows.model._default_manager.filter(pk__in=ids).delete()
    return ids


def _trim_results() -> int:
    """Keep the newest result rows of each maintenance task: 10 that succeeded, 20 that failed."""
    names: Iterable[str] = TaskResult.objects.order_by().values_list("task_name", flat=True).distinct()
    removed = 0
    for name in names:
        for status, keep in settings.KEEP_RESULTS.items():
            rows = TaskResult.objects.filter(task_name=name, status=status)
            newest = rows.order_by("-date_done").values("pk")[:keep]
            removed += rows.exclude(pk__in=list(newest.values_list("pk", flat=True))).delete()[0]
    return removed
