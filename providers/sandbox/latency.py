"""How long a call is under way: nothing, a constant, or drawn anew for each call.

Guarantee: the same seed gives the n-th call of an ad account the same latency in every run. A part of
a drawn latency, drawn too, passes before the platform counts the call, as on a real way to it.
"""

import math
import re
from collections import Counter
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple, Self

from providers.sandbox.constants import Platform
from providers.sandbox.dice import throw

_PROFILE = re.compile(r"(?:(uniform|lognormal):)?(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)(?:\s*ms)?")
# LOW and HIGH of a log-normal profile are its 5th and 95th percentile, so one call in twenty takes longer.
_TAIL = NormalDist().inv_cdf(0.95)
_SMALLEST = 2**-53  # where the logarithm of a throw of 0 would be endless


@dataclass(frozen=True)
class Profile:
    """Seconds between `low` and `high`."""

    low: float = 0.0
    high: float = 0.0
    is_lognormal: bool = False

    @classmethod
    def parse(cls, told: float | str) -> Self:
        """A number is so many seconds for each call; a text is `300-1500` or `lognormal:300-1500`, in ms."""
        if isinstance(told, int | float):
            return cls(float(told), float(told))
        match = _PROFILE.fullmatch(told.strip())
        if match is None:
            raise ValueError(
                f"latency {told!r}: give seconds as a number, or milliseconds as '300-1500' or "
                "'lognormal:300-1500'"
            )
        low, high = float(match[2]) / 1000, float(match[3]) / 1000
        if not low <= high or (match[1] == "lognormal" and not low):
            raise ValueError(
                f"latency {told!r}: the low end must be below the high end, and above 0 to be lognormal"
            )
        return cls(low, high, is_lognormal=match[1] == "lognormal")

    def at(self, share: float) -> float:
        """The latency that a share of all calls stays below."""
        if not self.is_lognormal:
            return self.low + share * (self.high - self.low)
        middle = (math.log(self.low) + math.log(self.high)) / 2
        spread = (math.log(self.high) - math.log(self.low)) / 2 / _TAIL
        return math.exp(middle + spread * NormalDist().inv_cdf(max(share, _SMALLEST)))

    def __str__(self) -> str:
        shape = "lognormal:" if self.is_lognormal else ""
        return f"{shape}{self.low * 1000:g}-{self.high * 1000:g}"


class Way(NamedTuple):
    """A call's time to the platform and back, in seconds."""

    there: float
    back: float


class Latency:
    """The profile of each platform, and the number of each account's next call."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.profiles = dict.fromkeys(Platform, Profile())
        self._calls: Counter[str] = Counter()

    def set(self, platform: Platform, profile: Profile) -> None:
        """From now on. The numbers of the calls begin anew."""
        self.profiles[platform] = profile
        self._calls.clear()

    def reset(self) -> None:
        """No latency."""
        for platform in Platform:
            self.set(platform, Profile())

    def draw(self, platform: Platform, name: str) -> Way:
        """The next call's; `name` is its account, or another one to count its calls under."""
        profile = self.profiles[platform]
        if profile.low == profile.high:
            return Way(0.0, profile.high)
        key = f"{platform}/{name}"
        self._calls[key] += 1
        number = self._calls[key]
        seconds = profile.at(throw(self.seed, key, number))
        there = seconds * throw(self.seed, f"{key}/there", number)
        return Way(there, seconds - there)
