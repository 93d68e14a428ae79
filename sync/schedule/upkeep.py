"""Upkeep, once a minute: mend holds that a race missed, end what nobody reconnects, and have next month's
partition of the metrics before its first day comes.

Apart from the tick, for it looks at everything that is held: at 90,000 waiting runs of paused ad
accounts it costs more than the rest of a tick together.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from sync.engine.insights.partitions import ensure_partitions
from sync.ledger.claim import mend_holds
from sync.ledger.reconnect import give_up_unconnected

AHEAD = timedelta(days=7)  # behind which a month has its partition; a beat that was away is no matter


@dataclass
class Kept:
    """What the upkeep changed."""

    mended: int = 0  # runs whose hold was wrong
    given_up: int = 0  # runs that waited too long for a reconnect


def keep_up() -> Kept:
    """One round. A part of what has to be given up may be left to the next."""
    today = timezone.now().date()
    ensure_partitions(today, today + AHEAD)
    return Kept(mended=mend_holds(), given_up=len(give_up_unconnected()))
