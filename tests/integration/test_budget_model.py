"""The budgets agree with a slow exact model, whatever is taken, answered, parked, changed and waited for."""

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
# What somebody sets instead while calls are under way: tighter, wider, a pause more, a length more or less.
OTHERS = {
    "a": A._replace(windows=(Window(2, 10), Window(4, 60), Window(1, 1))),
    "b": B._replace(windows=(Window(5, 30),)),
    "c": C._replace(windows=(Window(1, 5), Window(3, 60))),
}
GROUPS = ([A], [B], [B, C], [C, A, B])


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
        self.parks: dict[tuple[str, bool], int] = {}  # by key, and whether only of background work
        self.forgotten: set[tuple[str, str]] = set()  # calls older than the longest window of a limit, then

    def allows(self, limits: list[Limit], at: int, background: bool) -> bool:
        """Whether no park and no window, both its ends included, stands against one more call."""
        kinds = (False, True) if background else (False,)
        return all(self.parks.get((limit.key, kind), 0) <= at for limit in limits for kind in kinds) and all(
            self._used(limit.key, at - micros(window)) < window.calls
            for limit in limits
            for window in limit.windows
        )

    def forget(self, limits: list[Limit], now: int) -> None:
        """A longer window that is set later begins to count with what is still remembered."""
        for limit in limits:
            oldest = now - max(micros(window) for window in limit.windows)
            self.forgotten |= {
                (ticket, limit.key) for ticket, call in self.calls.items() if call.counts_from < oldest
            }

    def free_at(self, limits: list[Limit], now: int, background: bool) -> int:
        """The first moment that allows them, if everything in flight is answered at once."""
        answered = Model()
        answered.parks, answered.forgotten = self.parks, self.forgotten
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
        later = sorted(at for at in {*moments, *self.parks.values()} if at > now)
        return next(at for at in later if answered.allows(limits, at, background))

    def _used(self, key: str, since: int) -> int:
        return sum(
            call.counts_from >= since and any(limit.key == key for limit in call.limits)
            for ticket, call in self.calls.items()
            if (ticket, key) not in self.forgotten
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
        self.now_set = {limit.key: limit for limit in (A, B, C)}
        self.ever_set = {limit.key: [limit] for limit in (A, B, C)}
        self.flying: list[str] = []
        self.arrivals: list[tuple[int, list[Limit]]] = []

    def take(self, group: int, background: bool) -> None:
        limits = [self.now_set[limit.key] for limit in GROUPS[group]]
        if background:
            limits = [limit.within(0.2) for limit in limits]
        ticket = str(len(self.model.calls))
        refused = self.store.take(limits, ticket, call_seconds=CALL, background=background)
        assert (refused is None) == self.model.allows(limits, self.now, background)
        if refused is None:
            self.model.forget(limits, self.now)
            self.model.calls[ticket] = Call(limits, self.now, self.now + CALL * MICRO)
            self.flying.append(ticket)
        else:
            self.free_at = round(refused.free_at * MICRO)
            assert self.free_at == self.model.free_at(limits, self.now, background)

    def change(self, which: int) -> None:
        """Somebody sets other windows, or the first ones again."""
        key = "abc"[which]
        first, other = self.ever_set[key][0], OTHERS[key]
        self.now_set[key] = first if self.now_set[key] is other else other
        self.ever_set[key].append(self.now_set[key])

    def settle(self, which: int, percent: int) -> None:
        """One of those in flight is answered; the platform counted it `percent` of the way."""
        if self.flying:
            ticket = self.flying.pop(which % len(self.flying))
            call = self.model.calls[ticket]
            self.store.settle(call.limits, ticket, call_seconds=CALL)
            self.model.calls[ticket] = call._replace(counts_from=self.now)
            self.model.forgotten -= {(ticket, limit.key) for limit in call.limits}
            self._arrive(call, percent, latest=min(self.now, call.counts_from))

    def lose(self, which: int, percent: int) -> None:
        """The worker of one in flight is killed; the call may still reach the platform."""
        if self.flying:
            call = self.model.calls[self.flying.pop(which % len(self.flying))]
            self._arrive(call, percent, latest=call.counts_from)

    def park(self, which: int, span: int, background: bool) -> None:
        key = "abc"[which]
        self.store.park(key, span / MICRO, "why", background=background)
        until = max(self.model.parks.get((key, background), 0), self.now + span)
        self.model.parks[key, background] = until

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
    | st.builds(Step, st.just("park"), st.tuples(st.integers(0, 2), SPAN, st.booleans()))
    | st.builds(Step, st.just("change"), st.tuples(st.integers(0, 2)))
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
@example(steps=[*BURST, Step("change", (0,)), *BURST, Step("come_back"), *BURST])
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
        for seconds, calls in lasting_windows(trial.ever_set[limit.key]).items():
            for first, after in zip(times, times[calls:], strict=False):
                assert after - first > round(seconds * MICRO)


def lasting_windows(ever_set: list[Limit]) -> dict[float, int]:
    """Of each length that was limited all the time, the most that was ever allowed."""
    lengths = [{window.seconds: window.calls for window in limit.windows} for limit in ever_set]
    return {
        seconds: max(each[seconds] for each in lengths)
        for seconds in lengths[0]
        if all(seconds in each for each in lengths)
    }


def micros(window: Window) -> int:
    return round(window.seconds * MICRO)
