"""Figures over an account's history: one aggregate over its newest runs, whatever their number."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Max, Q, Sum
from django.utils import timezone

from sync.api.queue_state import RECENT, QueueState
from sync.api.words import QUEUES, length, percent
from sync.ledger.manual_limit import Allowance
from sync.models.choices import Kind, RunState
from sync.models.run_queries import SyncRunQuerySet

NO_TIME = timedelta(0)
RunCounter = Counter[tuple[str, str]]  # by kind and state


@dataclass
class Tallies:
    """Runs that ended within the days in which every run is kept, counted."""

    ended: RunCounter = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    last: dict[str, datetime] = field(default_factory=dict)  # by state
    recent_failures: int = 0
    timed: int = 0
    time: timedelta = NO_TIME

    def count(self, state: RunState) -> int:
        """Over all kinds."""
        return _sum(self.ended, tuple(Kind), state)


def tally(runs: SyncRunQuerySet) -> Tallies:
    """Count them; a longer time would miss the runs that found nothing, which go first."""
    now = timezone.now()
    since = now - timedelta(days=settings.EMPTY_HISTORY_DAYS)
    rows = (
        runs.ended()
        .filter(created_at__gt=since)
        .order_by()
        .values("kind", "state", "error_category")
        .annotate(
            number=Count("pk"),
            recent=Count("pk", filter=Q(finished_at__gt=now - RECENT)),
            last=Max("finished_at"),
            timed=Count("started_at"),
            time=Sum(F("finished_at") - F("started_at")),
        )
    )
    tallies = Tallies()
    for row in rows:
        _add(tallies, row)
    return tallies


def _add(tallies: Tallies, row: Mapping[str, Any]) -> None:
    state = row["state"]
    tallies.ended[row["kind"], state] += row["number"]
    tallies.last[state] = max(row["last"], tallies.last.get(state, row["last"]))
    if state == RunState.FAILED:
        tallies.recent_failures += row["recent"]
        if row["error_category"]:
            tallies.categories[row["error_category"]] += row["number"]
    if state == RunState.SUCCEEDED:
        tallies.timed += row["timed"]
        tallies.time += row["time"] or NO_TIME


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
    average = tallies.time.total_seconds() / tallies.timed if tallies.timed else 0.0
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
