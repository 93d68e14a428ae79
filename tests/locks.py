"""Two transactions brought into the order that a test is about."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

from tests.processes import eventually

T = TypeVar("T")
WAITS_FOR_ME = """
    SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))
"""


def begin(action: Callable[[], T]) -> Future[T]:
    """Run `action` on a connection of its own, until it has ended or waits for a lock of this transaction."""

    def on_its_own_connection() -> T:
        try:
            return action()
        finally:
            connection.close()

    pool = ThreadPoolExecutor(1)
    future = pool.submit(on_its_own_connection)
    pool.shutdown(wait=False)
    eventually(lambda: future.done() or _waits(), seconds=10, what="an end, or a wait for a lock")
    return future


def _waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITS_FOR_ME)
        return bool(cursor.fetchone()[0])
