"""The windows in Redis or Valkey: three scripts, each atomic, by the server's own clock.

Bounded memory: a key holds at most as many calls as its largest window allows, and expires with it.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson
import redis

from providers.budget.limits import Limit

MICRO = 1_000_000
PREFIX = "adtiger:budget"
EPOCH = f"{PREFIX}:epoch"
BATCH = 1_000  # past calls per round trip
_SCRIPTS = Path(__file__).parent


class Refused(NamedTuple):
    """Why a take was refused, and when the same take could succeed at the earliest (unix seconds)."""

    reason: str
    free_at: float


class PastCall(NamedTuple):
    """Calls that were made before the store lost its memory. `name` makes telling them twice harmless."""

    key: str
    name: str
    at: float  # unix seconds, of their last answer at the latest
    calls: int


class Meter(NamedTuple):
    """One window as it stands now."""

    key: str
    label: str
    limit: int
    seconds: float
    used: int
    parked_until: float | None
    parked_because: str


class Cold(Exception):
    """The store has no memory: tell it of past calls (`remember`) before anything is taken."""


class BudgetStore:
    """The budgets of all workers. Raises redis' errors; `BudgetGate` turns them into a refusal."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._take = client.register_script((_SCRIPTS / "take.lua").read_text())
        self._settle = client.register_script((_SCRIPTS / "settle.lua").read_text())
        self._park = client.register_script((_SCRIPTS / "park.lua").read_text())

    def take(self, limits: Sequence[Limit], ticket: str, *, call_seconds: float) -> Refused | None:
        """Take one call from all limits; None when taken. `call_seconds` bounds a call's length."""
        keys = [EPOCH]
        for limit in limits:
            keys += [_calls(limit.key), _park(limit.key)]
        windows = [
            [[window.calls, round(window.seconds * MICRO)] for window in limit.windows] for limit in limits
        ]
        answer = self._take(keys=keys, args=[ticket, round(call_seconds * MICRO), orjson.dumps(windows)])
        word, *refusal = answer
        if word == b"cold":
            raise Cold
        if word == b"taken":
            return None
        index, window, free_at, why = refusal
        return Refused(_reason(limits[index - 1], window, why.decode()), int(free_at) / MICRO)

    def settle(self, limits: Sequence[Limit], ticket: str) -> None:
        """The call was answered, or failed."""
        self._settle(keys=[_calls(limit.key) for limit in limits], args=[ticket])

    def park(self, key: str, seconds: float, reason: str) -> None:
        """Let nothing be taken from `key` for `seconds`; the longest park counts."""
        self._park(keys=[_park(key)], args=[round(seconds * MICRO), reason])

    def remember(self, calls: Iterable[PastCall]) -> None:
        """Refill a store without memory, and open it. Two workers may do so at once."""
        pipeline = self._client.pipeline(transaction=False)
        for number, call in enumerate(calls, start=1):
            members = {f"{call.name}:{index}": round(call.at * MICRO) for index in range(call.calls)}
            if members:
                pipeline.zadd(_calls(call.key), members)
            if number % BATCH == 0:
                pipeline.execute()
        pipeline.execute()
        self._client.set(EPOCH, 1)

    def meters(self, limits: Sequence[Limit]) -> list[Meter]:
        """How full each window is, for people."""
        seconds, micros = self._client.time()
        now = seconds * MICRO + micros
        pipeline = self._client.pipeline(transaction=False)
        for limit in limits:
            pipeline.hmget(_park(limit.key), "until", "why")
            for window in limit.windows:
                pipeline.zcount(_calls(limit.key), now - round(window.seconds * MICRO), "+inf")
        answers = iter(pipeline.execute())
        meters = []
        for limit in limits:
            until, why = next(answers)
            parked = int(until) / MICRO if until and int(until) > now else None
            because = why.decode() if parked and why else ""
            for window in limit.windows:
                meters.append(Meter(limit.key, limit.label, *window, next(answers), parked, because))
        return meters


def _calls(key: str) -> str:
    return f"{PREFIX}:calls:{key}"


def _park(key: str) -> str:
    return f"{PREFIX}:park:{key}"


def _reason(limit: Limit, window: int, why: str) -> str:
    return f"{limit.label}: {why}" if window == 0 else f"{limit.label} may make {limit.windows[window - 1]}"
