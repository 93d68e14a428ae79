"""The embedded servers of chaos, and the ways in which they go away.

Workers reach Valkey through a relay that can be slow. PostgreSQL keeps commit times, which the judge
reads: they tell what a claim could see.
"""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis

from adtiger import embedded
from adtiger.embedded.ports import free_port
from tests.processes import eventually
from tests.relay import Relay

_GONE_SECONDS = 20  # a clean shutdown writes its checkpoint first


class Servers:
    """PostgreSQL and Valkey of one home, with an empty database."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.database_url = embedded.database_url(home, durable=False)
        self._keep_commit_times()
        self._empty_database()
        self._valkey_url = embedded.redis_url(home)
        self._valkey.flushall()
        where = urlsplit(self._valkey_url)
        self.relay = Relay(str(where.hostname), int(where.port or 0))
        self.relay.mend()
        self.redis_url = f"redis://127.0.0.1:{self.relay.port}/0"

    # --- PostgreSQL -----------------------------------------------------------------------------
    def stop_postgres(self, sign: signal.Signals) -> None:
        """SIGINT: it ends in good order. SIGQUIT: at once, and recovers at its next start."""
        with self._database() as database:
            folder = database.execute("SHOW data_directory").fetchone()
        pid = int((Path(str(folder and folder[0])) / "postmaster.pid").read_text().split()[0])
        os.kill(pid, sign)
        self._await_end("PostgreSQL", lambda status: status.database_url)

    def start_postgres(self) -> None:
        """On the same port, with the same data."""
        self._await_port(self.database_url)
        embedded.database_url(self._home, durable=False)

    def terminate_connections(self) -> None:
        """End all sessions in the middle of what they do."""
        with self._database() as database:
            database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )

    @contextmanager
    def exhausted_postgres(self) -> Iterator[None]:
        """Every connection that the server allows is taken, for the length of the block."""
        with ExitStack() as taken:
            try:
                while True:
                    taken.enter_context(self._database())
            except psycopg.OperationalError:
                yield

    # --- Valkey ---------------------------------------------------------------------------------
    def kill_valkey(self) -> None:
        """As a power cut would."""
        os.kill(int(self._valkey.info("server")["process_id"]), signal.SIGKILL)
        self._await_end("Valkey", lambda status: status.redis_url)

    def start_valkey(self, *, empty: bool = False) -> None:
        """On the same port, with what it had written down, or with nothing."""
        if empty:
            shutil.rmtree(self._home / "valkey" / "appendonlydir")
        self._await_port(self._valkey_url)
        embedded.redis_url(self._home)

    def flush_valkey(self) -> None:
        """Budgets, hints and messages are gone; the server lives on."""
        self._valkey.flushall()

    @property
    def _valkey(self) -> redis.Redis:
        return redis.Redis.from_url(self._valkey_url)

    def _database(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(self.database_url, autocommit=True, connect_timeout=5)

    def _keep_commit_times(self) -> None:
        with self._database() as database:
            if database.execute("SHOW track_commit_timestamp").fetchone() == ("on",):
                return
            database.execute("ALTER SYSTEM SET track_commit_timestamp = on")
        self.stop_postgres(signal.SIGINT)
        self.database_url = embedded.database_url(self._home, durable=False)  # nobody knows its port yet

    def _empty_database(self) -> None:
        with self._database() as database:
            database.execute("DROP SCHEMA public CASCADE")
            database.execute("CREATE SCHEMA public")

    def _await_port(self, url: str) -> None:
        """Another process's connection may have been given the port meanwhile, until it ends."""
        port = urlsplit(url).port or 0
        eventually(lambda: free_port(port) == port, seconds=_GONE_SECONDS, what=f"port {port} free again")

    def _await_end(self, what: str, url: Callable[[embedded.Status], str | None]) -> None:
        eventually(
            lambda: url(embedded.status(self._home)) is None, seconds=_GONE_SECONDS, what=f"{what}'s end"
        )
