"""`python -m adtiger.up`: behind `make up`, `make demo` and `make down`.

A lock makes it one supervisor per home; what one that was killed left running is ended first.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

from adtiger.embedded import EmbeddedError, lock
from adtiger.up.login import Login
from adtiger.up.session import run, say
from adtiger.up.stack import PROJECT, Stack, StackError

_PORT = 8000
_LAST_PORT = 65_535
_DOWN_SECONDS = 60.0  # a supervisor waits for its workers' soft shutdown
_LOCK = "up.lock"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m adtiger.up", description=__doc__)
    parser.add_argument("--demo", action="store_true", help="sync the demo accounts, show the result, stop")
    parser.add_argument("--down", action="store_true", help="stop what runs")
    parser.add_argument("--port", type=_port, default=os.environ.get("PORT") or _PORT, help="of the web")
    arguments = parser.parse_args()
    base = Path(os.environ.get("ADTIGER_HOME") or PROJECT / ".adtiger").resolve()
    try:
        if arguments.down:
            for home in (base, base / "demo"):
                _down(home)
            return 0
        return _up(base / "demo" if arguments.demo else base, arguments.port, demo=arguments.demo)
    except (EmbeddedError, StackError) as exc:
        sys.stderr.write(f"{exc}\n")
        return 1


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= _LAST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number up to {_LAST_PORT}")
    return int(text)


def _up(home: Path, port: int, *, demo: bool) -> int:
    home.mkdir(parents=True, exist_ok=True)
    login = Login.read(home)
    running = f"AdTiger is running already{f' at {login.url}' if login else ''}; `make down` stops it."
    with lock.hold(home / _LOCK, patience=0, otherwise=running) as held:
        os.ftruncate(held, 0)
        os.pwrite(held, str(os.getpid()).encode(), 0)
        return run(Stack(home, port=port), demo=demo)


def _down(home: Path) -> None:
    """Ask the supervisor to stop; end by ourselves what a killed one left."""
    if not home.exists():
        return
    if lock.is_held(home / _LOCK) and (supervisor := (home / _LOCK).read_text()):
        os.kill(int(supervisor), signal.SIGTERM)
    stuck = f"The supervisor of {home} does not stop."
    with lock.hold(home / _LOCK, patience=_DOWN_SECONDS, otherwise=stuck):
        Stack(home, port=0).stop()
    say(f"Nothing of {home} runs any more.")


if __name__ == "__main__":
    sys.exit(main())
