"""An embedded Valkey below one folder: start, find again, stop.

Guarantee: a URL is given out only for a server that answers and keeps its files in our folder, and
never do two write the same files. It listens on 127.0.0.1 only and has no password: fit for a laptop
and for tests, not for a machine that others use. Its log's overcommit warning is harmless.
"""

import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from adtiger.embedded import binaries, lock, ports
from adtiger.embedded.account import RunAs, said
from adtiger.embedded.errors import EmbeddedError, with_log

_ANSWER_SECONDS = 2  # a server that takes longer for one word is no use
_START_SECONDS = 20  # reads the log of its last life first
_STOP_SECONDS = 20  # writes it out first
_PAUSE_SECONDS = 0.05
_LOG = "server.log"
_SETTINGS = {
    "bind": ports.HOST,
    "dir": ".",  # the folder we start it in: no path has to be quoted
    "daemonize": "yes",
    "logfile": _LOG,
    "pidfile": "server.pid",
    "save": "",
    "appendonly": "yes",  # messages survive a kill; without it all were lost
    "appendfsync": "everysec",  # "always" is 100 times slower and the ledger makes it needless
    "maxmemory-policy": "noeviction",
}


class Valkey:
    """The server that keeps its data for one home."""

    label = "Valkey"

    def __init__(self, home: Path) -> None:
        self.folder = home / "valkey"
        self._alive = self.folder / "alive.lock"  # held by the server itself, as long as it lives

    def url(self) -> str | None:
        """The URL, if our server answers; None otherwise."""
        port = ports.remembered(self.folder)
        ready = port is not None and self._answers(port) and self._has_loaded(port)
        return f"redis://{ports.HOST}:{port}/0" if ready else None

    def start(self, _: int) -> str:
        """Start the server, or wait for the one that is alive but does not answer yet."""
        deadline = time.monotonic() + _START_SECONDS
        while (url := self.url()) is None:
            if time.monotonic() > deadline:
                hint = "Or set REDIS_URL to a server of your own."
                raise EmbeddedError(with_log(f"Valkey does not start. {hint}", self._log))
            if not lock.is_held(self._alive):
                self._launch()
            time.sleep(_PAUSE_SECONDS)
        return url

    def stop(self, _: int) -> None:
        """End the server, letting it write its log; does nothing when ours does not answer."""
        port = ports.remembered(self.folder)
        if port is None or not self._answers(port):
            return
        with _client(port) as client:
            client.shutdown()
        waited = f"Valkey does not stop within {_STOP_SECONDS} seconds; see {self._log}."
        with lock.hold(self._alive, patience=_STOP_SECONDS, otherwise=waited):
            pass  # nobody else holds it any more: the server is gone

    @property
    def _log(self) -> Path:
        return self.folder / _LOG

    def _launch(self) -> None:
        settings = {"port": str(ports.choose(self.folder)), **_SETTINGS}
        command = [str(binaries.valkey_server())]
        for name, value in settings.items():
            command += [f"--{name}", value]
        with lock.hold(self._alive, patience=0, otherwise="Another Valkey was just started.") as alive:
            result = RunAs().run(command, cwd=self.folder, pass_fds=[alive])
        if result.returncode != 0:
            raise EmbeddedError(f"Valkey does not start: {said(result) or 'it said nothing'}")

    def _answers(self, port: int) -> bool:
        try:
            with _client(port) as client:
                folder = client.config_get("dir")["dir"]
        except redis.RedisError:
            return False
        return Path(folder).resolve() == self.folder.resolve()

    def _has_loaded(self, port: int) -> bool:
        """Whether it has read the log of its last life; until then it refuses everything but questions."""
        try:
            with _client(port) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def _client(port: int) -> redis.Redis:
    return redis.Redis(
        host=ports.HOST,
        port=port,
        socket_timeout=_ANSWER_SECONDS,
        socket_connect_timeout=_ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),  # the default waits for seconds where nobody listens
        decode_responses=True,
    )
