"""What limits are: windows, and what they are counted for."""

import math
from typing import NamedTuple


class Window(NamedTuple):
    """At most `calls` within any `seconds`. A pause of N seconds between calls is `Window(1, N)`."""

    calls: int
    seconds: float

    def within(self, reserve: float) -> "Window":
        """What is left when a part is reserved; never less than one call."""
        return Window(max(1, math.floor(self.calls * (1 - reserve) + 1e-9)), self.seconds)

    def __str__(self) -> str:
        units = {60: "minute", 3600: "hour", 86400: "day"}
        span = f"a {units[int(self.seconds)]}" if self.seconds in units else f"in {self.seconds:g} s"
        return f"{self.calls} calls {span.replace('a hour', 'an hour')}"


class Limit(NamedTuple):
    """The windows of one thing that is metered: an ad account, a tenant, a provider's app.

    `key` names it in the store, e.g. `connection:meta:act_1`; `label` names it for people.
    """

    key: str
    label: str
    windows: tuple[Window, ...] = ()
