"""What the store remembers: which generation of its memory is whole, and how it is refilled.

Guarantee: nothing is taken from a memory that may have lost a call. After a flush, a restart or a
fail-over the epoch says nothing, until one refill has told a new generation of every past call; keys
of older generations are never looked at again. Without past calls (a fresh install) it opens at once.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import redis
from redis.commands.core import Script

from providers.scripts import load

FOLDER = Path(__file__).parent  # of the scripts
MICRO = 1_000_000
PREFIX = "adtiger:budget"
EPOCH = f"{PREFIX}:epoch"
CLAIM = f"{PREFIX}:refill"
CLAIM_SECONDS = 30  # between two batches of a refill; then whoever refilled is taken for dead
BATCH = 1_000  # past calls per round trip
KEEP_SECONDS = 90_000  # a day, the longest window of any platform, and an hour for clocks that differ


class PastCall(NamedTuple):
    """Calls that were made before the store lost its memory, by one attempt that `name` tells apart."""

    key: str
    name: str
    at: float  # unix seconds, of their last answer at the latest; ahead for what may still be in flight
    calls: int


class Cold(Exception):
    """The store has no whole memory: it has to be refilled, or just is by somebody else."""


class Memory:
    """The generation that is open, as far as this process knows."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._open = load(client, FOLDER, "epoch", "open")
        self._generation = ""

    def run(self, script: Script, keys: Callable[[str], Sequence[str]], args: Sequence[Any]) -> list[Any]:
        """Run a script in the open generation, on that generation's keys; `Cold` without one."""
        for _ in range(2):  # the second time with the generation that the first was answered
            generation = self._generation
            answer: list[Any] = script(keys=[EPOCH, *keys(generation)], args=[generation, *args])
            if answer[0] != b"moved":
                return answer
            self._generation = answer[1].decode()
        raise Cold

    def generation(self) -> str:
        """What was opened last, for reading: after a restart it may lack its last moments."""
        epoch = self._client.get(EPOCH)
        return epoch.decode().partition(" ")[2] if isinstance(epoch, bytes) else ""

    def refill(self, calls: Iterable[PastCall]) -> None:
        """Tell a new generation of past calls and open it, unless another was opened meanwhile.

        One does it at a time: `Cold` for all others. What it writes counts when it is whole; where the
        server lost its memory once more, the next `run` is as cold as before.
        """
        generation = uuid4().hex[:12]  # told apart for a day, not for ever
        epoch = f"{self._client.info('server')['run_id']} {generation}"
        if not self._client.set(CLAIM, epoch, nx=True, ex=CLAIM_SECONDS):
            raise Cold
        pipeline = self._client.pipeline(transaction=False)
        for number, call in enumerate(calls, start=1):
            _write(pipeline, calls_key(generation, call.key), call)
            if number % BATCH == 0:
                pipeline.expire(CLAIM, CLAIM_SECONDS)
                pipeline.execute()
        pipeline.execute()
        self._open(keys=[EPOCH, CLAIM], args=[epoch])


def calls_key(generation: str, key: str) -> str:
    """Where the calls of a limit are counted."""
    return f"{PREFIX}:{generation}:calls:{key}"


def park_key(key: str) -> str:
    """Where a limit's park is; of no generation, for an old one is still true."""
    return f"{PREFIX}:park:{key}"


def _write(pipeline: "redis.client.Pipeline", key: str, call: PastCall) -> None:
    if call.calls:
        at = round(call.at * MICRO)
        pipeline.zadd(key, {f"{call.name}:{index}": at for index in range(call.calls)})
        pipeline.expire(key, KEEP_SECONDS)  # shorter from its first take on
