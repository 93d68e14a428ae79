"""A Valkey of a test's own: it can be killed, started again and made to forget, and its clock be set."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.commands.core import Script

from adtiger.embedded.binaries import valkey_server
from adtiger.embedded.ports import HOST, free_port
from providers.budget import BudgetStore
from tests.processes import eventually

MICRO = 1_000_000


class ValkeyServer:
    """One server process below a folder. It keeps nothing over a kill but what `SAVE` wrote."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port(0)
        self.url = f"redis://{HOST}:{self._port}/0"
        self.client = redis.Redis.from_url(self.url)
        self.start()

    def start(self) -> None:
        """Start it, again on the same port and files, and wait until it answers."""
        command = [str(valkey_server()), "--bind", HOST, "--port", str(self._port), "--save", ""]
        command += ["--appendonly", "no", "--dir", str(self._folder)]
        with (self._folder / "valkey.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        eventually(self._answers, seconds=20, what="Valkey's first answer")

    def kill(self) -> None:
        """As a power cut would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(timeout=10)

    def close(self) -> None:
        """End it for good."""
        self.client.close()
        self.kill()

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:
            return False


class SetClock(redis.Redis):
    """A client whose scripts run as they are, but for `TIME`: they read a clock that the test sets."""

    def register_script(self, script: Any) -> Script:
        """With a list of seconds and microseconds where the server's time stood."""
        with_clock = str(script).replace('redis.call("TIME")', 'redis.call("LRANGE", "clock", 0, 1)')
        assert with_clock != script
        return super().register_script(with_clock)

    def time(self, **_: Any) -> Any:
        """What the scripts see."""
        seconds, micros = self.lrange("clock", 0, 1)
        return int(seconds), int(micros)

    def set_clock(self, micros: int) -> None:
        """It stands still until it is set again."""
        with self.pipeline() as pipeline:
            pipeline.delete("clock")
            pipeline.rpush("clock", *divmod(micros, MICRO))
            pipeline.execute()


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """A server that a module's tests have to themselves."""
    server = ValkeyServer(tmp_path_factory.mktemp("valkey"))
    yield server
    server.close()


@pytest.fixture
def store(valkey: ValkeyServer) -> BudgetStore:
    """Budgets without any past call, and open."""
    valkey.client.flushall()
    opened = BudgetStore(valkey.client)
    opened.refill([])
    return opened
