"""The platforms' own count of calls: exact sliding windows, per ad account and per app or project.

Guarantee: a call counts at its arrival, refused ones too; no window ever holds more accepted calls
than its limit. All arrival times are kept, so the highest count of any window can be told afterwards:
this is the referee for the product's budgets.
"""

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from providers.sandbox.constants import Platform

Clock = Callable[[], float]


class Limit(NamedTuple):
    """At most `calls` in any half-open stretch of `seconds`."""

    calls: int
    seconds: float


class Subject(NamedTuple):
    """Whose calls are counted: an ad account, or with "" the whole app (Google: project)."""

    platform: Platform
    account_id: str


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

    arrived: "array[float]" = field(default_factory=lambda: array("d"))
    accepted: "array[float]" = field(default_factory=lambda: array("d"))
    free: int = 0  # later pages of Google's, which count in no window
    endpoints: Counter[str] = field(default_factory=Counter)

    def meter(self, limit: Limit, now: float) -> Meter:
        first = bisect_right(self.accepted, now - limit.seconds)
        used = len(self.accepted) - first
        return Meter(limit, used, self.accepted[first] + limit.seconds - now if used else 0.0)


class Ledger:
    """Counts, refuses, remembers. `limits` may be changed at any time and then hold for past calls, too."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: dict[Subject, _Calls] = {}
        self.limits: dict[Subject, list[Limit]] = {}
        self.account_limits: dict[Platform, list[Limit]] = {platform: [] for platform in Platform}

    def limits_of(self, subject: Subject) -> list[Limit]:
        """The account's own limits, else those of every account of the platform."""
        if subject in self.limits:
            return self.limits[subject]
        return self.account_limits[subject.platform] if subject.account_id else []

    def arrive(self, subjects: Sequence[Subject], endpoint: str, *, charged: bool = True) -> Refusal | None:
        """Count one call for all `subjects`; tell which window refuses it, if one does."""
        now = self._clock()
        entries = [self._calls.setdefault(subject, _Calls()) for subject in subjects]
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

    def _full(self, subject: Subject, now: float) -> list[Refusal]:
        calls = self._calls[subject]
        full = []
        for limit in self.limits_of(subject):
            if calls.meter(limit, now).used >= limit.calls:
                # Room comes when the call leaves that is `limit.calls` from the end.
                wait = calls.accepted[-limit.calls] + limit.seconds - now if limit.calls else limit.seconds
                full.append(Refusal(subject, limit, wait))
        return sorted(full, key=lambda refusal: -refusal.retry_after)

    def meters(self, subject: Subject) -> list[Meter]:
        """How full the windows of a subject are now, the fullest first."""
        calls = self._calls.get(subject, _Calls())
        meters = [calls.meter(limit, self._clock()) for limit in self.limits_of(subject)]
        return sorted(meters, key=lambda meter: -meter.percent)

    def reset(self) -> None:
        """Forget all calls; the limits stay."""
        self._calls.clear()

    def subjects(self) -> list[Subject]:
        return list(self._calls)

    def report(
        self, subject: Subject, *, watch: Sequence[Limit] = (), arrivals: bool = False
    ) -> dict[str, Any]:
        """What happened: totals, and for each window (and each of `watch`) its highest count ever."""
        calls = self._calls.get(subject, _Calls())
        windows = [
            (limit, peak(calls.arrived, limit.seconds)) for limit in (*self.limits_of(subject), *watch)
        ]
        report: dict[str, Any] = {
            "calls": len(calls.arrived) + calls.free,
            "free": calls.free,
            "refused": len(calls.arrived) - len(calls.accepted),
            "endpoints": dict(calls.endpoints),
            "windows": [
                {
                    "calls": limit.calls,
                    "seconds": limit.seconds,
                    "highest": high,
                    "exceeded": high > limit.calls,
                }
                for limit, high in windows
            ],
        }
        if arrivals:
            report["arrivals"] = calls.arrived.tolist()
        return report


def peak(times: Sequence[float], seconds: float) -> int:
    """The highest number of `times` (ascending) in any half-open window of this length."""
    highest = first = 0
    for last, time in enumerate(times):
        while times[first] <= time - seconds:
            first += 1
        highest = max(highest, last - first + 1)
    return highest
