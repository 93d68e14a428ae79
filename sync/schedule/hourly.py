"""The hourly sync of every active connection, spread over the hour by a stable offset.

Guarantee: one request per connection and hour, however many beats or external crons ask: whoever
moves `next_sync_at` on, by one conditional UPDATE, makes the request, in the same transaction.
"""

from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import transaction

from sync.errors import SyncError
from sync.ledger.request import request_sync
from sync.models import Connection
from sync.models.choices import Trigger
from sync.models.connection import HOUR, ConnectionQuerySet

logger = structlog.get_logger(__name__)

BATCH = 500  # connections per call: a minute's share of 30,000


@dataclass
class Scheduled:
    """What became of the connections that were due."""

    total: int = 0
    queued: int = 0
    skipped: int = 0
    errors: list[str] = field(default_factory=list)


def request_due(now: datetime, *, source: str = "beat") -> Scheduled:
    """Ask for a sync of each connection whose time has come."""
    return _request(Connection.objects.due(now)[:BATCH], now, source)


def request_hour(now: datetime, *, source: str = "cron") -> Scheduled:
    """The same for all that are still to come in this hour: an external cron calls once an hour."""
    end_of_hour = now.replace(minute=0, second=0, microsecond=0) + HOUR
    return _request(Connection.objects.active().filter(next_sync_at__lt=end_of_hour), now, source)


def _request(due: ConnectionQuerySet, now: datetime, source: str) -> Scheduled:
    result = Scheduled()
    for connection in due.select_related("account"):
        result.total += 1
        try:
            with transaction.atomic():
                if not _take_slot(connection, now):
                    result.skipped += 1
                    continue
                request_sync(connection.account, [connection], trigger=Trigger.SCHEDULED, source=source)
                result.queued += 1
        except SyncError as exc:
            _take_slot(connection, now)
            result.skipped += 1
            logger.info("scheduled sync not needed", connection=str(connection.pk), reason=exc.code)
    return result


def _take_slot(connection: Connection, now: datetime) -> bool:
    """Move the connection's next sync on; False when somebody else did."""
    row = Connection.objects.filter(pk=connection.pk, next_sync_at=connection.next_sync_at)
    return bool(row.update(next_sync_at=connection.slot_after(now)))
