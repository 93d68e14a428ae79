"""How many calls a second the budgets can decide on, beside a naive INCR and EXPIRE for the same windows.

Run: `python -m benchmarks.budget_takes [--calls 5000]`. One client, one connection, loopback, an embedded
Valkey with its log on. A call is a take and a settle; the naive limiter counts at the take only, is not
exact, and may leave a key without an expiry: it is here to tell what exactness costs.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import redis

from adtiger.embedded.valkey import Valkey
from benchmarks.harness.options import options
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
    calls = options(__doc__, calls=(5_000, 50)).calls
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "valkey").mkdir()
        server = Valkey(Path(folder))
        try:
            _compare(server.start(0), calls)
        finally:
            server.stop(0)


def _compare(url: str, calls: int) -> None:
    client = redis.Redis.from_url(url)
    through, full = _gate(url, OPEN), _gate(url, FULL)
    full.take()
    round_trip = _rate("a round trip (PING)", client.ping, calls)
    naive = _rate("naive: INCR, EXPIRE, 5 windows", lambda: _naive(client), calls)
    exact = _rate("exact: take and settle, 5 windows", lambda: through.settle(through.take(), Usage()), calls)
    _rate("exact: a refused take", lambda: _refused(full), calls)
    print(f"exact / naive: {exact / naive:.2f}; exact / round trip: {exact / round_trip:.2f}")


def _gate(url: str, limits: list[Limit]) -> BudgetGate:
    return BudgetGate(
        BudgetStore.connect(url), lambda _: limits, background=True, reserve=0.2, call_seconds=35
    )


def _naive(client: redis.Redis) -> bool:
    """As it is mostly written: a counter per window, an expiry when it is new, one after the other."""
    allowed = True
    for limit in OPEN:
        for window in limit.windows:
            key = f"naive:{limit.key}:{window.seconds}"
            used = client.incr(key)
            if used == 1:
                client.expire(key, round(window.seconds))
            allowed = allowed and used <= window.calls
    return allowed


def _refused(through: BudgetGate) -> None:
    try:
        through.take()
    except BudgetSpent:
        return
    raise AssertionError("the window is full")


def _rate(name: str, act: Callable[[], object], times: int) -> float:
    act()  # the scripts are loaded, the connections are there
    begun = time.perf_counter()
    for _ in range(times):
        act()
    rate = times / (time.perf_counter() - begun)
    print(f"{name:36} {rate:8,.0f} a second")
    return rate


if __name__ == "__main__":
    main()
