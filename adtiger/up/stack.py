"""All of AdTiger on one machine: which servers and processes there are, in which order they start and stop.

`prepare` brings up the embedded servers, the database's schema and the sandbox; `serve` the web, the
workers and beat. What exits, or is killed, is started again by `tend`; `stop` ends everything.
"""

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
from celery import current_app

from adtiger import embedded
from adtiger.embedded import ports
from adtiger.up.processes import Child, end_leftover
from providers.sandbox import constants

PROJECT = Path(__file__).resolve().parents[2]
WORKERS = ("meta", "google", "maintenance")
_READY_SECONDS = 60.0  # a slow machine's cold start takes 15
_ANSWER_SECONDS = 2.0  # for one probe
_PAUSE_SECONDS = 0.2
_WORKER_GRACE = 30.0  # a worker ends its pages within 20 (STOP_SECONDS)
_CHECK_SECONDS = 2.0  # between two looks at the embedded servers


class StackError(Exception):
    """A part did not come up; the message says which, and where its log is."""


class Stack:
    """The running parts of one home."""

    def __init__(self, home: Path, *, port: int) -> None:
        self.home = home
        self._port = port
        self._embedded: list[Callable[[Path], str]] = []
        self._children: list[Child] = []
        self._checked_at = 0.0
        self._reasons = ""  # why it was not ready when last asked
        self.sandbox_url = ""

    @property
    def url(self) -> str:
        """Where the web answers."""
        return f"http://{ports.HOST}:{self._port}"

    @property
    def _environment(self) -> Path:
        return self.home / "env"

    def prepare(self) -> None:
        """Servers, schema, sandbox. Afterwards this process's environment is that of its children."""
        self._end_leftovers()
        self._port = ports.free_port(self._port)
        os.environ.setdefault("ADTIGER_ENV", "development")
        os.environ.setdefault("LOG_FORMAT", "json")  # the logs go to files
        os.environ |= {"ADTIGER_HOME": str(self.home), "DJANGO_SETTINGS_MODULE": "adtiger.settings"}
        for name, start in (("DATABASE_URL", embedded.database_url), ("REDIS_URL", embedded.redis_url)):
            if not os.environ.get(name):
                os.environ[name] = start(self.home)
                self._embedded.append(start)
        self._migrate()
        self._start_sandbox()

    def serve(self) -> None:
        """Web, workers and beat; returns when all of them are ready."""
        web = f"-m gunicorn adtiger.wsgi --bind={ports.HOST}:{self._port} --workers=2 --threads=4"
        self._start("web", *web.split(), "--no-control-socket")
        for worker in WORKERS:
            self._start(f"worker-{worker}", "manage.py", "worker", worker, grace=_WORKER_GRACE)
        self._start("beat", "manage.py", "beat")
        self._wait("worker-maintenance", self._workers_are_ready)
        self._wait("web", self._web_is_ready)

    def tend(self) -> list[str]:
        """Start again what exited; returns the names."""
        if time.monotonic() - self._checked_at > _CHECK_SECONDS:
            for start in self._embedded:
                start(self.home)
            self._checked_at = time.monotonic()
        return [child.name for child in self._children if child.tend()]

    def stop(self) -> None:
        """End everything, the servers last; also what an earlier stack of this home left running."""
        for child in reversed(self._children):
            child.ask_to_stop()
        for child in reversed(self._children):
            child.wait()
        self._end_leftovers()
        embedded.stop(self.home)
        self._environment.unlink(missing_ok=True)  # it would lead a shell to nowhere

    def _end_leftovers(self) -> None:
        """End what a killed supervisor left running."""
        for leftover in sorted((self.home / "run").glob("*.lock")):
            end_leftover(leftover, grace=_WORKER_GRACE)

    def _migrate(self) -> None:
        command = [sys.executable, "manage.py", "migrate", "--noinput"]
        done = subprocess.run(  # noqa: S603  (our own program)
            command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode != 0:
            raise StackError(f"The database's schema can't be brought up to date:\n{done.stdout}")

    def _start_sandbox(self) -> None:
        """The platforms' stand-in, at the same port as yesterday while that is free."""
        folder = self.home / "sandbox"
        folder.mkdir(exist_ok=True)
        told = folder / "state.json"
        told.unlink(missing_ok=True)
        port = f"--port={ports.choose(folder)}"
        yesterday = (datetime.now(UTC) - timedelta(days=1)).date()  # it has begun everywhere
        recorded = f"--recorded-until={yesterday}"
        self._start("sandbox", "-m", "providers.sandbox", port, recorded, f"--state-file={told}")
        self._wait("sandbox", told.exists)
        urls = json.loads(told.read_text())
        self.sandbox_url = urls.pop("url")
        os.environ |= urls | {
            "META_APP_ID": constants.META_APP_ID,
            "META_APP_SECRET": constants.META_APP_SECRET,
            "GOOGLE_CLIENT_ID": constants.GOOGLE_CLIENT_ID,
            "GOOGLE_CLIENT_SECRET": constants.GOOGLE_CLIENT_SECRET,
        }
        self._write_environment(urls)

    def _write_environment(self, urls: dict[str, str]) -> None:
        """What a shell needs for `manage.py` to stand on this stack: `. .adtiger/env`."""
        names = ["ADTIGER_ENV", "ADTIGER_HOME", "DATABASE_URL", "REDIS_URL", *urls]
        names += ["META_APP_ID", "META_APP_SECRET", "GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"]
        self._environment.touch(mode=0o600)  # a DATABASE_URL of one's own holds a password
        self._environment.write_text(
            "".join(f"export {name}={shlex.quote(os.environ[name])}\n" for name in names)
        )

    def _start(self, name: str, *arguments: str, grace: float = 10.0) -> None:
        child = Child(name, [sys.executable, *arguments], cwd=PROJECT, home=self.home, grace=grace)
        child.start()
        self._children.append(child)

    def _wait(self, name: str, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not is_ready():
            if time.monotonic() > deadline:
                log = self.home / "logs" / f"{name}.log"
                message = f"{name} did not get ready in {_READY_SECONDS:.0f} s. {self._reasons}"
                raise StackError(embedded.with_log(message, log))
            self.tend()
            time.sleep(_PAUSE_SECONDS)

    def _web_is_ready(self) -> bool:
        try:
            answer = requests.get(f"{self.url}/readyz", timeout=_ANSWER_SECONDS)
        except requests.RequestException:
            return False
        self._reasons = answer.text
        return answer.ok

    def _workers_are_ready(self) -> bool:
        replies = current_app.control.ping(timeout=_ANSWER_SECONDS, limit=len(WORKERS))
        return len(replies or []) >= len(WORKERS)
