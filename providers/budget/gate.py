"""The gate of one run: what its client asks before each call."""

import time
from collections.abc import Callable, Iterable, Sequence
from uuid import uuid4

from redis.exceptions import RedisError

from providers.base import Usage
from providers.budget.limits import Limit
from providers.budget.store import BudgetStore, Cold, PastCall, Refused
from providers.errors import BudgetSpent

STORE_WAIT = 15.0  # seconds until a run asks again when the store was unreachable
FULL_WAIT = 60.0  # seconds of rest when the platform's meter is full and it names no time


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
        self._limits = [_reserved(limit, reserve) for limit in limits] if background else list(limits)
        self._call_seconds = call_seconds
        self._past_calls = past_calls

    def take(self) -> str:
        """Take a call from all windows, or raise `BudgetSpent` with the moment to come back."""
        ticket = uuid4().hex
        try:
            refused = self._take(ticket)
        except (RedisError, Cold) as exc:
            raise BudgetSpent("the budget store is unreachable", retry_at=time.time() + STORE_WAIT) from exc
        if refused is not None:
            raise BudgetSpent(refused.reason, retry_at=refused.free_at)
        return ticket

    def settle(self, ticket: str, usage: Usage) -> None:
        """The call was answered: count it from now on, and heed what the answer said."""
        try:
            self._store.settle(self._limits, ticket)
            if usage.regain_after:
                self.park(usage.regain_after, "the platform's limit is used up")
            elif usage.percent is not None and usage.percent >= 100:
                self.park(FULL_WAIT, f"{usage.percent:.0f} % of the platform's limit is used")
        except RedisError:
            return  # unsettled it counts longer, until its latest end: the safe side

    def park(self, seconds: float, reason: str, *, limit: int = 0) -> None:
        """Rest one of the gate's limits, by default the ad account's own."""
        try:
            self._store.park(self._limits[limit].key, seconds, reason)
        except RedisError:
            return  # the platform will say so again

    def _take(self, ticket: str) -> Refused | None:
        try:
            return self._store.take(self._limits, ticket, call_seconds=self._call_seconds)
        except Cold:
            self._store.remember(self._past_calls())
        return self._store.take(self._limits, ticket, call_seconds=self._call_seconds)


def _reserved(limit: Limit, reserve: float) -> Limit:
    return limit._replace(windows=tuple(window.within(reserve) for window in limit.windows))
