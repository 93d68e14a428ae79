"""The story of one run: its attempts, and what people did to it."""

from typing import Any

from sync.models import SyncRun

ATTEMPT = (
    "worker",
    "started_at",
    "ended_at",
    "outcome",
    "calls",
    "error_category",
    "error_code",
    "platform_code",
    "trace_id",
    "message",
)
INTERVENTION = ("at", "action", "by", "reason")


def attempts(run: SyncRun) -> list[dict[str, Any]]:
    """Each start, the first one first: by whom, and how it ended."""
    return list(run.attempts.values(*ATTEMPT))


def interventions(run: SyncRun) -> list[dict[str, Any]]:
    """Who cancelled, replayed or resolved it, and why."""
    return list(run.interventions.values(*INTERVENTION))
