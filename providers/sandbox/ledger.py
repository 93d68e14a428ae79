"""The platforms' own count of calls: exact sliding windows, per ad account and per app or project.

Guarantee: a call counts at its arrival, whatever becomes of it; no window ever holds more accepted calls
than its limit. All arrival times are kept, in whole microseconds, so the highest count of any window can
be told afterwards without rounding: this is the referee for the product's budgets.
"""

from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from providers.sandbox.constants import Platform

Clock = Callable[[], float]

MICRO = 1_000_000  # the ledger's unit: windows have edges of a millisecond, and floats of unix time blur


class Limit(NamedTuple):
    """At most `calls` in any half-open stretch of `seconds`; whoever asks for more is refused for `block`
    seconds from then on, as Meta does with an ad account's score."""

    calls: int
    seconds: float
    block: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `60/300`, or `60/300/300` with a block."""
        calls, seconds, block = (*text.split("/"), "0")[:3]
        return cls(int(calls), float(seconds), float(block))

    @property
    def span(self) -> int:
        """Its length in the ledger's unit."""
        return round(self.seconds * MICRO)


class Subject(NamedTuple):
    """Whose calls are counted: an ad account, or with "" the whole app (Google: project)."""

    platform: Platform
    account_id: str

    @property
    def name(self) -> str:
        """`meta/<account>`, `meta/app`, `google/<customer>`, `google/project`."""
        return f"{self.platform}/{self.account_id or WHOLES[self.platform]}"


WHOLES = {Platform.META: "app", Platform.GOOGLE: "project"}


class Refusal(NamedTuple):
    """The window that is full, whose it is, and how long until it has room."""

    subject: Subject
    limit: Limit
    retry_after: float


class Meter(NamedTuple):
    """How full one window is, and when its oldest call leaves it."""

    limit: Limit
    used: int
    reset_after: float

    @property
    def percent(self) -> float:
        return 100.0 * self.used / max(self.limit.calls, 1)


@dataclass
class _Calls:
    """The calls of one subject, in order of time."""

    arrived: "array[int]" = field(default_factory=lambda: array("q"))
    accepted: "array[int]" = field(default_factory=lambda: array("q"))
    free: int = 0  # later pages of Google's, which count in no window
    unauthorized: int = 0  # of all of them: those without a valid token
    endpoints: Counter[str] = field(default_factory=Counter)
    blocked_until: dict[Limit, int] = field(default_factory=dict)

    def meter(self, limit: Limit, now: int) -> Meter:
        first = bisect_right(self.accepted, now - limit.span)
        used = len(self.accepted) - first
        leaves = self.accepted[first] + limit.span if used else now
        return Meter(limit, used, (max(leaves, self.blocked_until.get(limit, now)) - now) / MICRO)

    def room_at(self, limit: Limit, now: int) -> int:
        """When the window has room for one more call: now, or later."""
        blocked = self.blocked_until.get(limit, now)
        if self.meter(limit, now).used < limit.calls:
            return max(now, blocked)
        # Room comes when the call leaves that is `limit.calls` from the end.
        leaves = (self.accepted[-limit.calls] if limit.calls else now) + limit.span
        if limit.block and blocked <= now:
            self.blocked_until[limit] = blocked = now + round(limit.block * MICRO)
        return max(leaves, blocked)


_NONE = _Calls()  # of a subject that nobody called about; only read


class Ledger:
    """Counts, refuses, remembers. `limits` may be changed at any time and then hold for past calls, too."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: defaultdict[Subject, _Calls] = defaultdict(_Calls)
        self._begun = self._now()
        self.limits: dict[Subject, list[Limit]] = {}
        self.account_limits: dict[Platform, list[Limit]] = {platform: [] for platform in Platform}

    def _now(self) -> int:
        return round(self._clock() * MICRO)

    @property
    def seconds(self) -> float:
        """Since the start, or the last reset."""
        return (self._now() - self._begun) / MICRO

    def limits_of(self, subject: Subject) -> list[Limit]:
        """The account's own limits, else those of every account of the platform."""
        if subject in self.limits:
            return self.limits[subject]
        return self.account_limits[subject.platform] if subject.account_id else []

    def arrive(self, subjects: Sequence[Subject], endpoint: str, *, charged: bool = True) -> Refusal | None:
        """Count one call for all `subjects`; tell which window refuses it, if one does."""
        now = self._now()
        entries = [self._calls[subject] for subject in subjects]
        for calls in entries:
            calls.endpoints[endpoint] += 1
            if charged:
                calls.arrived.append(now)
            else:
                calls.free += 1
        if not charged:
            return None
        refusal = next((full for s in subjects for full in self._full(s, now)), None)
        if refusal is None:
            for calls in entries:
                calls.accepted.append(now)
        return refusal

    def take_back(self, subjects: Sequence[Subject]) -> None:
        """The call that was accepted last is refused after all: it was seen, but takes no room."""
        for subject in subjects:
            self._calls[subject].accepted.pop()

    def without_token(self, subjects: Sequence[Subject]) -> None:
        """The call that arrived last had no valid token."""
        for subject in subjects:
            self._calls[subject].unauthorized += 1

    def _full(self, subject: Subject, now: int) -> list[Refusal]:
        calls = self._calls[subject]
        full = []
        for limit in self.limits_of(subject):
            if (room_at := calls.room_at(limit, now)) > now:
                full.append(Refusal(subject, limit, (room_at - now) / MICRO))
        return sorted(full, key=lambda refusal: -refusal.retry_after)

    def meters(self, subject: Subject) -> list[Meter]:
        """How full the windows of a subject are now, the fullest first."""
        calls = self._calls.get(subject, _NONE)
        meters = [calls.meter(limit, self._now()) for limit in self.limits_of(subject)]
        return sorted(meters, key=lambda meter: -meter.percent)

    def reset(self) -> None:
        """Forget all calls; the limits stay."""
        self._calls.clear()
        self._begun = self._now()

    def subjects(self) -> list[Subject]:
        return list(self._calls)

    def fullest(self, subject: Subject, limit: Limit) -> "Fullest":
        """What the windows of this length held at most, refused calls included."""
        calls = self._calls.get(subject, _NONE)
        return fullest(calls.arrived, limit.span, limit.calls)

    def counts(self, subject: Subject) -> dict[str, Any]:
        """How many calls there were, and of which kinds."""
        calls = self._calls.get(subject, _NONE)
        return {
            "calls": len(calls.arrived) + calls.free,
            "free": calls.free,
            "refused": len(calls.arrived) - len(calls.accepted),
            "unauthorized": calls.unauthorized,
            "endpoints": dict(calls.endpoints),
        }

    def arrivals(self, subject: Subject) -> list[float]:
        """When each call that counts in a window came, in unix seconds."""
        return [time / MICRO for time in self._calls.get(subject, _NONE).arrived]


class Fullest(NamedTuple):
    """The highest count of any window of one length, and how many windows held too many.

    One that does ends at each call that came too early, so that is the number of these calls.
    """

    highest: int
    exceeded: int


def fullest(times: Sequence[int], span: int, calls: int) -> Fullest:
    """Of `times` (ascending), in any half-open window of this length: two calls that are `span` apart are
    never in one."""
    highest = exceeded = first = 0
    for last, time in enumerate(times):
        while times[first] <= time - span:
            first += 1
        held = last - first + 1
        highest = max(highest, held)
        exceeded += held > calls
    return Fullest(highest, exceeded)
