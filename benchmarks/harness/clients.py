"""One small act, many times, by several clients at once, each in a process of its own."""

import multiprocessing
import signal
import time
from collections.abc import Callable

from django.db import connection

Act = Callable[[], object]
WARM = 10  # times before it counts: connections and scripts are there afterwards


def measure(make: Callable[[], Act], calls: int, clients: int) -> dict[str, float]:
    """How many acts a second all clients did together, and how long one took."""
    connection.close()  # none is shared with the processes
    context = multiprocessing.get_context("fork")
    # the pool ends its processes by SIGTERM, which they must not take for a keyboard's interrupt
    with context.Pool(clients, signal.signal, (signal.SIGTERM, signal.SIG_DFL)) as pool:
        pool.starmap(_client, [(make, WARM)] * clients)
        begun = time.perf_counter()
        times = sorted(
            t for each in pool.starmap(_client, [(make, calls // clients)] * clients) for t in each
        )
        took = time.perf_counter() - begun
    return {
        "a second": len(times) / took,
        "p50 in µs": times[len(times) // 2] * 1e6,
        "p99 in µs": times[len(times) * 99 // 100] * 1e6,
    }


def _client(make: Callable[[], Act], calls: int) -> list[float]:
    act, times = make(), []
    for _ in range(calls):
        begun = time.perf_counter()
        act()
        times.append(time.perf_counter() - begun)
    return times
