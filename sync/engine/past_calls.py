"""What the ledger knows of calls already made: a budget store that lost its memory is told of it.

Each attempt's calls are committed with its chunks; they are counted at the attempt's latest moment,
so from too late rather than too early.
"""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from providers.budget import PastCall
from sync.engine.limits import account_key, ad_account_key, provider_key
from sync.models import SyncAttempt

LONGEST = timedelta(days=1)  # the longest window that a setting may name sensibly
IN_FLIGHT = 2  # calls of a running attempt that its last committed chunk can't know of


def past_calls(*, asking: UUID | None = None, made: int = 0) -> Iterator[PastCall]:
    """The calls of the last day, by every key that they counted for.

    The attempt that asks (by its lease token) knows its own number: it has `made` so many.
    """
    now = timezone.now()
    attempts = SyncAttempt.objects.filter(Q(ended_at=None) | Q(ended_at__gt=now - LONGEST)).filter(
        started_at__gt=now - 2 * LONGEST
    )
    for attempt in attempts.select_related("run__connection").iterator():
        connection = attempt.run.connection
        running = attempt.ended_at is None
        at = now if attempt.ended_at is None else attempt.ended_at
        calls = attempt.calls + (IN_FLIGHT if running else 0)
        if attempt.lease_token == asking:
            calls = made
        for key in (
            ad_account_key(connection.provider, connection.external_id),
            provider_key(connection.provider),
            account_key(connection.account_id),
        ):
            yield PastCall(key, str(attempt.lease_token), at.timestamp(), calls)
