"""The windows in Redis or Valkey, by the server's own clock; each take is one atomic script.

Bounded memory: a limit holds at most as many calls as its longest window allows, and expires with it.
The server must not evict (`noeviction`), and its clock must be slewed, not set: one that is set
forward ends every window early. Back is safe.
"""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import orjson
import redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from providers.base import Usage
from providers.budget.heard import (
    HEARD_SECONDS,
    OUTCOMES,
    OUTCOMES_SECONDS,
    Heard,
    Outcomes,
    decode,
    encode,
    heard_key,
    outcomes_key,
)
from providers.budget.limits import Limit
from providers.budget.memory import EPOCH, FOLDER, MICRO, Cold, Memory, PastCall, calls_key, park_key
from providers.errors import Scope
from providers.scripts import load

NO_ANSWER = Usage()


class Refused(NamedTuple):
    """Why a take was refused, and the earliest moment at which the same take could succeed.

    A call in flight is taken to be answered at once: nothing can be free before, though the answer
    may take longer.
    """

    limit: int  # its place among the limits asked for
    window: int | None  # its place among the limit's; None: parked
    why: str  # of a park
    free_at: float  # unix seconds


class Meter(NamedTuple):
    """One window as it stands now; or a limit that has none, but may be parked."""

    key: str
    label: str
    limit: int | None
    seconds: float | None
    used: int
    source: str
    parked_until: float | None
    parked_because: str
    background_until: float | None  # background work only
    background_because: str
    free_at: float | None  # when a full window has room again at the earliest; None: it has room


class BudgetStore:
    """The budgets of all workers. Raises redis' errors; `BudgetGate` turns them into a refusal."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._memory = Memory(client)
        self._take = load(client, FOLDER, "epoch", "take")
        self._settle = load(client, FOLDER, "epoch", "settle")
        self._park = load(client, FOLDER, "epoch", "park")

    @classmethod
    def connect(cls, url: str) -> "BudgetStore":
        """The store at a URL. A worker must not hang on it: it is waited for briefly, and asked once more
        only when a connection broke, as those of before a restart do."""
        again = Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))
        return cls(redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2, retry=again))

    @property
    def client(self) -> redis.Redis:
        """The server's client, for what lies beside the budgets."""
        return self._client

    def take(
        self, limits: Sequence[Limit], ticket: str, *, call_seconds: float, background: bool = False
    ) -> Refused | None:
        """Take one call from all limits; None when taken. `call_seconds` bounds a call's length."""

        def keys(generation: str) -> list[str]:
            return [
                name for limit in limits for name in (calls_key(generation, limit.key), park_key(limit.key))
            ]

        windows = [[[window.calls, _micros(window.seconds)] for window in limit.windows] for limit in limits]
        args = [ticket, _micros(call_seconds), orjson.dumps(windows), int(background)]
        answer = self._memory.run(self._take, keys, args)
        if answer[0] == b"taken":
            return None
        _, limit, window, free_at, why = answer
        return Refused(limit - 1, window - 1 if window else None, why.decode(), free_at / MICRO)

    def settle(
        self, limits: Sequence[Limit], ticket: str, *, call_seconds: float, usage: Usage = NO_ANSWER
    ) -> None:
        """The call was answered, or failed. A store that lost its memory since hears of it by its refill."""
        about, app = _key_of(limits, Scope.AD_ACCOUNT), _key_of(limits, Scope.APP)
        heard = encode(Heard(time.time(), usage)) if about else b""
        failed = "" if usage.failed is None or not app else int(usage.failed)
        said = [heard, HEARD_SECONDS, failed, OUTCOMES, OUTCOMES_SECONDS]
        counted = [limit for limit in limits if limit.windows]
        kept = [
            math.ceil((max(window.seconds for window in limit.windows) + call_seconds) * 1000) + 1000
            for limit in counted
        ]
        with suppress(Cold):
            self._memory.run(
                self._settle,
                lambda generation: [
                    heard_key(about),
                    outcomes_key(app),
                    *(calls_key(generation, limit.key) for limit in counted),
                ],
                [ticket, *said, *kept],
            )

    def park(self, key: str, seconds: float, reason: str, *, background: bool = False) -> None:
        """Let nothing be taken from `key` for `seconds`, or only nothing by background work."""
        prefix = "background_" if background else ""
        self._park(keys=[EPOCH, park_key(key)], args=[_micros(seconds), reason, prefix])

    def refill(self, calls: Iterable[PastCall]) -> None:
        """Tell a store without memory of the past, all of it that a window may still hold, and open it."""
        self._memory.refill(calls)

    def heard(self, key: str) -> Heard | None:
        """What the platform said last about an ad account, for a day."""
        text = self._client.get(heard_key(key))
        return decode(text) if isinstance(text, bytes) else None

    def outcomes(self, key: str) -> Outcomes:
        """How an app's last calls ended."""
        pipeline = self._client.pipeline(transaction=False)
        pipeline.bitfield(outcomes_key(key)).get("u32", 0).execute()
        pipeline.bitcount(outcomes_key(key), 4, -1)  # the bytes behind the counter
        (calls,), errors = pipeline.execute()
        return Outcomes(min(calls, OUTCOMES), errors)

    def meters(self, limits: Sequence[Limit]) -> list[Meter]:
        """How full each window is, for people; a moment's reading, not a promise."""
        seconds, micros = self._client.time()
        now = seconds * MICRO + micros
        generation = self._memory.generation()
        pipeline = self._client.pipeline(transaction=False)
        for limit in limits:
            pipeline.hmget(park_key(limit.key), "until", "why", "background_until", "background_why")
            for window in limit.windows:
                calls = calls_key(generation, limit.key)
                pipeline.zcount(calls, now - _micros(window.seconds), "+inf")
                pipeline.zrange(calls, -window.calls, -window.calls, withscores=True)
        answers = iter(pipeline.execute())
        return [meter for limit in limits for meter in _meters(limit, now, answers)]


def _meters(limit: Limit, now: int, answers: Iterator[Any]) -> Iterator[Meter]:
    until, why, background_until, background_why = next(answers)
    parked = until is not None and int(until) > now
    held = background_until is not None and int(background_until) > now
    meter = Meter(
        limit.key,
        limit.label,
        limit=None,
        seconds=None,
        used=0,
        source="",
        parked_until=int(until) / MICRO if parked else None,
        parked_because=why.decode() if parked else "",
        background_until=int(background_until) / MICRO if held else None,
        background_because=background_why.decode() if held else "",
        free_at=None,
    )
    if not limit.windows:
        yield meter
    for window in limit.windows:
        used, newest = next(answers), next(answers)
        free_at = min(newest[0][1], now) + _micros(window.seconds) + 1 if newest else 0
        yield meter._replace(
            limit=window.calls,
            seconds=window.seconds,
            used=used,
            source=window.source,
            free_at=free_at / MICRO if free_at > now else None,
        )


def _key_of(limits: Sequence[Limit], scope: Scope) -> str:
    return next((limit.key for limit in limits if limit.scope is scope), "")


def _micros(seconds: float) -> int:
    return round(seconds * MICRO)
