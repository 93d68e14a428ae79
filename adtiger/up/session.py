"""One life of the stack: bring it up, stay or run the demo, and end it, whatever happened."""

import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from adtiger.up.login import Login
from adtiger.up.stack import PROJECT, Stack, StackError

_PAUSE_SECONDS = 0.5  # between two looks at the children
_INTERRUPTED = 130  # what a shell says for Ctrl-C
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WELCOME = """
AdTiger runs at {login.url}

  log in     {login.username} / {login.password}
  API token  {login.token}
  logs       {logs}
  manage.py  after `. {env}`, for example `.venv/bin/python manage.py queue`

Meta and Google are imitated by the sandbox: nothing leaves this machine. Ctrl-C stops everything.
"""


def run(stack: Stack, *, demo: bool) -> int:
    """Returns when it was told to stop, or when the demo has ended; the exit code."""
    for sign in _SIGNALS:
        signal.signal(sign, _interrupt)
    try:
        _prepare(stack)
        return _run_demo(stack) if demo else _stay(stack)
    except KeyboardInterrupt:
        return _INTERRUPTED if demo else 0
    finally:
        for sign in _SIGNALS:
            signal.signal(sign, signal.SIG_IGN)  # a second Ctrl-C would leave things running
        say("Stopping everything ...")
        stack.stop()


def say(text: str) -> None:
    """Print at once; a terminal that is gone is no reason to leave things running."""
    with suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def _prepare(stack: Stack) -> None:
    say("Starting PostgreSQL, Valkey and the sandbox ...")
    stack.prepare()
    say("Making the demo login and connecting the demo's ad accounts ...")
    with _start_inside("seed", stack.url, str(stack.home)) as seed:
        if seed.wait() != 0:
            raise StackError("The demo login and connections could not be made; see above.")
    say("Starting web, workers and beat ...")


def _stay(stack: Stack) -> NoReturn:
    stack.serve()
    login = Login.read(stack.home)
    say(_WELCOME.format(login=login, logs=stack.home / "logs", env=shlex.quote(str(stack.home / "env"))))
    while True:
        _tend(stack)


def _run_demo(stack: Stack) -> int:
    """The demo asks for its syncs before anybody else can, and shows how the workers take them up."""
    with _start_inside("demo", stack.sandbox_url) as demo:
        try:
            stack.serve()
            while demo.poll() is None:
                _tend(stack)
        finally:
            demo.terminate()
    return demo.returncode


def _tend(stack: Stack) -> None:
    for name in stack.tend():
        say(f"{name} had exited and was started again; see {stack.home / 'logs' / name}.log")
    time.sleep(_PAUSE_SECONDS)


def _start_inside(module: str, *arguments: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "adtiger.up.inside", module, *arguments]
    return subprocess.Popen(command, cwd=PROJECT)  # noqa: S603  (our own program)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
