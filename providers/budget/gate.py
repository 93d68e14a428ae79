"""The gate of one run: what its client asks before each call."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol
from uuid import uuid4

from redis.exceptions import RedisError

from providers.base import FULL, Reading, Usage
from providers.budget.limits import Limit
from providers.budget.memory import Cold, PastCall
from providers.budget.store import BudgetStore, Refused
from providers.errors import BudgetSpent, LimitReached, Scope

STORE_WAIT = 15.0  # seconds until a run asks again when the store was unreachable
REFILL_PATIENCE = 1.0  # seconds: a small ledger is told in milliseconds, and a deferral costs a tick
REFILL_GLANCE = 0.02  # seconds between two looks at it
REFILL_WAIT = 2.0  # seconds until a run asks again when the refill takes longer than that
NEARLY_FULL = 99.0  # percent: most meters are whole numbers, rounded down, so at 99 nothing may be left
SHORTEST_REST = 60.0  # seconds: the question whether there is room again is itself a call
LONGEST_PARK = 86_400.0  # seconds, the longest window of any platform: a wrong header is not believed longer
LIMITS_FRESH = 1.0  # seconds until the limits are asked for anew: an edit reaches a run that is under way


class _Known(NamedTuple):
    """The limits of a use case as they were a moment ago."""

    until: float  # by the monotonic clock
    limits: Sequence[Limit]
    allowed: Sequence[Limit]  # without what is reserved, for background work


class CallLedger(Protocol):
    """Counts calls where they are not forgotten, for a limit that no window of a store may hold."""

    def take(self, ticket: str) -> None:
        """Take one call, or raise `BudgetSpent`."""

    def give_back(self, ticket: str) -> None:
        """The call is not made after all."""

    def settle(self, ticket: str) -> None:
        """The call was answered, or failed."""


class BudgetGate:
    """`providers.base.Gate` over the shared windows.

    `limits` tells what a call of a use case is taken from, as it is now. Background work leaves a
    reserve to people: of each window, and of each of the platform's own meters, which park what they
    are about. `past_calls` refills a store that lost its memory; without the store nothing is called.
    Where there is a `ledger`, a call is taken from it and from all windows, or from none. `heard` is
    told what every answer said.
    """

    def __init__(
        self,
        store: BudgetStore,
        limits: Callable[[str], Sequence[Limit]],
        *,
        background: bool,
        reserve: float,
        call_seconds: float,
        past_calls: Callable[[], Iterable[PastCall]] = tuple,
        ledger: CallLedger | None = None,
        heard: Callable[[Usage], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._limits = limits
        self._background = background
        self._reserve = reserve
        self._call_seconds = call_seconds
        self._past_calls = past_calls
        self._ledger = ledger
        self._heard = heard
        self._known: dict[str, _Known] = {}
        self._taken: dict[str, Sequence[Limit]] = {}

    def take(self, use_case: str = "") -> str:
        """Take a call from all windows, or raise `BudgetSpent` with the moment to come back."""
        ticket, known = uuid4().hex, self._now(use_case)
        if self._ledger is not None:
            self._ledger.take(ticket)
        try:
            self._take_from_windows(known, ticket)
        except BudgetSpent:
            if self._ledger is not None:
                self._ledger.give_back(ticket)
            raise
        self._taken[ticket] = known.limits
        return ticket

    def _take_from_windows(self, known: _Known, ticket: str) -> None:
        try:
            refused = self._take(known.allowed, ticket)
        except RedisError as exc:
            raise _not_now("the budget store is unreachable", STORE_WAIT) from exc
        except Cold as exc:
            raise _not_now("the budget store is being refilled", REFILL_WAIT) from exc
        if refused is not None:
            raise BudgetSpent(_reason(known, refused), retry_at=refused.free_at)

    def settle(self, ticket: str, usage: Usage) -> None:
        """The call was answered: count it from now on, and heed what the answer said."""
        limits = self._taken.pop(ticket)
        if self._ledger is not None:
            self._ledger.settle(ticket)
        with suppress(RedisError):  # unsettled it counts longer, until its latest end: the safe side
            self._store.settle(limits, ticket, call_seconds=self._call_seconds, usage=usage)
        self._heard(usage)
        for reading in usage.readings:
            self._heed(reading)

    def park(self, refusal: LimitReached) -> None:
        """The platform refused: let what it named rest, for everybody."""
        self._park(refusal.scope, refusal.use_case, refusal.retry_after, str(refusal))

    def _heed(self, reading: Reading) -> None:
        """Stop before the platform does: background work at the reserve, people where nearly all is used."""
        if reading.percent >= NEARLY_FULL:
            words = f"{reading.percent:.0f} % of the platform's limit is used"
            self._park(reading.scope, reading.use_case, _rest(reading, NEARLY_FULL), words)
        kept = FULL * (1 - self._reserve)
        if reading.percent > kept:
            words = (
                f"{reading.percent:.0f} % of the platform's limit is used, and people have a reserve of it"
            )
            self._park(reading.scope, reading.use_case, _rest(reading, kept), words, background=True)

    def _park(
        self, scope: Scope, use_case: str, seconds: float, reason: str, *, background: bool = False
    ) -> None:
        found = [limit for limit in self._now(use_case).limits if limit.scope is scope]
        with suppress(RedisError):  # the platform will say so again
            for limit in found:
                self._store.park(limit.key, min(seconds, LONGEST_PARK), reason, background=background)

    def _now(self, use_case: str) -> _Known:
        known = self._known.get(use_case)
        if known is None or known.until < time.monotonic():
            limits = self._limits(use_case)
            allowed = [limit.within(self._reserve) for limit in limits] if self._background else limits
            known = self._known[use_case] = _Known(time.monotonic() + LIMITS_FRESH, limits, allowed)
        return known

    def _take(self, limits: Sequence[Limit], ticket: str) -> Refused | None:
        """Refills a store without memory; where another does, that is mostly a matter of milliseconds."""
        ends_at = time.monotonic() + REFILL_PATIENCE
        while True:
            try:
                return self._store.take(
                    limits, ticket, call_seconds=self._call_seconds, background=self._background
                )
            except Cold:
                if time.monotonic() > ends_at:
                    raise
            try:
                self._store.refill(self._past_calls())
            except Cold:
                time.sleep(REFILL_GLANCE)


def _rest(reading: Reading, percent: float) -> float:
    """As long as the platform says, else until a meter that falls evenly is down at `percent`."""
    told = reading.regain_after if reading.percent >= FULL else 0.0
    return told or max(SHORTEST_REST, reading.span * (1 - percent / reading.percent))


def _reason(known: _Known, refused: Refused) -> str:
    limit = known.limits[refused.limit]
    if refused.window is None:
        return f"{limit.label}: {refused.why}"
    window = limit.windows[refused.window]
    allowed = known.allowed[refused.limit].windows[refused.window]
    rest = "" if allowed == window else f", {allowed.calls} of them in the background"
    return f"{limit.label} may make {window}{rest}"


def _not_now(reason: str, seconds: float) -> BudgetSpent:
    return BudgetSpent(reason, retry_at=time.time() + seconds)
