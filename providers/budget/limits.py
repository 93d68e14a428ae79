"""What limits are: windows, and what they are counted for."""

import math
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from providers.errors import Scope

_UNITS: dict[float, str] = {60: "a minute", 3600: "an hour", 86400: "a day"}


@dataclass(frozen=True)
class Window:
    """At most `calls` within any `seconds`. A pause of N seconds between calls is `Window(1, N)`.

    `source` says where it comes from, for people.
    """

    calls: int
    seconds: float
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.calls < 1 or self.seconds <= 0:
            raise ValueError(f"a window lets at least one call through, in some time: {self!r}")

    def within(self, reserve: float) -> "Window":
        """What is left when a part is reserved; never less than one call."""
        # 0.1 + 0.2 > 0.3: without the summand, a product that is a whole number may be rounded off it
        return replace(self, calls=max(1, math.floor(self.calls * (1 - reserve) + 1e-9)))

    def __str__(self) -> str:
        span = _UNITS.get(self.seconds, f"in {self.seconds:g} s")
        return f"{self.calls} call{'s' if self.calls > 1 else ''} {span}"


class Limit(NamedTuple):
    """The windows of one thing that is metered: an ad account, a tenant, a provider's app.

    `key` names it in the store, e.g. `connection:meta:act_1`; `label` names it for people; `scope` is
    what the platform calls it, where it meters it, too. A window that is longer than all before it
    begins to count when it is first used.
    """

    key: str
    label: str
    windows: tuple[Window, ...] = ()
    scope: Scope | None = None

    def within(self, reserve: float) -> "Limit":
        """What is left of each window when a part is reserved."""
        return self._replace(windows=tuple(window.within(reserve) for window in self.windows))
