"""Real PostgreSQL and Valkey servers out of PyPI wheels, for development, tests and the demo.

`database_url` and `redis_url` start what does not run and return its URL; servers outlive their
starter until `stop`. Guarantee: any number of processes may call at once, any of them or the servers
may be killed, and nothing committed is lost. Both trust every user of this machine. Not for production.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from adtiger.embedded import lock
from adtiger.embedded.errors import EmbeddedError, with_log
from adtiger.embedded.postgres import Postgres
from adtiger.embedded.valkey import Valkey

__all__ = ["EmbeddedError", "Status", "database_url", "redis_url", "status", "stop", "with_log"]

T = TypeVar("T")
_LOCK_PATIENCE = 90  # seconds: another starter's initdb on a busy machine (8) and all its retries


class Status(NamedTuple):
    """The URLs of the servers that answer; None for one that does not."""

    database_url: str | None
    redis_url: str | None


def database_url(home: Path, *, durable: bool = True) -> str:
    """The URL of home's PostgreSQL, started if need be.

    `durable=False` starts one that may lose its data with the machine's power: for tests.
    """
    return _running(Postgres(home.resolve(), durable=durable))


def redis_url(home: Path) -> str:
    """The URL of home's Valkey, started if need be."""
    return _running(Valkey(home.resolve()))


def stop(home: Path) -> None:
    """End both servers cleanly; one that does not run is left alone."""
    for server in (Valkey(home.resolve()), Postgres(home.resolve())):
        if server.folder.exists():
            _locked(server, server.stop)


def status(home: Path) -> Status:
    """Which servers answer."""
    return Status(Postgres(home.resolve()).url(), Valkey(home.resolve()).url())


def _running(server: Postgres | Valkey) -> str:
    """The server's URL; the lock is needed by nobody but a starter."""
    return server.url() or _locked(server, server.start)


def _locked(server: Postgres | Valkey, action: Callable[[int], T]) -> T:
    try:
        server.folder.mkdir(parents=True, exist_ok=True)
        busy = f"Another process has been starting or stopping {server.label} in {server.folder} for long."
        with lock.hold(server.folder / "starter.lock", patience=_LOCK_PATIENCE, otherwise=busy) as held:
            return action(held)
    except OSError as exc:
        raise EmbeddedError(
            f"{server.label} can't keep its files in {server.folder}: {exc.strerror}."
        ) from exc
