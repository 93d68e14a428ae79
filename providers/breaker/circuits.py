"""The circuits of all workers: which endpoint is down since when, and who may try it next.

Each step is one script by the server's clock. Whether an error says that a platform is down, and what
happens to the run, is not decided here.
"""

import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import redis

from providers.http import BODY_SECONDS, CALL_SECONDS
from providers.scripts import load

MICRO = 1_000_000
PREFIX = "adtiger:circuit"
OPEN = f"{PREFIX}s"  # the names of those that are open
# As many as a run has attempts by default: a lone run's last one opens the circuit and so is not used.
FAILURES = 3
FIRST_SECONDS = 10.0  # a deployment or a fail-over at the platform is over by then
LONGEST_SECONDS = 300.0  # after hours of outage, syncs go on within five minutes of its end
JITTER = 0.2  # up to so much longer: circuits that opened together are not tried together
ROW_SECONDS = 600  # failures that are further apart are no outage, but single faults
PROBE_SECONDS = CALL_SECONDS + BODY_SECONDS  # the longest call; then its worker is taken for dead
BESIDE_PROBE_SECONDS = 5.0  # an answer is there by then, mostly: who came beside a probe asks again
KEEP_SECONDS = 86_400  # an open circuit that nobody asks for is forgotten after a day

_FOLDER = Path(__file__).parent


class Entry(NamedTuple):
    """Whether a call may be made; `shut_until` is unix seconds, None where it may."""

    shut_until: float | None
    must_tell: bool  # of its answer: there were failures before it, or it is a probe


class Opened(NamedTuple):
    """A circuit that is open after a failure. Times are unix seconds."""

    until: float
    since: float
    by_this: bool  # the failure opened it, or kept it open


class Circuit(NamedTuple):
    """An open circuit, for people. Times are unix seconds."""

    provider: str
    endpoint: str
    since: float
    until: float  # the next probe is let through then
    is_probing: bool
    only: str  # the ad account for which it is open; empty: for all
    why: str


class Circuits:
    """Raises redis' errors; `EndpointBreaker` lets calls pass then."""

    def __init__(self, client: redis.Redis, dice: Callable[[], float] = random.random) -> None:
        self._client = client
        self._dice = dice
        self._enter, self._failed, self._answered, self._release = (
            load(client, _FOLDER, "clock", name) for name in ("enter", "failed", "answered", "release")
        )

    def enter(self, name: str, ticket: str, who: str) -> Entry:
        """Ask for a call's way, before it is made. `who` is its ad account."""
        if not self._client.exists(_key(name)):  # nothing failed lately, so there is nothing to tell either
            return Entry(None, must_tell=False)
        waits = [_micros(PROBE_SECONDS), _micros(BESIDE_PROBE_SECONDS)]
        word, number = self._enter(keys=[_key(name)], args=[ticket, who, *waits])
        if word == b"shut":
            return Entry(number / MICRO, must_tell=False)
        return Entry(None, must_tell=word == b"probe" or number > 0)

    def failed(self, name: str, ticket: str, who: str, why: str) -> Opened | None:
        """The call met a platform that is down; None while the circuit stays closed."""
        spans = [_micros(FIRST_SECONDS), _micros(LONGEST_SECONDS), 1 + JITTER * self._dice()]
        kept = [ROW_SECONDS * 1000, KEEP_SECONDS * 1000]
        told = ticket, who, name, FAILURES
        answer = self._failed(keys=[_key(name), OPEN], args=[*told, *spans, *kept, why])
        if answer[0] == b"counted":
            return None
        _, until, since, by_this = answer
        return Opened(until / MICRO, since / MICRO, bool(by_this))

    def answered(self, name: str, ticket: str, who: str) -> bool:
        """The platform answered, whatever it said. True when that closed the circuit."""
        return bool(self._answered(keys=[_key(name), OPEN], args=[ticket, who, name]))

    def release(self, name: str, ticket: str) -> None:
        """The call was not made after all."""
        self._release(keys=[_key(name)], args=[ticket])

    def open(self) -> list[Circuit]:
        """Those that are open now."""
        seconds, micros = self._client.time()
        names = sorted(name.decode() for name in self._client.smembers(OPEN) if isinstance(name, bytes))
        pipeline = self._client.pipeline(transaction=False)
        for name in names:
            pipeline.hgetall(_key(name))
        states = zip(names, pipeline.execute(), strict=True)
        now = seconds * MICRO + micros
        return [_circuit(name, state, now) for name, state in states if b"until" in state]


def _circuit(name: str, state: dict[bytes, bytes], now: int) -> Circuit:
    provider, endpoint = name.split(":")
    return Circuit(
        provider,
        endpoint,
        since=int(state[b"since"]) / MICRO,
        until=int(state[b"until"]) / MICRO,
        is_probing=int(state.get(b"probe_until", 0)) > now,
        only=state[b"who"].decode(),
        why=state[b"why"].decode(),
    )


def _key(name: str) -> str:
    return f"{PREFIX}:{name}"


def _micros(seconds: float) -> int:
    return round(seconds * MICRO)
