"""Many workers at once: whatever they do, no window of the platform ever holds more than its limit."""

import multiprocessing
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

from providers.base import Usage
from providers.budget import BudgetGate, BudgetStore, Limit, PastCall, Window
from providers.errors import BudgetSpent
from tests.integration.valkey_server import ValkeyServer, store, valkey  # noqa: F401  (fixtures)

WINDOWS = (Window(20, 0.5), Window(50, 1.5))
LIMIT = Limit("act_1", "act_1", WINDOWS)
SECONDS = 3.0  # twice the longest window
Arrival = tuple[float, str]  # when the platform counted it, and the attempt that made it


def gate(store: BudgetStore, limit: Limit, known: list[float] | None = None) -> BudgetGate:
    def past_calls() -> list[PastCall]:
        return [PastCall(limit.key, str(number), at, 1) for number, at in enumerate(known or [])]

    return BudgetGate(
        store, lambda _: [limit], background=False, reserve=0, call_seconds=5, past_calls=past_calls
    )


def hammer(through: BudgetGate, ends_at: float, arrivals: list[float]) -> None:
    """Call without a pause; the moment between take and settle is the platform's."""
    while time.time() < ends_at:
        try:
            ticket = through.take()
        except BudgetSpent:
            continue
        arrivals.append(time.time())
        through.settle(ticket, Usage())


def hammer_from_a_process(url: str) -> list[float]:
    """From its own start on: on a busy machine, starting takes seconds."""
    arrivals: list[float] = []
    hammer(gate(BudgetStore.connect(url), LIMIT), time.time() + SECONDS, arrivals)
    return arrivals


def assert_no_window_is_exceeded(arrivals: list[float]) -> None:
    arrivals.sort()
    assert len(arrivals) > 2 * WINDOWS[0].calls  # they did not only wait
    for window in WINDOWS:
        for first, after in zip(arrivals, arrivals[window.calls :], strict=False):
            assert after - first > window.seconds


def test_eight_threads_never_pass_a_window(store: BudgetStore) -> None:
    arrivals: list[float] = []
    ends_at = time.time() + SECONDS

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: hammer(gate(store, LIMIT), ends_at, arrivals), range(8)))

    assert_no_window_is_exceeded(arrivals)


def test_three_processes_never_pass_a_window(store: BudgetStore, valkey: ValkeyServer) -> None:
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(hammer_from_a_process, valkey.url) for _ in range(3)]
        arrivals = [at for future in futures for at in future.result()]

    assert_no_window_is_exceeded(arrivals)


def test_flushes_in_the_middle_let_no_call_too_many_through(store: BudgetStore, valkey: ValkeyServer) -> None:
    arrivals: list[float] = []
    ends_at = time.time() + SECONDS

    def flush() -> None:
        flushes = 0
        while time.time() < ends_at:
            if len(arrivals) // 7 > flushes:  # every seventh call: at any place in a window
                valkey.client.flushall()
                flushes += 1

    with ThreadPoolExecutor(1) as pool:
        flusher = pool.submit(flush)
        # one caller: a list of arrivals is a ledger only while none of them is still on its way
        hammer(gate(store, LIMIT, arrivals), ends_at, arrivals)
        flusher.result()

    assert_no_window_is_exceeded(arrivals)


def test_the_last_call_goes_to_one_of_many(store: BudgetStore) -> None:
    start = threading.Barrier(8)

    def one(_: int) -> bool:
        start.wait()
        try:
            gate(store, Limit("act_2", "act_2", (Window(1, 60),))).take()
        except BudgetSpent:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(8))) == 1
