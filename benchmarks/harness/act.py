"""One act in a process of its own, and what it cost: time, processor, memory, calls, and the log written."""

import multiprocessing
import resource
import time
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe
from typing import NamedTuple

from django.db import connection

from benchmarks.harness.cpu import Cpu
from benchmarks.harness.platform import Platform

PATIENCE = 1_800  # seconds; the slowest peer takes some minutes
MB = 1024 * 1024


class Cost(NamedTuple):
    """Of one act."""

    seconds: float
    cpu_seconds: float  # its own and PostgreSQL's
    memory_mb: float  # the peak above what it began with; or that of the largest program it started
    calls: int
    wal_mb: float


def measured(act: Callable[[], object], platform: Platform) -> Cost:
    """Do it in a fork, so that memory and processor are its own, and Django is loaded once for all."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")  # the next one belongs to nobody
    log, calls, cpu = _written(), _calls(platform), Cpu()
    seconds, memory = alone(act)
    written = (_written() - log) / MB
    return Cost(seconds, cpu.seconds(), memory, _calls(platform) - calls, written)


def alone(act: Callable[[], object]) -> tuple[float, float]:
    """Do it in a fork; returns its seconds, and the MB of memory at its peak as `Cost` has them."""
    connection.close()  # or the child would share it
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_do, args=(act, there))
    child.start()
    there.close()
    if not here.poll(PATIENCE):
        child.kill()
        raise TimeoutError(f"not done within {PATIENCE} s")
    try:
        seconds, memory = here.recv()
    except EOFError:
        raise RuntimeError("it failed; see above") from None
    child.join()
    return seconds, memory


def _do(act: Callable[[], object], told: Pipe) -> None:
    """In the child, whose memory begins with what it shares with its parent."""
    before, begun = _peak(resource.RUSAGE_SELF), time.perf_counter()
    act()
    took = time.perf_counter() - begun
    told.send((took, max(_peak(resource.RUSAGE_SELF) - before, _peak(resource.RUSAGE_CHILDREN))))
    told.close()


def _peak(whose: int) -> float:
    """MB, of the largest process."""
    return resource.getrusage(whose).ru_maxrss / 1024


def _written() -> int:
    """Bytes of PostgreSQL's log so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return int(cursor.fetchone()[0])


def _calls(platform: Platform) -> int:
    return int(platform.sandbox.referee()["platforms"]["meta"]["calls"])
