"""Why a sync can't be started: each error has a stable `code`, a short title and a helpful message."""

from datetime import datetime
from math import ceil
from typing import Any


class SyncError(Exception):
    """Base of what callers are told; the message is a sentence that a person can act on."""

    code = "sync_error"
    title = "Sync error"

    @property
    def details(self) -> dict[str, Any]:
        """Further fields for the answer of the API."""
        return {}


class NotConnected(SyncError):
    """There is nothing to sync: no active connection fits."""

    code = "not_connected"
    title = "Provider not connected"


class TokenRejected(SyncError):
    """Every connection that fits waits for its user to reconnect."""

    code = "reconnect_needed"
    title = "Token validation failed"


class AlreadySyncing(SyncError):
    """Open runs cover all that is asked for."""

    code = "already_syncing"
    title = "Sync already in progress"

    def __init__(self, message: str, *, run_ids: list[str], request_id: str) -> None:
        """`request_id` is of the first run."""
        super().__init__(message)
        self.run_ids = run_ids
        self.request_id = request_id

    @property
    def run_id(self) -> str:
        """The first of them."""
        return self.run_ids[0]

    @property
    def details(self) -> dict[str, Any]:
        return {"jobId": self.request_id, "jobIds": self.run_ids}


class ManualLimitReached(SyncError):
    """The account asked for as many manual syncs as it may within an hour, or a day."""

    code = "manual_limit"
    title = "Rate limit exceeded"

    def __init__(self, message: str, *, used: int, limit: int, available_at: datetime, now: datetime) -> None:
        super().__init__(message)
        self.used, self.limit, self.available_at = used, limit, available_at
        self.wait_seconds = max(1, ceil((available_at - now).total_seconds()))  # never a second too early

    @property
    def details(self) -> dict[str, Any]:
        return {
            "manualSyncsLastHour": self.used,
            "maxManualSyncsPerHour": self.limit,
            "nextAvailableAt": self.available_at,
            "minutesUntilReset": -(-self.wait_seconds // 60),
        }
