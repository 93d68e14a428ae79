"""How many calls a second the budgets decide on, and how long that takes: with one client and with eight.

Run: `python -m benchmarks.budget_takes [--calls 4000] [--rounds 3]`. A call is a take and a settle over
five windows on three keys. Beside it a naive limiter for the same windows (INCR and EXPIRE): it counts at
the take only, is not exact, and may leave a key without an expiry; it tells what exactness costs.
"""

from collections.abc import Callable
from functools import partial

import redis

from benchmarks.harness.clients import Act, measure
from benchmarks.harness.options import options
from benchmarks.harness.product import PRODUCT, forget_keys, redis_url
from benchmarks.harness.report import Report
from benchmarks.harness.rounds import Contender, interleave
from providers.base import Usage
from providers.budget import BudgetGate, BudgetStore, Limit, Window
from providers.errors import BudgetSpent

ENOUGH = 1_000_000  # calls that a window lets through: more than are made here
OPEN = [  # as a call of a connection takes them: its own two windows, the project's day, a plan's two
    Limit("connection:google:1", "1", (Window(ENOUGH, 60), Window(ENOUGH, 3600))),
    Limit("provider:google", "Google", (Window(ENOUGH, 86_400),)),
    Limit("account:acme", "Acme", (Window(ENOUGH, 60), Window(ENOUGH, 3600))),
]
FULL = [Limit("connection:google:2", "2", (Window(1, 3600),)), *OPEN]


def main() -> None:
    asked = options(__doc__, calls=(4_000, 50))
    report = Report("budget_takes")
    kinds = {"naive: INCR, EXPIRE": _naive, "exact: take, settle": _exact, "exact: a refused take": _refused}
    contenders = [
        Contender(
            f"{name}; {clients} client{'s' * (clients > 1)}", partial(_round, make, asked.calls, clients)
        )
        for clients in (1, 8)
        for name, make in kinds.items()
    ]
    found = interleave(contenders, rounds=asked.rounds)
    report.wide("budget call", found)
    report.compare(
        "budget call", "a second", found["a second"], bases=[contenders[0].name, contenders[3].name]
    )
    report.save()


def _round(make: Callable[[], Act], calls: int, clients: int) -> dict[str, float]:
    forget_keys()
    return measure(make, calls, clients)


def _exact() -> Act:
    gate = _gate(OPEN)
    return lambda: gate.settle(gate.take(), Usage())


def _refused() -> Act:
    gate = _gate(FULL)

    def refused() -> None:
        try:
            gate.take()
        except BudgetSpent:
            return

    refused()  # the first is let through
    return refused


def _gate(limits: list[Limit]) -> BudgetGate:
    store = BudgetStore.connect(redis_url(PRODUCT))
    return BudgetGate(store, lambda _: limits, background=True, reserve=0.2, call_seconds=35)


def _naive() -> Act:
    """As it is mostly written: a counter per window, an expiry when it is new, one after the other."""
    client = redis.Redis.from_url(redis_url(PRODUCT))

    def allowed() -> bool:
        allowed = True
        for limit in OPEN:
            for window in limit.windows:
                key = f"naive:{limit.key}:{window.seconds}"
                used = client.incr(key)
                if used == 1:
                    client.expire(key, round(window.seconds))
                allowed = allowed and used <= window.calls
        return allowed

    return allowed


if __name__ == "__main__":
    main()
