"""A window is exact to the microsecond, and what is stored for it is bounded."""

from collections.abc import Iterator

import pytest

from providers.budget import BudgetStore, Limit, Window
from providers.budget.memory import EPOCH
from tests.integration.valkey_server import MICRO, SetClock, ValkeyServer

START = 1_800_000_000 * MICRO
CALL = 7  # seconds that a call may take at most


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetClock]:
    server = ValkeyServer(tmp_path_factory.mktemp("valkey"))
    with SetClock.from_url(server.url) as client:
        yield client
    server.close()


def opened(clock: SetClock) -> BudgetStore:
    clock.flushall()
    clock.set_clock(START)
    store = BudgetStore(clock)
    store.refill([])
    return store


def make_call(store: BudgetStore, limit: Limit, ticket: str) -> None:
    assert store.take([limit], ticket, call_seconds=CALL) is None
    store.settle([limit], ticket, call_seconds=CALL)


@pytest.mark.parametrize("seconds", [0.001, 0.1, 60, 3600, 86_400])
def test_a_call_counts_up_to_the_end_of_the_window_and_not_a_microsecond_longer(
    clock: SetClock, seconds: float
) -> None:
    store, limit = opened(clock), Limit("act_1", "act_1", (Window(1, seconds),))
    make_call(store, limit, "first")

    clock.set_clock(START + round(seconds * MICRO))
    at_the_edge = store.take([limit], "second", call_seconds=CALL)
    clock.set_clock(START + round(seconds * MICRO) + 1)
    behind_it = store.take([limit], "second", call_seconds=CALL)

    assert at_the_edge is not None
    assert at_the_edge.free_at == (START + round(seconds * MICRO) + 1) / MICRO
    assert behind_it is None


def test_a_call_at_the_edge_counts_for_every_take_of_that_moment(clock: SetClock) -> None:
    store, limit = opened(clock), Limit("act_1", "act_1", (Window(2, 60),))
    make_call(store, limit, "first")
    clock.set_clock(START + 60 * MICRO)

    make_call(store, limit, "second")

    assert store.take([limit], "third", call_seconds=CALL) is not None


@pytest.mark.parametrize("order", [1, -1])
def test_windows_may_stand_in_any_order(clock: SetClock, order: int) -> None:
    store, limit = opened(clock), Limit("act_1", "act_1", (Window(1, 0.1), Window(3, 60))[::order])
    for number in range(3):
        clock.set_clock(START + number * MICRO)
        make_call(store, limit, str(number))
    clock.set_clock(START + 59 * MICRO)

    refused = store.take([limit], "fourth", call_seconds=CALL)

    assert refused is not None
    assert refused.free_at == (START + 60 * MICRO + 1) / MICRO


def test_the_clock_being_set_back_frees_nothing(clock: SetClock) -> None:
    store, limit = opened(clock), Limit("act_1", "act_1", (Window(1, 60),))
    make_call(store, limit, "first")

    for back in (1, 59, 3600):
        clock.set_clock(START - back * MICRO)
        assert store.take([limit], "second", call_seconds=CALL) is not None


def test_a_call_that_took_longer_than_it_may_counts_again_from_its_answer(clock: SetClock) -> None:
    store, limit = opened(clock), Limit("act_1", "act_1", (Window(1, 1),))
    store.take([limit], "slow", call_seconds=CALL)
    clock.set_clock(START + 100 * MICRO)
    clock.delete(*clock.scan_iter("*:calls:*"))  # as if it had expired by now

    store.settle([limit], "slow", call_seconds=CALL)

    assert store.take([limit], "next", call_seconds=CALL) is not None


def test_refusals_count_for_nothing_and_what_left_the_longest_window_is_dropped(clock: SetClock) -> None:
    store, limit = opened(clock), Limit("act_1", "act_1", (Window(2, 10), Window(3, 60)))
    for number in range(200):
        clock.set_clock(START + number * MICRO)
        if store.take([limit], str(number), call_seconds=CALL) is None:
            store.settle([limit], str(number), call_seconds=CALL)

    (calls,) = clock.scan_iter("*:calls:*")
    assert clock.zcard(calls) <= 3


def test_all_but_the_epoch_expires_a_second_after_it_may_be_forgotten(clock: SetClock) -> None:
    store, limit = opened(clock), Limit("act_1", "act_1", (Window(2, 5), Window(9, 60)))
    store.take([limit], "in flight", call_seconds=CALL)
    make_call(store, limit, "answered")
    store.park("act_1", 30, "why")
    clock.delete("clock")

    left = {key.decode(): clock.pttl(key) / 1000 for key in clock.scan_iter()}

    assert left.pop(EPOCH) < 0
    (calls, park), (calls_left, park_left) = zip(*sorted(left.items()), strict=True)
    assert (":calls:" in calls, ":park:" in park) == (True, True)
    assert 60 + CALL < calls_left <= 60 + CALL + 1
    assert 30 < park_left <= 31


def test_an_answer_does_not_shorten_how_long_a_call_in_flight_is_kept(clock: SetClock) -> None:
    store, limit = opened(clock), Limit("act_1", "act_1", (Window(2, 10),))
    store.take([limit], "lost", call_seconds=CALL)

    make_call(store, limit, "answered")

    (calls,) = clock.scan_iter("*:calls:*")
    assert clock.pttl(calls) / 1000 > 10 + CALL
