"""What a platform's answers said last about an ad account, and how many of an app's last calls failed.

For people and for decisions about background work; a store that lost its memory simply knows nothing.
"""

from typing import NamedTuple

import orjson

from providers.base import Reading, Usage
from providers.budget.memory import PREFIX
from providers.errors import Scope

HEARD_SECONDS = 86_400  # a day: what is older says nothing of any window
OUTCOMES = 500  # Meta judges an app by its last 500 calls …
OUTCOMES_SECONDS = 15 * 86_400  # … of 15 days


class Heard(NamedTuple):
    """An answer's own words about limits, and when it came (unix seconds)."""

    at: float
    usage: Usage


class Outcomes(NamedTuple):
    """How many of an app's last calls were answered, and how many of them by an error."""

    calls: int
    errors: int

    @property
    def rate(self) -> float:
        """The part that failed, from 0 to 1."""
        return self.errors / self.calls if self.calls else 0.0


def heard_key(key: str) -> str:
    """Where the last answer about an ad account is kept."""
    return f"{PREFIX}:heard:{key}"


def outcomes_key(key: str) -> str:
    """Where an app's last outcomes are kept: a counter of 32 bits, then a bit for each of the last calls."""
    return f"{PREFIX}:outcomes:{key}"


def encode(heard: Heard) -> bytes:
    """For the store; empty where the answer said nothing, for that is no news."""
    if not heard.usage.readings and not heard.usage.tier:
        return b""
    return orjson.dumps([heard.at, heard.usage.tier, [list(reading) for reading in heard.usage.readings]])


def decode(text: bytes) -> Heard:
    """What `encode` made."""
    at, tier, readings = orjson.loads(text)
    told = tuple(Reading(Scope(scope), *figures) for scope, *figures in readings)
    return Heard(at, Usage(told, tier))
