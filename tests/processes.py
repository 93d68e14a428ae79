"""Real worker processes for tests, on the test's own database and Valkey."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[1]
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


class Worker:
    """One Celery worker with its children, in a process group of its own."""

    def __init__(self, log: Path, *, queues: str = QUEUES, concurrency: int = 2, **overrides: str) -> None:
        self.log = log
        name = f"test-{os.getpid()}-{time.monotonic_ns()}@%h"
        command = [sys.executable, "-m", "celery", "-A", "adtiger", "worker", "-Q", queues, "-n", name]
        command += ["--concurrency", str(concurrency), "--without-gossip", "--without-mingle", "-l", "INFO"]
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment(**overrides),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """As the kernel's out-of-memory killer would, all at once: nothing is tidied up."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=10)

    def stop(self) -> None:
        """As an operator would; by force when it takes too long."""
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.kill()


@contextmanager
def worker(log: Path, *, queues: str = QUEUES, concurrency: int = 2, **overrides: str) -> Iterator[Worker]:
    """A worker for the length of a `with` block."""
    running = Worker(log, queues=queues, concurrency=concurrency, **overrides)
    try:
        yield running
    finally:
        running.kill()


def eventually(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Poll until it holds; fail with `what` when it does not in time."""
    ends_at = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends_at:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.05)  # polling with a deadline
