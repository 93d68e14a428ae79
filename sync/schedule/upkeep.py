"""Upkeep, once a minute: mend holds that a race missed, and end what nobody reconnects.

Apart from the tick, for it looks at everything that is held: at 90,000 waiting runs of paused ad
accounts it costs more than the rest of a tick together.
"""

from dataclasses import dataclass

from sync.ledger.claim import mend_holds
from sync.ledger.reconnect import give_up_unconnected


@dataclass
class Kept:
    """What the upkeep changed."""

    mended: int = 0  # runs whose hold was wrong
    given_up: int = 0  # runs that waited too long for a reconnect


def keep_up() -> Kept:
    """One round. A part of what has to be given up may be left to the next."""
    return Kept(mended=mend_holds(), given_up=len(give_up_unconnected()))
