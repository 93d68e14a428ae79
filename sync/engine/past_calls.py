"""What the ledger knows of calls already made: a budget store that lost its memory is told of it.

Each attempt's calls are committed with its chunks, those of no run when they were made; they are
counted at the attempt's latest moment, so from too late rather than too early.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from providers.budget import PastCall
from providers.http import CALL_SECONDS
from sync.engine import gather
from sync.engine.limits import all_limits_of
from sync.models import Connection, OutsideCalls, SyncAttempt
from sync.models.choices import Outcome

LONGEST = timedelta(days=1)  # the longest window that a platform has
# Calls of a running or lost attempt that its last committed chunk can't know of: pages of the chunk that is
# committed and of the one that is read ahead, one that is asked for in halved sizes (six tries), twice with a
# renewed token, and the next one's first.
IN_FLIGHT = 8 + 2 * gather.MOST_PAGES - 1


def past_calls(*, asking: UUID | None = None, made: int = 0) -> Iterator[PastCall]:
    """The calls that still count, by every key that has a window.

    The attempt that asks (by its lease token) knows its own number: it has `made` so many.
    """
    now = timezone.now()
    yield from _of_attempts(now, asking, made)
    for outside in OutsideCalls.objects.filter(at__gt=now - LONGEST).select_related("account__plan"):
        connection = Connection(
            account=outside.account, provider=outside.provider, external_id=outside.external_id
        )
        for limit in all_limits_of(connection):
            yield PastCall(limit.key, f"outside {outside.pk}", outside.at.timestamp(), outside.calls)


def _of_attempts(now: datetime, asking: UUID | None, made: int) -> Iterator[PastCall]:
    attempts = SyncAttempt.objects.filter(Q(ended_at=None) | Q(ended_at__gt=now - LONGEST)).filter(
        started_at__gt=now - 2 * LONGEST
    )
    spans: dict[UUID, dict[str, timedelta]] = {}  # a connection has many attempts a day
    for attempt in attempts.select_related("run__connection__account__plan").iterator():
        if attempt.lease_token == asking:
            at, calls = now, made
        elif attempt.ended_at is None or attempt.outcome == Outcome.LOST:
            at = (attempt.ended_at or now) + timedelta(seconds=CALL_SECONDS)
            calls = attempt.calls + IN_FLIGHT
        else:
            at, calls = attempt.ended_at, attempt.calls
        connection = attempt.run.connection
        if connection.pk not in spans:
            spans[connection.pk] = _spans(connection)
        for key, span in spans[connection.pk].items():
            if at > now - span:
                yield PastCall(key, str(attempt.lease_token), at.timestamp(), calls)


def _spans(connection: Connection) -> dict[str, timedelta]:
    """How long a call counts, by key."""
    return {
        limit.key: timedelta(seconds=max(window.seconds for window in limit.windows))
        for limit in all_limits_of(connection)
        if limit.windows
    }
