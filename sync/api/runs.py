"""A run as a line of the history."""

from typing import Any

from sync.api.words import retries, seconds, status, sync_type
from sync.models import SyncRun


def counts(run: SyncRun) -> dict[str, int]:
    """What a run copied, under the names of the history."""
    return {
        "campaignsSync": run.campaigns_count,
        "adGroupsSync": run.ad_groups_count,
        "adsSync": run.ads_count,
        "insightsSync": run.insights_count,
    }


def history_line(run: SyncRun) -> dict[str, Any]:
    """One entry of `recentSyncs`."""
    return {
        "id": run.pk,
        "provider": run.provider,
        "syncType": sync_type(run),
        "status": status(run),
        "healthStatus": run.health,
        "startedAt": run.started_at,
        "completedAt": run.finished_at,
        "duration": seconds(run.started_at, run.finished_at),
        **counts(run),
        "errorMessage": run.error_message or None,
        "errorCategory": run.error_category or None,
        "retryCount": retries(run),
    }


def last_sync(run: SyncRun) -> dict[str, Any]:
    """The sync that ended last."""
    return {
        "provider": run.provider,
        "status": status(run),
        "completedAt": run.finished_at,
        "duration": seconds(run.started_at, run.finished_at),
        **counts(run),
    }
