"""The whole status of an account, or of one provider in it, in a fixed number of queries."""

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from sync.api.queue_state import QueueState, load_queue_state
from sync.api.runs import history_line, last_sync
from sync.api.stats import history_of, next_scheduled, queue_numbers, stats, tally
from sync.ledger.manual_limit import manual_allowance
from sync.models import Account, Connection, SyncRun
from sync.models.choices import Provider

NEWEST = 20


def snapshot(account: Account, provider: str | None, *, can_sync: bool) -> dict[str, Any]:
    """The status route's answer. `can_sync` says whether the caller's role may ask for syncs."""
    now = timezone.now()
    state = load_queue_state(account, provider)
    history = history_of(account, provider)
    tallies = tally(account, provider)
    queues = queue_numbers(tallies.ended, Counter((run.kind, run.state) for run in state.open_runs))
    last = history.ended().order_by("-created_at").first()
    shared = {
        "accountId": account.pk,
        "providers": _providers(state),
        "recentSyncs": [history_line(run) for run in history.order_by("-created_at")[:NEWEST]],
        "stats": stats(tallies, state, manual_allowance(account), can_sync=can_sync and is_connected(state)),
        "queues": queues,
        "timestamp": now,
    }
    return {
        **shared,
        "isRunning": bool(state.running),
        "currentProvider": state.running[0].provider if state.running else None,
        "progress": progress_together(state.running),
        "message": _message(state, last, now),
        "lastSync": last_sync(last) if last else None,
        "nextSync": next_scheduled(state),
        "queueStatus": queues["campaign-sync"],
        "recentErrors": tallies.recent_failures,
        "queue": state.together(),
        "fullStats": shared,
    }


def is_connected(state: QueueState) -> bool:
    """Whether there is anything that could sync now."""
    return any(one.condition == "active" for one in state.connections)


def progress_together(runs: list[SyncRun]) -> int:
    """Percent done of several runs, each counting alike; 0 for none."""
    return sum(run.progress for run in runs) // len(runs) if runs else 0


def _providers(state: QueueState) -> list[dict[str, Any]]:
    queues: dict[UUID, dict[str, Any]] = state.by_connection()
    return [
        {"provider": one.provider, "connection": _connection(one, state), "queue": queues[one.pk]}
        for one in state.connections
    ]


def _connection(one: Connection, state: QueueState) -> dict[str, Any]:
    return {
        "id": one.pk,
        "externalId": one.external_id,
        "name": one.name,
        "status": one.condition,
        "lastSyncAt": one.last_sync_at,
        "nextSyncAt": one.next_sync_at if one.condition == "active" else None,
        "hasErrors": state.has_errors(one),
    }


def _message(state: QueueState, last: SyncRun | None, now: datetime) -> str:
    """One sentence for the status indicator."""
    if len(state.running) == 1:
        run = state.running[0]
        what = run.stage.replace("_", " ")
        return f"Syncing {run.connection.name or run.connection.external_id}: {what}, {run.progress} %"
    if state.running:
        return f"Syncing {len(state.running)} ad accounts"
    if state.open_runs:
        waiting = state.together()["waitingFor"]
        number = len(state.open_runs)
        return f"{number} sync{'s' if number > 1 else ''} waiting for {waiting}"
    if not state.connections:
        return "No ad account is connected"
    if last is None or last.finished_at is None:
        return "Nothing was synced yet"
    label = Provider(last.provider).label
    return f"The last sync of {label} {last.state} at {last.finished_at:%Y-%m-%d %H:%M} UTC"
