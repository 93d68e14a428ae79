"""The gate of one run: what its client asks before each call."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from uuid import uuid4

from redis.exceptions import RedisError

from providers.base import Usage
from providers.budget.limits import Limit
from providers.budget.memory import Cold, PastCall
from providers.budget.store import BudgetStore, Refused
from providers.errors import BudgetSpent

STORE_WAIT = 15.0  # seconds until a run asks again when the store was unreachable
REFILL_PATIENCE = 1.0  # seconds: a small ledger is told in milliseconds, and a deferral costs a tick
REFILL_GLANCE = 0.02  # seconds between two looks at it
REFILL_WAIT = 2.0  # seconds until a run asks again when the refill takes longer than that
FULL_WAIT = 60.0  # seconds of rest when the platform's meter is full and it names no time
LONGEST_PARK = 86_400.0  # seconds, the longest window of any platform: a wrong header is not believed longer


class BudgetGate:
    """`providers.base.Gate` over the shared windows.

    The first limit is the ad account's own: what the platform's answers say about usage parks it.
    Background work leaves a reserve of each window to people. `past_calls` refills a store that
    lost its memory; without the store nothing is called.
    """

    def __init__(
        self,
        store: BudgetStore,
        limits: Sequence[Limit],
        *,
        background: bool,
        reserve: float,
        call_seconds: float,
        past_calls: Callable[[], Iterable[PastCall]] = tuple,
    ) -> None:
        self._store = store
        self._limits = limits
        self._allowed = [limit.within(reserve) for limit in limits] if background else limits
        self._call_seconds = call_seconds
        self._past_calls = past_calls

    def take(self) -> str:
        """Take a call from all windows, or raise `BudgetSpent` with the moment to come back."""
        ticket = uuid4().hex
        try:
            refused = self._take(ticket)
        except RedisError as exc:
            raise _not_now("the budget store is unreachable", STORE_WAIT) from exc
        except Cold as exc:
            raise _not_now("the budget store is being refilled", REFILL_WAIT) from exc
        if refused is not None:
            raise BudgetSpent(self._reason(refused), retry_at=refused.free_at)
        return ticket

    def settle(self, ticket: str, usage: Usage) -> None:
        """The call was answered: count it from now on, and heed what the answer said."""
        with suppress(RedisError):  # unsettled it counts longer, until its latest end: the safe side
            self._store.settle(self._limits, ticket, call_seconds=self._call_seconds)
        if usage.regain_after:
            self.park(usage.regain_after, "the platform's limit is used up")
        elif usage.percent is not None and usage.percent >= 100:
            self.park(FULL_WAIT, f"{usage.percent:.0f} % of the platform's limit is used")

    def park(self, seconds: float, reason: str, *, limit: int = 0) -> None:
        """Rest one of the gate's limits, by default the ad account's own."""
        with suppress(RedisError):  # the platform will say so again
            self._store.park(self._limits[limit].key, min(seconds, LONGEST_PARK), reason)

    def _take(self, ticket: str) -> Refused | None:
        """Refills a store without memory; where another does, that is mostly a matter of milliseconds."""
        ends_at = time.monotonic() + REFILL_PATIENCE
        while True:
            try:
                return self._store.take(self._allowed, ticket, call_seconds=self._call_seconds)
            except Cold:
                if time.monotonic() > ends_at:
                    raise
            try:
                self._store.refill(self._past_calls())
            except Cold:
                time.sleep(REFILL_GLANCE)

    def _reason(self, refused: Refused) -> str:
        limit = self._limits[refused.limit]
        if refused.window is None:
            return f"{limit.label}: {refused.why}"
        window = limit.windows[refused.window]
        allowed = self._allowed[refused.limit].windows[refused.window]
        rest = "" if allowed == window else f", {allowed.calls} of them in the background"
        return f"{limit.label} may make {window}{rest}"


def _not_now(reason: str, seconds: float) -> BudgetSpent:
    return BudgetSpent(reason, retry_at=time.time() + seconds)
