"""Real worker processes for tests, on the test's own database and Valkey."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[1]
NONE: Mapping[str, str] = {}  # settings that differ from the tests'
QUEUES = "sync.meta,sync.google,maintenance"


def environment(**overrides: str) -> dict[str, str]:
    """What a process of the product needs to stand on this test's servers."""
    database = connection.settings_dict
    url = (
        f"postgresql://{quote(database['USER'])}:{quote(database['PASSWORD'] or '')}"
        f"@{database['HOST']}:{database['PORT']}/{quote(database['NAME'])}"
    )
    return {
        **os.environ,
        "ADTIGER_ENV": "test",
        "DJANGO_SETTINGS_MODULE": "adtiger.settings",
        "DATABASE_URL": url,
        "REDIS_URL": settings.REDIS_URL,
        "CREDENTIAL_KEYS": settings.CREDENTIAL_KEYS,
        "LOG_FORMAT": "json",
        "PYTHONWARNINGS": "default",
        **overrides,
    }


class Process:
    """A process of the product with its children, in a group of its own."""

    def __init__(self, log: Path, *arguments: str, **overrides: str) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=ROOT,
                env=environment(**overrides),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def children(self) -> list[int]:
        """The pids of a worker's children, which do its tasks."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def kill(self) -> None:
        """As the kernel's out-of-memory killer would, all at once: nothing is tidied up."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=10)


@contextmanager
def worker(
    log: Path, overrides: Mapping[str, str] = NONE, *, queues: str = QUEUES, concurrency: int = 2
) -> Iterator[Process]:
    """A Celery worker for the length of a `with` block."""
    name = f"{log.stem}-{os.getpid()}-{time.monotonic_ns()}@test"
    command = ["celery", "-A", "adtiger", "worker", "-Q", queues, "-n", name, "-l", "INFO"]
    command += ["--concurrency", str(concurrency), "--without-gossip", "--without-mingle"]
    with _running(log, command, overrides) as process:
        yield process


@contextmanager
def beat(log: Path, overrides: Mapping[str, str] = NONE) -> Iterator[Process]:
    """Celery's beat for the length of a `with` block."""
    command = ["celery", "-A", "adtiger", "beat", "-l", "INFO", "--pidfile="]
    with _running(log, command, overrides) as process:
        yield process


@contextmanager
def _running(log: Path, command: list[str], overrides: Mapping[str, str]) -> Iterator[Process]:
    process = Process(log, *command, **overrides)
    try:
        yield process
    finally:
        process.kill()


def eventually(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Poll until it holds; fail with `what` when it does not in time."""
    ends_at = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends_at:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.05)  # polling with a deadline
