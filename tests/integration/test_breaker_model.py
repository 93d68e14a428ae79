"""The circuits agree with a slow model, whatever calls are made, lost and waited for, at any moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from providers.breaker import Circuits
from providers.breaker.circuits import (
    BESIDE_PROBE_SECONDS,
    FAILURES,
    FIRST_SECONDS,
    JITTER,
    KEEP_SECONDS,
    LONGEST_SECONDS,
    OPEN,
    PROBE_SECONDS,
    ROW_SECONDS,
)
from tests.integration.valkey_server import MICRO, SetClock, ValkeyServer

START = 1_800_000_000 * MICRO
NAME = "meta:campaigns"
DICE = 0.5  # the jitter's: each span is a tenth longer


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetClock]:
    server = ValkeyServer(tmp_path_factory.mktemp("valkey"))
    with SetClock.from_url(server.url) as client:
        yield client
    server.close()


@dataclass
class Model:
    """One circuit as the words of the package have it. Times in microseconds."""

    failures: int = 0
    until: int | None = None
    since: int = 0
    span: int = 0
    probe: str = ""
    probe_until: int = 0
    who: str | None = None  # the only ad account that failed; empty for several

    def enter(self, ticket: str, who: str, now: int) -> int | None:
        """Until when it is shut for this call; None where it is let through."""
        if self.until is None or self.who not in ("", who):
            return None
        if now < self.until:
            return self.until
        if self.probe and now < self.probe_until:
            return min(self.probe_until, now + micros(BESIDE_PROBE_SECONDS))
        self.probe, self.probe_until = ticket, now + micros(PROBE_SECONDS)
        return None

    def failed(self, ticket: str, who: str, now: int) -> bool:
        """Whether this failure opened it, or kept it open."""
        self.who = who if self.who in (None, who) else ""
        if self.until is None:
            self.failures += 1
            if self.failures < FAILURES:
                return False
            self.since, self.span = now, micros(FIRST_SECONDS)
        elif ticket == self.probe:
            self.span = min(2 * self.span, micros(LONGEST_SECONDS))
        else:
            return False
        self.until, self.probe, self.probe_until = now + int(self.span * (1 + JITTER * DICE)), "", 0
        return True

    def answered(self, ticket: str, who: str) -> None:
        if self.until is None or ticket == self.probe or self.who not in ("", who):
            self.failures, self.until, self.probe, self.who = 0, None, "", None

    def release(self, ticket: str) -> None:
        if ticket == self.probe:
            self.probe = ""


class Step(NamedTuple):
    """What a worker, or time, does next: the name of a method of `Trial`, and its argument."""

    name: str
    argument: int = 0


class Call(NamedTuple):
    """A call that is being made."""

    ticket: str
    who: str


class Trial:
    """The circuits and the model side by side, and the calls that are being made."""

    def __init__(self, clock: SetClock) -> None:
        clock.flushall()
        clock.set_clock(START)
        self.clock, self.now = clock, START
        self.circuits, self.model = Circuits(clock, dice=lambda: DICE), Model()
        self.flying: list[Call] = []
        self.count = 0

    def call(self, account: int) -> None:
        self.count += 1
        call = Call(str(self.count), f"act_{account}")
        told, expected = self.circuits.enter(NAME, *call), self.model.enter(*call, self.now)
        assert told.shut_until == (None if expected is None else expected / MICRO)
        if expected is None:
            assert told.must_tell == (self.model.failures > 0 or self.model.until is not None)
            self.flying.append(call)

    def fail(self, which: int) -> None:
        if call := self._landed(which):
            opened, by_this = self.circuits.failed(NAME, *call, "why"), self.model.failed(*call, self.now)
            assert (opened is None) == (self.model.until is None)
            if opened is not None and self.model.until is not None:
                assert opened == (self.model.until / MICRO, self.model.since / MICRO, by_this)

    def answer(self, which: int) -> None:
        if call := self._landed(which):
            was_open = self.model.until is not None
            self.model.answered(*call)
            assert self.circuits.answered(NAME, *call) == (was_open and self.model.until is None)

    def release(self, which: int) -> None:
        if call := self._landed(which):
            self.circuits.release(NAME, call.ticket)
            self.model.release(call.ticket)

    def lose(self, which: int) -> None:
        """The worker is killed: nobody ever tells how the call went."""
        self._landed(which)

    def wait(self, span: int) -> None:
        self.now += span
        self.clock.set_clock(self.now)

    def come_back(self, _: int) -> None:
        """When the circuit half-opens."""
        self.wait(max(0, (self.model.until or 0) - self.now))

    def check(self) -> None:
        """What people are shown, and that no more than one probe is out."""
        shown = self.circuits.open()
        if self.model.until is None:
            assert shown == []
            return
        (circuit,) = shown
        is_probing = bool(self.model.probe) and self.now < self.model.probe_until
        assert circuit[:2] == ("meta", "campaigns")
        assert (circuit.since, circuit.until) == (self.model.since / MICRO, self.model.until / MICRO)
        assert (circuit.is_probing, circuit.only) == (is_probing, self.model.who)

    def _landed(self, which: int) -> "Call | None":
        return self.flying.pop(which % len(self.flying)) if self.flying else None


EDGES = [FIRST_SECONDS * 1.1, FIRST_SECONDS * 2.2, BESIDE_PROBE_SECONDS, PROBE_SECONDS, LONGEST_SECONDS * 1.1]
SPAN = st.sampled_from([round(edge * MICRO) + near for edge in EDGES for near in (-1, 0, 1)]) | st.integers(
    1, 20 * MICRO
)
ENDS = st.sampled_from(["fail", "fail", "fail", "answer", "release", "lose"])
STEPS = st.lists(
    st.builds(Step, st.just("call"), st.integers(0, 1))
    | st.builds(Step, st.just("call"), st.integers(0, 1))
    | st.builds(Step, ENDS, st.integers(0, 5))
    | st.builds(Step, st.just("wait"), SPAN)
    | st.just(Step("come_back")),
    min_size=10,
    max_size=80,
)
OPENED = [Step("call"), Step("fail")] * FAILURES
LATE = [*[Step("call")] * (FAILURES + 2), *[Step("fail")] * FAILURES]  # two that began before are still out


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
@example(steps=[*OPENED, Step("come_back"), Step("call"), Step("lose"), Step("call")])
@example(steps=[*LATE, Step("answer"), Step("fail"), Step("call")])
@example(steps=[*OPENED, *[Step("come_back"), Step("call"), Step("fail")] * 8])
@example(steps=[*OPENED, Step("call", 1), Step("fail"), Step("call", 1)])
@example(steps=[*OPENED, Step("call", 1), Step("answer"), Step("call", 0)])
def test_it_agrees_with_the_model(clock: SetClock, steps: list[Step]) -> None:
    trial = Trial(clock)

    for step in steps:
        getattr(trial, step.name)(step.argument)
        trial.check()


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happened_a_platform_that_answers_again_is_called_again(
    clock: SetClock, steps: list[Step]
) -> None:
    trial = Trial(clock)
    for step in steps:
        getattr(trial, step.name)(step.argument)
    trial.flying.clear()  # all workers die

    trial.wait(round((LONGEST_SECONDS * (1 + JITTER) + PROBE_SECONDS) * MICRO))
    trial.call(0)
    trial.answer(0)

    assert trial.circuits.open() == []


def test_a_probe_whose_permit_was_lost_on_the_way_may_ask_again(clock: SetClock) -> None:
    trial = Trial(clock)
    for step in [*OPENED, Step("come_back"), Step("call")]:
        getattr(trial, step.name)(step.argument)

    assert trial.circuits.enter(NAME, *trial.flying[-1]).shut_until is None
    assert trial.circuits.enter(NAME, "another", "act_0").shut_until is not None


def test_an_open_circuit_that_nobody_asks_for_is_forgotten(clock: SetClock) -> None:
    trial = Trial(clock)
    for step in OPENED:
        getattr(trial, step.name)(step.argument)

    assert 0 < clock.pttl(f"adtiger:circuit:{NAME}") <= (FIRST_SECONDS * 1.1 + KEEP_SECONDS) * 1000
    clock.delete(f"adtiger:circuit:{NAME}")
    assert clock.smembers(OPEN) == {NAME.encode()}
    assert trial.circuits.open() == []


def test_failures_that_are_far_apart_are_no_row(clock: SetClock) -> None:
    trial = Trial(clock)
    for step in OPENED[:2]:
        getattr(trial, step.name)(step.argument)

    assert 0 < clock.pttl(f"adtiger:circuit:{NAME}") <= ROW_SECONDS * 1000


def micros(seconds: float) -> int:
    return round(seconds * MICRO)
