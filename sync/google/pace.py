"""How often Google's ad accounts are synced: hourly, or as often as the day's operations allow.

What can't be afforded is stretched evenly, rather than done until the day is used up.
"""

import math
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from sync.google.operations import SYNC_OPERATIONS, used_operations
from sync.google.project import day_limit, project_name
from sync.google.quota import Quota
from sync.models import Account, Connection, GoogleProject, SyncRun
from sync.models.choices import Provider, Trigger
from sync.models.connection import HOUR
from sync.models.google import DAY

STEP = timedelta(minutes=5)  # an interval that followed every small change would only be hard to read
RECENT_RUNS = 200  # a mean that one heavy ad account doesn't move, and a day's change in ad accounts does


def interval_for(*, connections: int, operations_per_sync: float, planned: int) -> timedelta:
    """The shortest interval, from an hour on, at which so many connections fit into 24 hours."""
    needed = DAY * (connections * operations_per_sync / planned)
    return max(HOUR, STEP * math.ceil(needed / STEP))


class Pace(NamedTuple):
    """How often to sync, and whether those who wait for the day may wait in vain."""

    interval: timedelta
    has_grown: bool  # the day, since it was measured last; True once


def measure() -> Pace:
    """Count who uses the project and what a sync costs, and note the interval."""
    window = day_limit()
    limit = window.calls if window else None
    has_grown = _note(limit)
    if limit is None:
        return Pace(HOUR, has_grown)
    used_by = Connection.objects.active().filter(provider=Provider.GOOGLE)
    connections, operations = used_by.count(), _operations_per_sync()
    if not connections and not GoogleProject.objects.filter(name=project_name()).exists():
        return Pace(HOUR, has_grown)  # nobody uses Google: there is nothing to tell of it
    quota = Quota.of(limit, reserve=settings.BUDGET_RESERVE, weight=1, weights=1)
    interval = interval_for(connections=connections, operations_per_sync=operations, planned=quota.planned)
    project, _ = GoogleProject.objects.update_or_create(
        name=project_name(),
        defaults={
            "limit": limit,
            "weights": _weights(),
            "connections_count": connections,
            "operations_per_sync": operations,
            "interval": interval,
        },
    )
    if project.warned_at and used_operations(project.name) < quota.planned:
        # only well below the alert: a use that moves around it is one alert, not one a minute
        GoogleProject.objects.filter(pk=project.pk).update(warned_at=None)
    return Pace(interval, has_grown)


def _note(limit: int | None) -> bool:
    """Whether the limit grew; of many who measure at once, one is told so."""
    smaller = GoogleProject.objects.filter(name=project_name(), limit__isnull=False)
    if limit is not None:
        smaller = smaller.filter(limit__lt=limit)
    return bool(smaller.update(limit=limit))


def _operations_per_sync() -> float:
    """The mean of the newest scheduled syncs; of a day at most, for this is asked every minute.

    A sync has a run for each kind of data.
    """
    runs = SyncRun.objects.ended().filter(
        provider=Provider.GOOGLE,
        trigger=Trigger.SCHEDULED,
        finished_at__gt=timezone.now() - DAY,
        calls__gt=0,
    )
    newest = runs.order_by("-finished_at")[:RECENT_RUNS]
    found = newest.aggregate(calls=Sum("calls"), syncs=Count("request", distinct=True))
    return found["calls"] / found["syncs"] if found["calls"] else float(SYNC_OPERATIONS)


def _weights() -> int:
    """Of all accounts that have something to sync."""
    used_by = Connection.objects.active().filter(provider=Provider.GOOGLE, account=OuterRef("pk"))
    accounts = Account.objects.filter(Exists(used_by))
    return accounts.aggregate(sum=Sum(Coalesce("plan__weight", Value(1))))["sum"] or 0
