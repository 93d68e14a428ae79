"""One clock for everything that decides: PostgreSQL's, Valkey's scripts' and Python's, set by a simulation.

Statements and scripts run as they are in production and only read another time. It is for one process
on a database of its own; what other processes read stays the true time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest import mock

from django.db import connection
from django.utils import timezone
from redis import ConnectionPool

from benchmarks.harness.product import PRODUCT, redis_url
from providers.budget import BudgetStore
from tests.integration.valkey_server import MICRO, SetClock

_READS = "SELECT current_setting('simulated.now')::timestamptz"


class SimulatedClock:
    """Seconds since the simulation's beginning, which was just now; it stands still until it is set."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._begun_at = timezone.now()
        self._valkey = SetClock(connection_pool=ConnectionPool.from_url(redis_url(PRODUCT)))
        self.store = BudgetStore(self._valkey)

    @property
    def now(self) -> datetime:
        """What everybody reads."""
        return self._begun_at + timedelta(seconds=self.seconds)

    def at(self, moment: datetime) -> float:
        """A moment, in seconds since the beginning."""
        return (moment - self._begun_at).total_seconds()

    def set(self, seconds: float) -> None:
        """Never back."""
        self.seconds = max(self.seconds, seconds)
        self._valkey.set_clock(round(self.now.timestamp() * MICRO))
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('simulated.now', %s, false)", [self.now.isoformat()])


@contextmanager
def simulated_clock() -> Iterator[SimulatedClock]:
    """For the length of a `with` block, on the database that this process works on."""
    clock = SimulatedClock()
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS simulated")
        for name in ("clock_timestamp", "statement_timestamp"):
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION simulated.{name}() RETURNS timestamptz LANGUAGE sql STABLE "
                f"AS $$ {_READS} $$"
            )
        # unless it is named, pg_catalog comes first
        cursor.execute("SELECT set_config('search_path', 'simulated, public, pg_catalog', false)")
    clock.set(0)

    def read() -> datetime:
        return clock.now

    try:
        with mock.patch("django.utils.timezone.now", read):
            yield clock
    finally:
        connection.close()  # its settings with it
