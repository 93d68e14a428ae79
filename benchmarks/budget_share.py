"""How much of the granted budget a backlog uses, at latencies of 0.3 to 1.5 s; it must never be more.

Run: `python -m benchmarks.budget_share [--window-ms 6000] [--limit 200] [--windows 5]`. By default all
times are a tenth (a window of 6 s, latencies of 30 to 150 ms), which changes no share; `--window-ms 60000`
takes the real ones. Granted is what background work may use: the limit without the reserve.
"""

import random
import time
from bisect import bisect_right
from concurrent.futures import ThreadPoolExecutor

from benchmarks.harness.options import options
from benchmarks.harness.product import PRODUCT, forget_keys, redis_url
from benchmarks.harness.report import Report
from benchmarks.harness.rounds import Contender, interleave
from providers.base import Usage
from providers.budget import BudgetGate, BudgetStore, Limit, Window
from providers.errors import BudgetSpent

RESERVE = 0.2
RUNS = 16  # at once: enough to use the whole grant, also at the longest latency
LATENCY = (0.3 / 60, 1.5 / 60)  # of a call, in windows of a minute
MOST_CALL = 35 / 60  # the longest that a call may take, likewise


def main() -> None:
    asked = options(__doc__, window_ms=(6_000, 300), limit=(200, 20), windows=(5, 2))
    report = Report("budget_share")
    backlog = Contender(
        "a backlog", lambda: _use(asked.window_ms / 1000, limit=asked.limit, windows=asked.windows)
    )
    found = interleave([backlog], rounds=asked.rounds)
    report.wide("percent of the grant", found)
    report.save()


def _use(seconds: float, *, limit: int, windows: int) -> dict[str, float]:
    """Run a backlog over some windows. Each call reaches the platform somewhere on its way."""
    forget_keys()
    granted, ends_at = Window(limit, seconds).within(RESERVE).calls, time.time() + seconds * windows
    with ThreadPoolExecutor(RUNS) as pool:
        begun = [pool.submit(_run, seconds, limit, ends_at, seed) for seed in range(RUNS)]
        counted = sorted(at for one in begun for at in one.result())
    fullest = max(index - bisect_right(counted, at - seconds) + 1 for index, at in enumerate(counted))
    assert fullest <= granted, f"{fullest} calls in a window that grants {granted}"
    grants = (len(counted) - 1) // granted
    took = (
        counted[grants * granted] - counted[0]
    )  # from a grant's first call to that of the one after the last
    return {"used": 100 * grants * seconds / took, "in its fullest window": 100 * fullest / granted}


def _run(seconds: float, limit: int, ends_at: float, seed: int) -> list[float]:
    """Call whenever the budget lets a call through; when the platform counted each."""
    dice = random.Random(seed)
    window = Limit("connection:meta:act_1", "act_1", (Window(limit, seconds),))
    gate = BudgetGate(
        BudgetStore.connect(redis_url(PRODUCT)),
        lambda _: [window],
        background=True,
        reserve=RESERVE,
        call_seconds=MOST_CALL * seconds,
    )
    counted = []
    while time.time() < ends_at:
        try:
            ticket = gate.take()
        except BudgetSpent as exc:
            time.sleep(max(0.0, min(exc.retry_at, ends_at) - time.time()))  # as a deferred run: until then
            continue
        latency = dice.uniform(*LATENCY) * seconds
        on_its_way = latency * dice.random()
        time.sleep(on_its_way)
        counted.append(time.time())
        time.sleep(latency - on_its_way)
        gate.settle(ticket, Usage())
    return counted


if __name__ == "__main__":
    main()
