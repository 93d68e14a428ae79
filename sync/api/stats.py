"""Figures over an account's history: days that are over are counted already, whatever their number."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.utils import timezone

from sync.api.queue_state import RECENT, QueueState, only
from sync.api.words import QUEUES, length, percent
from sync.ledger.manual_limit import Allowance
from sync.models import Account, DailyStatistic, SyncRun
from sync.models.choices import ENDED, Kind, RunState
from sync.models.run_queries import SyncRunQuerySet
from sync.statistics import counted_until

RunCounter = Counter[tuple[str, str]]  # by kind and state


@dataclass
class Tallies:
    """The runs that ended within `HISTORY_DAYS`, counted."""

    ended: RunCounter = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    last: dict[str, datetime] = field(default_factory=dict)  # by state
    recent_failures: int = 0
    seconds: float = 0.0  # of those that succeeded

    def count(self, state: RunState) -> int:
        """Over all kinds."""
        return _sum(self.ended, tuple(Kind), state)


def tally(account: Account, provider: str | None) -> Tallies:
    """Count an account's runs, or those of one provider in it: whole days in the daily statistic, where they
    stay when runs that found nothing go; what ended since, in the ledger."""
    now, tallies = timezone.now(), Tallies()
    since = now - timedelta(days=settings.HISTORY_DAYS)
    until = max(since, counted_until() or since)
    of_provider = {"connection__provider": provider} if provider else {}
    days = DailyStatistic.objects.filter(
        connection__account=account, day__gte=since.date(), day__lt=until.date(), **of_provider
    )
    _add_days(tallies, days)
    runs = history_of(account, provider)
    _add_ended(tallies, runs, until, now - RECENT)
    failed = runs.filter(state=RunState.FAILED).order_by("-finished_at").only("finished_at").first()
    if failed and failed.finished_at:
        tallies.last[RunState.FAILED] = failed.finished_at
    return tallies


def history_of(account: Account, provider: str | None) -> SyncRunQuerySet:
    """The runs of the account, or of one provider in it."""
    return SyncRun.objects.of_account(account).filter(**only(provider))


def _add_days(tallies: Tallies, days: "QuerySet[DailyStatistic]") -> None:
    sums = {f"sum_{name}": Sum(name) for name in (*ENDED, "seconds")}
    grouped = days.order_by().values("kind", "error_categories")
    rows: Iterable[Mapping[str, Any]] = grouped.annotate(days=Count("day"), **sums)
    for row in rows:
        for state in ENDED:
            tallies.ended[row["kind"], state] += row[f"sum_{state}"]
        tallies.seconds += row["sum_seconds"]
        for category, number in row["error_categories"].items():
            tallies.categories[category] += row["days"] * number


def _add_ended(tallies: Tallies, runs: SyncRunQuerySet, until: datetime, recently: datetime) -> None:
    """What ended behind the statistic; and the failures of the last day, wherever they are counted."""
    behind = Q(finished_at__gte=until)
    rows = (
        runs.filter(finished_at__gte=min(until, recently))
        .order_by()
        .values("kind", "state", "error_category")
        .annotate(
            number=Count("pk", filter=behind),
            recent=Count("pk", filter=Q(finished_at__gt=recently)),
            last=Max("finished_at"),
            time=Sum(F("finished_at") - F("started_at"), filter=behind),
        )
    )
    for row in rows:
        _add(tallies, row)


def _add(tallies: Tallies, row: Mapping[str, Any]) -> None:
    state = row["state"]
    tallies.ended[row["kind"], state] += row["number"]
    tallies.last[state] = max(row["last"], tallies.last.get(state, row["last"]))
    if state == RunState.FAILED:
        tallies.recent_failures += row["recent"]
        if row["error_category"] and row["number"]:
            tallies.categories[row["error_category"]] += row["number"]
    if state == RunState.SUCCEEDED and row["time"]:
        tallies.seconds += row["time"].total_seconds()


def queue_numbers(ended: RunCounter, open_runs: RunCounter) -> dict[str, dict[str, int]]:
    """The numbers of each of the guide's queues."""
    return {queue: numbers(ended, open_runs, [kind]) for queue, kind in QUEUES.items()}


def numbers(
    ended: RunCounter, open_runs: RunCounter, kinds: Collection[Kind] = tuple(Kind)
) -> dict[str, int]:
    """The numbers of some kinds of run together."""
    found = {
        "waiting": _sum(open_runs, kinds, RunState.QUEUED),
        "active": _sum(open_runs, kinds, RunState.RUNNING),
        "completed": _sum(ended, kinds, RunState.SUCCEEDED),
        "failed": _sum(ended, kinds, RunState.FAILED),
        "delayed": _sum(open_runs, kinds, RunState.DEFERRED),
    }
    return {**found, "total": sum(found.values())}


def _sum(counter: RunCounter, kinds: Collection[Kind], state: RunState) -> int:
    return sum(counter[kind, state] for kind in kinds)


def stats(tallies: Tallies, state: QueueState, allowance: Allowance, *, can_sync: bool) -> dict[str, Any]:
    """The `stats` object."""
    succeeded, failed = tallies.count(RunState.SUCCEEDED), tallies.count(RunState.FAILED)
    average = tallies.seconds / succeeded if succeeded else 0.0
    synced = [tallies.last.get(RunState.SUCCEEDED), *(one.last_sync_at for one in state.connections)]
    following = next_scheduled(state)
    return {
        "totalSyncs": tallies.ended.total(),
        "successfulSyncs": succeeded,
        "failedSyncs": failed,
        "successRate": percent(succeeded, succeeded + failed),
        "avgDuration": round(average),
        "avgDurationMs": round(1000 * average),
        "avgDurationFormatted": length(average),
        "lastSuccessfulSync": max(filter(None, synced), default=None),
        "lastFailedSync": tallies.last.get(RunState.FAILED),
        "errorCategories": dict(tallies.categories),
        "manualSyncsToday": allowance.today,
        "maxManualSyncsPerDay": allowance.per_day,
        "canSyncManually": can_sync and allowance.is_free,
        "nextScheduledSync": following["scheduledAt"],
    }


def next_scheduled(state: QueueState) -> dict[str, Any]:
    """The `nextSync` object: of the connections that syncs are scheduled for, the one that comes first."""
    scheduled = [one for one in state.connections if one.condition == "active"]
    if not scheduled:
        return {"provider": None, "scheduledAt": None}
    first = min(scheduled, key=lambda one: one.next_sync_at)
    return {"provider": first.provider, "scheduledAt": first.next_sync_at}
