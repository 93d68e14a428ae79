"""What an account's ad accounts are doing now: loaded in a fixed number of queries, told per ad account.

Nothing of other tenants is counted here, except in the position in the queue and the busy slots.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from sync.api.words import sync_type
from sync.engine.forecast import Forecast, forecasts, with_budgets
from sync.ledger.position import positions
from sync.ledger.waiting import waiting_for
from sync.models import Account, Connection, SyncRun
from sync.models.choices import WAITING, ConnectionStatus, CredentialStatus, RunState
from sync.models.connection import ConnectionQuerySet

RECENT = timedelta(hours=24)  # of failures: what a person who looks once a day should see
FAILURES_READ = 200  # of an account; a worse day is told by the count
FAILURES_SHOWN = 5
LOST_ACCESS = (ConnectionStatus.ACCESS_DENIED, CredentialStatus.RECONNECT_NEEDED)


@dataclass(frozen=True)
class QueueState:
    """An account's connections, or one provider's of them, with what is open and what failed."""

    connections: list[Connection]
    open_runs: list[SyncRun]
    failures: list[SyncRun]
    places: dict[UUID, int]
    waits: dict[UUID, str]
    forecasts: dict[UUID, Forecast]
    failing: frozenset[UUID]  # connections whose last sync failed

    def together(self) -> dict[str, Any]:
        """The `queue` object of all connections."""
        return self._told(self.open_runs, self.failures)

    def by_connection(self) -> dict[UUID, dict[str, Any]]:
        """The `queue` object of each connection."""
        runs, failures = _grouped(self.open_runs), _grouped(self.failures)
        ids = [connection.pk for connection in self.connections]
        return {pk: self._told(runs.get(pk, []), failures.get(pk, [])) for pk in ids}

    def has_errors(self, connection: Connection) -> bool:
        """Whether somebody should look: its last sync failed, or its access was lost."""
        return connection.pk in self.failing or connection.condition in LOST_ACCESS

    @property
    def running(self) -> list[SyncRun]:
        """What runs, the latest start first."""
        return [run for run in self.open_runs if run.state == RunState.RUNNING]

    def _told(self, runs: list[SyncRun], failures: list[SyncRun]) -> dict[str, Any]:
        running = [run for run in runs if run.state == RunState.RUNNING]
        waiting = sorted((run for run in runs if run.state in WAITING), key=self._nearness)
        first = waiting[0].pk if waiting else None
        forecast = self.forecasts.get(first) if first else None
        return {
            "isActive": bool(running),
            "isWaiting": bool(waiting),
            "queuePosition": self.places.get(first) if first else None,
            "estimatedStartAt": forecast.starts_at if forecast else None,
            "waitingFor": self.waits.get(first) if first else None,
            "hasRecentFailures": bool(failures),
            "activeJob": _job(running[0]) if running else None,
            "recentFailures": [_failure(run) for run in failures[:FAILURES_SHOWN]],
        }

    def _nearness(self, run: SyncRun) -> tuple[float, datetime]:
        """The run that starts first: by its place, then by when it is due."""
        return self.places.get(run.pk, float("inf")), run.available_at or run.queued_at


def load_queue_state(account: Account, provider: str | None) -> QueueState:
    """Read it all."""
    connections = list(_connections(account, provider))
    by_id = {connection.pk: connection for connection in connections}
    open_runs = []
    for run in SyncRun.objects.open().filter(connection__account=account, **only(provider)):
        if connection := by_id.get(run.connection_id):  # else it was connected this very moment
            run.connection = connection
            open_runs.append(run)
    places = positions(open_runs)
    told = forecasts(open_runs, places)
    failing = [one.pk for one in connections if one.last_outcome == RunState.FAILED]  # type: ignore[attr-defined]  # annotated
    return QueueState(
        connections=connections,
        open_runs=sorted(open_runs, key=lambda run: run.started_at or run.created_at, reverse=True),
        failures=list(_failures(account, provider)),
        places=places,
        waits=with_budgets(waiting_for(open_runs), told),
        forecasts=told,
        failing=frozenset(failing),
    )


def only(provider: str | None) -> dict[str, str]:
    """The filter that narrows rows to a provider, if one is named."""
    return {"provider": provider} if provider else {}


def _connections(account: Account, provider: str | None) -> ConnectionQuerySet:
    ended = SyncRun.objects.filter(
        connection=OuterRef("pk"), state__in=(RunState.SUCCEEDED, RunState.FAILED)
    ).order_by("-created_at")
    return (
        Connection.objects.of_account(account)
        .filter(**only(provider))
        .select_related("account", "credential")
        .annotate(last_outcome=Subquery(ended.values("state")[:1]))
        .order_by("provider", "created_at", "pk")
    )


def _failures(account: Account, provider: str | None) -> Iterable[SyncRun]:
    failed = SyncRun.objects.of_account(account).dead_letters().filter(**only(provider))
    return failed.filter(finished_at__gt=timezone.now() - RECENT).order_by("-finished_at")[:FAILURES_READ]


def _grouped(runs: Iterable[SyncRun]) -> dict[UUID, list[SyncRun]]:
    groups: dict[UUID, list[SyncRun]] = {}
    for run in runs:
        groups.setdefault(run.connection_id, []).append(run)
    return groups


def _job(run: SyncRun) -> dict[str, Any]:
    return {
        "id": run.pk,
        "provider": run.provider,
        "syncType": sync_type(run),
        "progress": run.progress,
        "stage": run.stage,
        "startedAt": run.started_at,
    }


def _failure(run: SyncRun) -> dict[str, Any]:
    return {
        "id": run.pk,
        "error": run.error_message,
        "timestamp": run.finished_at,
        "attempts": run.failed_attempts,
    }
