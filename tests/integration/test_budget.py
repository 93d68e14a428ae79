"""Budgets on a real Valkey: exact, all or nothing, shared, and safe when the store fails."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from providers.base import Usage
from providers.budget import BudgetGate, BudgetStore, Limit, PastCall, Window
from providers.budget.store import MICRO, PREFIX
from providers.errors import BudgetSpent


@pytest.fixture
def client() -> Iterator[redis.Redis]:
    connected = redis.Redis.from_url(settings.REDIS_URL)
    connected.flushdb()
    yield connected
    connected.close()


@pytest.fixture
def store(client: redis.Redis) -> BudgetStore:
    opened = BudgetStore(client)
    opened.remember([])
    return opened


def limit(key: str, *windows: tuple[int, float]) -> Limit:
    return Limit(key, key, tuple(Window(*window) for window in windows))


def gate(store: BudgetStore, *limits: Limit, background: bool = False, seconds: float = 30) -> BudgetGate:
    return BudgetGate(store, limits, background=background, reserve=0.2, call_seconds=seconds)


def call(through: BudgetGate) -> None:
    through.settle(through.take(), Usage())


def pass_time(client: redis.Redis, seconds: float) -> None:
    """Let time pass without waiting: everything stored becomes that much older."""
    keys: Any = client.scan_iter(f"{PREFIX}:calls:*")
    for key in keys:
        stored: Any = client.zrange(key, 0, -1, withscores=True)
        older = {member: score - seconds * MICRO for member, score in stored}
        client.zadd(key, older)


def test_the_call_above_the_limit_is_refused_until_the_first_leaves(store: BudgetStore) -> None:
    through = gate(store, limit("act_1", (3, 60)))
    before = time.time()
    for _ in range(3):
        call(through)

    with pytest.raises(BudgetSpent, match="act_1 may make 3 calls a minute") as caught:
        through.take()

    assert before + 60 <= caught.value.retry_at <= time.time() + 60.001


def test_all_windows_are_taken_or_none(store: BudgetStore) -> None:
    roomy, tight = limit("roomy", (10, 60)), limit("tight", (1, 60))
    call(gate(store, tight))

    with pytest.raises(BudgetSpent):
        gate(store, roomy, tight).take()

    assert store.meters([roomy])[0].used == 0


def test_the_moment_to_come_back_is_that_of_the_last_window_to_free(store: BudgetStore) -> None:
    through = gate(store, limit("act_1", (1, 10), (1, 3600)))
    call(through)

    with pytest.raises(BudgetSpent, match="an hour") as caught:
        through.take()

    assert caught.value.retry_at - time.time() == pytest.approx(3600, abs=1)


def test_a_call_counts_until_its_answer_plus_the_window(store: BudgetStore, client: redis.Redis) -> None:
    through = gate(store, limit("act_1", (1, 60)))
    ticket = through.take()
    pass_time(client, 20)  # the platform answers after 20 s
    through.settle(ticket, Usage())
    pass_time(client, 59)
    with pytest.raises(BudgetSpent):
        through.take()

    pass_time(client, 1.1)
    through.take()


def test_a_call_that_was_never_answered_counts_until_its_latest_end(
    store: BudgetStore, client: redis.Redis
) -> None:
    through = gate(store, limit("act_1", (1, 60)), seconds=30)
    through.take()
    pass_time(client, 89)
    with pytest.raises(BudgetSpent):
        through.take()

    pass_time(client, 1.1)
    through.take()


def test_background_work_leaves_a_reserve_to_people(store: BudgetStore) -> None:
    window = limit("act_1", (10, 60))
    for _ in range(8):
        call(gate(store, window, background=True))
    with pytest.raises(BudgetSpent):
        gate(store, window, background=True).take()

    for _ in range(2):
        call(gate(store, window))
    with pytest.raises(BudgetSpent):
        gate(store, window).take()


def test_a_parked_key_is_refused_with_the_reason_and_the_longest_park_counts(store: BudgetStore) -> None:
    through = gate(store, limit("act_1", (10, 60)))
    through.park(100, "blocked by Meta")
    through.park(10, "short")

    with pytest.raises(BudgetSpent, match="act_1: blocked by Meta") as caught:
        through.take()

    assert caught.value.retry_at - time.time() == pytest.approx(100, abs=1)


@pytest.mark.parametrize(
    ("usage", "seconds"), [(Usage(percent=118.0), 60), (Usage(percent=50, regain_after=240), 240)]
)
def test_what_an_answer_says_about_usage_parks_the_ad_account(
    store: BudgetStore, usage: Usage, seconds: float
) -> None:
    through = gate(store, limit("act_1", (10, 60)))
    through.settle(through.take(), usage)

    with pytest.raises(BudgetSpent) as caught:
        through.take()

    assert caught.value.retry_at - time.time() == pytest.approx(seconds, abs=1)


def test_an_answer_below_the_limit_parks_nothing(store: BudgetStore) -> None:
    through = gate(store, limit("act_1", (10, 60)))
    through.settle(through.take(), Usage(percent=99.0))

    through.take()


def test_a_store_without_memory_is_told_of_past_calls_before_anything_is_taken(
    store: BudgetStore, client: redis.Redis
) -> None:
    window = limit("act_1", (3, 60))
    client.flushdb()
    past = [PastCall("act_1", "attempt", time.time() - 1, 3)]
    through = BudgetGate(
        store, [window], background=False, reserve=0, call_seconds=30, past_calls=lambda: past
    )

    with pytest.raises(BudgetSpent):
        through.take()

    assert store.meters([window])[0].used == 3


def test_telling_past_calls_twice_counts_them_once(store: BudgetStore) -> None:
    for _ in range(2):
        store.remember([PastCall("act_1", "attempt", time.time(), 3)])

    assert store.meters([limit("act_1", (5, 60))])[0].used == 3


def test_without_the_store_nothing_is_called() -> None:
    nowhere = BudgetStore(redis.Redis(port=1, socket_connect_timeout=0.2))

    with pytest.raises(BudgetSpent, match="the budget store is unreachable"):
        gate(nowhere, limit("act_1", (3, 60))).take()


def test_a_lost_settlement_is_no_error(store: BudgetStore) -> None:
    nowhere = BudgetStore(redis.Redis(port=1, socket_connect_timeout=0.2))

    gate(nowhere, limit("act_1", (3, 60))).settle("ticket", Usage())


def test_meters_tell_use_and_parks(store: BudgetStore) -> None:
    window = limit("act_1", (3, 60), (9, 3600))
    call(gate(store, window))
    gate(store, window).park(30, "why")

    minute, hour = store.meters([window])

    assert (minute.used, minute.limit, hour.used, hour.limit) == (1, 3, 1, 9)
    assert minute.parked_until is not None
    assert minute.parked_because == "why"


def test_eight_threads_never_pass_the_limit_in_any_window(store: BudgetStore) -> None:
    calls, seconds = 20, 0.5
    window = limit("act_1", (calls, seconds))
    arrivals: list[float] = []
    ends_at = time.monotonic() + 2

    def hammer(_: int) -> None:
        through = gate(store, window, seconds=5)
        while time.monotonic() < ends_at:
            try:
                ticket = through.take()
            except BudgetSpent:
                continue
            arrivals.append(time.monotonic())  # the platform's moment: between take and settle
            through.settle(ticket, Usage())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hammer, range(8)))

    arrivals.sort()
    assert len(arrivals) > 2 * calls
    assert all(later - earlier > seconds for earlier, later in zip(arrivals, arrivals[calls:], strict=False))


def test_a_barrier_of_threads_shares_the_last_call(store: BudgetStore) -> None:
    start = threading.Barrier(8)

    def one(_: int) -> bool:
        start.wait()
        try:
            gate(store, limit("act_1", (1, 60))).take()
        except BudgetSpent:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(8))) == 1


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(0, 2)),
        st.tuples(st.just("settle"), st.integers(0, 5)),
        st.tuples(st.just("pass"), st.floats(0.05, 40)),
    ),
    max_size=40,
)
LIMITS = [limit("a", (3, 10), (5, 60)), limit("b", (4, 30)), limit("c", (2, 5))]
GROUPS = [[0], [0, 1], [1, 2]]
CALL = 7.0  # seconds that a call may take at most


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_it_agrees_with_a_slow_exact_model(client: redis.Redis, steps: list[tuple[str, float]]) -> None:
    client.flushdb()
    store = BudgetStore(client)
    store.remember([])
    now = 0.0
    ends: dict[str, tuple[float, list[int]]] = {}  # ticket -> counted from, limits
    flying: list[str] = []
    for number, (step, value) in enumerate(steps):
        if step == "pass":
            now += value
            pass_time(client, value)
        elif step == "settle" and flying:
            ticket = flying.pop(int(value) % len(flying))
            store.settle([LIMITS[index] for index in ends[ticket][1]], ticket)
            ends[ticket] = (now, ends[ticket][1])
        elif step == "take":
            group = GROUPS[int(value)]
            allowed = all(
                sum(index in of and end > now - window.seconds for end, of in ends.values()) < window.calls
                for index in group
                for window in LIMITS[index].windows
            )
            ticket = f"t{number}"
            refused = store.take([LIMITS[index] for index in group], ticket, call_seconds=CALL)
            assert (refused is None) == allowed
            if allowed:
                ends[ticket] = (now + CALL, group)
                flying.append(ticket)
