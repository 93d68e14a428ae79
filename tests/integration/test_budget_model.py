"""The budgets agree with a slow exact model, whatever is taken, answered, parked and waited for."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from providers.budget import BudgetStore, Limit, Window
from tests.integration.valkey_server import MICRO, SetClock, ValkeyServer

START = 1_800_000_000 * MICRO
CALL = 7  # seconds that a call may take at most
A = Limit("a", "a", (Window(3, 10), Window(5, 60)))
B = Limit("b", "b", (Window(3, 30), Window(1, 0.1)))
C = Limit("c", "c", (Window(2, 5),))
GROUPS = ([A], [B], [B, C], [C, A, B])
RESERVED = [[limit.within(0.2) for limit in group] for group in GROUPS]


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetClock]:
    server = ValkeyServer(tmp_path_factory.mktemp("valkey"))
    with SetClock.from_url(server.url) as client:
        yield client
    server.close()


class Call(NamedTuple):
    """One call as the model knows it."""

    limits: list[Limit]
    taken_at: int
    counts_from: int


class Model:
    """All calls of all time, counted anew for every question."""

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}
        self.parks: dict[str, int] = {}

    def allows(self, limits: list[Limit], at: int) -> bool:
        """Whether no park and no window, both its ends included, stands against one more call."""
        return all(self.parks.get(limit.key, 0) <= at for limit in limits) and all(
            self._used(limit.key, at - micros(window)) < window.calls
            for limit in limits
            for window in limit.windows
        )

    def free_at(self, limits: list[Limit], now: int) -> int:
        """The first moment that allows them, if everything in flight is answered at once."""
        answered = Model()
        answered.parks = self.parks
        answered.calls = {
            ticket: call._replace(counts_from=min(call.counts_from, now))
            for ticket, call in self.calls.items()
        }
        moments = [
            call.counts_from + micros(window) + 1
            for call in answered.calls.values()
            for limit in limits
            for window in limit.windows
        ]
        return min(at for at in [*moments, *self.parks.values()] if at > now and answered.allows(limits, at))

    def _used(self, key: str, since: int) -> int:
        return sum(
            call.counts_from >= since and any(limit.key == key for limit in call.limits)
            for call in self.calls.values()
        )


class Step(NamedTuple):
    """What a worker, or time, does next: the name of a method of `Trial`, and its arguments."""

    name: str
    arguments: tuple[int, ...] = ()


class Trial:
    """The store and the model side by side, and the moments at which the platform counted."""

    def __init__(self, clock: SetClock) -> None:
        clock.flushall()
        clock.set_clock(START)
        self.clock, self.now, self.free_at = clock, START, START
        self.store, self.model = BudgetStore(clock), Model()
        self.store.refill([])
        self.flying: list[str] = []
        self.arrivals: list[tuple[int, list[Limit]]] = []

    def take(self, group: int, background: bool) -> None:
        limits = (RESERVED if background else GROUPS)[group]
        ticket = str(len(self.model.calls))
        refused = self.store.take(limits, ticket, call_seconds=CALL)
        assert (refused is None) == self.model.allows(limits, self.now)
        if refused is None:
            self.model.calls[ticket] = Call(limits, self.now, self.now + CALL * MICRO)
            self.flying.append(ticket)
        else:
            self.free_at = round(refused.free_at * MICRO)
            assert self.free_at == self.model.free_at(limits, self.now)

    def settle(self, which: int, percent: int) -> None:
        """One of those in flight is answered; the platform counted it `percent` of the way."""
        if self.flying:
            ticket = self.flying.pop(which % len(self.flying))
            call = self.model.calls[ticket]
            self.store.settle(call.limits, ticket, call_seconds=CALL)
            self.model.calls[ticket] = call._replace(counts_from=self.now)
            self._arrive(call, percent, latest=min(self.now, call.counts_from))

    def lose(self, which: int, percent: int) -> None:
        """The worker of one in flight is killed; the call may still reach the platform."""
        if self.flying:
            call = self.model.calls[self.flying.pop(which % len(self.flying))]
            self._arrive(call, percent, latest=call.counts_from)

    def park(self, which: int, span: int) -> None:
        key = "abc"[which]
        self.store.park(key, span / MICRO, "why")
        self.model.parks[key] = max(self.model.parks.get(key, 0), self.now + span)

    def wait(self, span: int) -> None:
        self.now += span
        self.clock.set_clock(self.now)

    def come_back(self) -> None:
        """As soon as the last refusal said."""
        self.wait(max(0, self.free_at - self.now))

    def _arrive(self, call: Call, percent: int, *, latest: int) -> None:
        self.arrivals.append((call.taken_at + (latest - call.taken_at) * percent // 100, call.limits))


PERCENT = st.sampled_from([0, 100]) | st.integers(1, 99)
EDGES = [CALL * MICRO, *(round(window.seconds * MICRO) for limit in (A, B, C) for window in limit.windows)]
SPAN = st.sampled_from([edge + near for edge in EDGES for near in (-1, 0, 1)]) | st.integers(1, 12 * MICRO)
TAKE = st.builds(Step, st.just("take"), st.tuples(st.integers(0, 3), st.booleans()))
STEPS = st.lists(
    TAKE
    | TAKE
    | st.builds(Step, st.sampled_from(["settle", "settle", "lose"]), st.tuples(st.integers(0, 5), PERCENT))
    | st.builds(Step, st.just("wait"), st.tuples(SPAN))
    | st.builds(Step, st.just("park"), st.tuples(st.integers(0, 2), SPAN))
    | st.just(Step("come_back")),
    min_size=10,
    max_size=60,
)
BURST = [Step("take", (0, False))] * 4
SLOW_THEN_QUICK = [  # what a count from the take lets through: the old calls arrive late, the new at once
    *BURST,
    Step("wait", (6 * MICRO,)),
    *[Step("settle", (0, 100))] * 3,
    Step("wait", (4 * MICRO + 1,)),
    *BURST,
    *[Step("settle", (0, 0))] * 3,
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
@example(steps=SLOW_THEN_QUICK)
@example(steps=[*BURST, Step("come_back"), *BURST, Step("come_back"), *BURST])
def test_it_agrees_with_the_model_and_no_window_of_the_platform_holds_too_many(
    clock: SetClock, steps: list[Step]
) -> None:
    trial = Trial(clock)

    for step in steps:
        getattr(trial, step.name)(*step.arguments)
    for _ in range(len(trial.flying)):
        trial.lose(0, 50)

    for limit in (A, B, C):
        times = sorted(at for at, limits in trial.arrivals if any(each.key == limit.key for each in limits))
        for window in limit.windows:
            for first, after in zip(times, times[window.calls :], strict=False):
                assert after - first > micros(window)


def micros(window: Window) -> int:
    return round(window.seconds * MICRO)
