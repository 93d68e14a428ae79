"""Processor time, which a busy machine distorts less than rates: of the workers, PostgreSQL and Valkey."""

import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import redis
from django.db import connection

from benchmarks.harness.product import PRODUCT, redis_url

PATIENCE = 300  # seconds without one more job done
TICK = os.sysconf("SC_CLK_TCK")  # /proc counts in these, mostly 100 a second


class Cpu:
    """Seconds used since it was made by the servers, and by what this process started afterwards."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            postmaster = _parents()[cursor.fetchone()[0]]
        valkey = int(redis.Redis.from_url(redis_url(PRODUCT)).info("server")["process_id"])
        self._servers = {postmaster, valkey}
        self._others = _below({os.getpid()}) | {os.getpid()}  # the sandbox, which serves all alike
        self._before = self._servers_now() + _reaped()

    def seconds(self) -> float:
        """Until now."""
        own = _below({os.getpid()}) - self._others
        return self._servers_now() + _reaped() - self._before + sum(_used(pid) for pid in own)

    def _servers_now(self) -> float:
        """A backend that ended is counted by its parent, as soon as that has looked."""
        return sum(_used(pid) for pid in self._servers | _below(self._servers))


def per_job(cpu: Cpu, done: Callable[[], int], works: Callable[[], bool], *, warm: int, jobs: int) -> float:
    """Milliseconds per job from the `warm`th to the last, which it waits for."""
    begun_at, begun, seen, ends_at = 0, 0.0, -1, math.inf
    while True:
        at_work = works()  # before counting: it may end when the last job is done
        if (now := done()) >= jobs:
            break
        if now > seen:
            seen, ends_at = now, time.monotonic() + PATIENCE
        if not at_work or time.monotonic() > ends_at:
            raise TimeoutError(f"{now} of {jobs} jobs were done when the worker ended or stood still")
        if now >= warm and not begun_at:
            begun_at, begun = now, cpu.seconds()
        time.sleep(0.05)  # often enough for rounds of seconds, too seldom to disturb them
    return (cpu.seconds() - begun) / (jobs - begun_at) * 1000


def _parents() -> dict[int, int]:
    """Every process's parent."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        fields = _fields(int(folder.name))
        if fields:
            found[int(folder.name)] = int(fields[1])
    return found


def _below(ancestors: set[int]) -> set[int]:
    """Their children, grandchildren and so on."""
    parents, found, last = _parents(), set[int](), set(ancestors)
    while last:
        last = {pid for pid, parent in parents.items() if parent in last} - found
        found |= last
    return found


def _reaped() -> float:
    """Of our own processes that have ended and been waited for."""
    times = os.times()
    return times.children_user + times.children_system


def _used(pid: int) -> float:
    """User and system time, that of its ended children too."""
    return sum(int(field) for field in _fields(pid)[11:15]) / TICK


def _fields(pid: int) -> list[str]:
    """What /proc says after the name, which may hold anything; nothing when it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
