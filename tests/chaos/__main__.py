"""Break AdTiger on purpose, and count what it promised. Exit code 1 when a promise was broken."""

import argparse
import logging
import os
import shutil
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NoReturn

import django

from adtiger import embedded
from adtiger.embedded import lock
from providers.sandbox import constants, process
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.servers import Servers
from tests.chaos.stage import Stage, end_leftovers
from tests.processes import ROOT

HOME = ROOT / ".adtiger" / "chaos"
SETTINGS = {
    "ADTIGER_ENV": "test",
    "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
    "LOG_FORMAT": "json",
    "LEASE_SECONDS": "4",  # a lost run is back within seconds; a busy machine's heartbeat still comes in time
    "META_CONCURRENCY": "3",
    "GOOGLE_CONCURRENCY": "2",
    # narrow enough to be spent again and again: minutes show what hours would
    "META_CONNECTION_WINDOWS": "9/4",
    "GOOGLE_CONNECTION_WINDOWS": "6/4",
    "META_PROVIDER_WINDOWS": "120/4",
    "GOOGLE_PROVIDER_WINDOWS": "60/4",
    "GOOGLE_DAILY_OPERATIONS": "100000",  # no scenario lasts a day
    "META_APP_ID": constants.META_APP_ID,
    "META_APP_SECRET": constants.META_APP_SECRET,
    "GOOGLE_CLIENT_ID": constants.GOOGLE_CLIENT_ID,
    "GOOGLE_CLIENT_SECRET": constants.GOOGLE_CLIENT_SECRET,
}
INTERRUPTED = 130  # what a shell says for Ctrl-C


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3, help="how long to go on (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all dice (%(default)s)")
    names = ", ".join(SCENARIOS)
    parser.add_argument(
        "--scenario",
        action="append",
        choices=SCENARIOS,
        metavar="NAME",
        help=f"only this one; repeatable: {names}",
    )
    parser.add_argument("--home", type=Path, default=HOME, help="where logs and data lie (%(default)s)")
    arguments = parser.parse_args()
    home = arguments.home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _interrupt)
    try:
        with lock.hold(home / "chaos.lock", patience=0, otherwise=f"Chaos runs already in {home}."):
            return _run(arguments, home)
    except embedded.EmbeddedError as exc:
        parser.exit(1, f"{exc}\n")
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(arguments: argparse.Namespace, home: Path) -> int:
    end_leftovers(home)
    for old in ("logs", *(path.name for path in home.glob("*.jsonl"))):
        _remove(home / old)
    with ExitStack() as ends:
        ends.callback(embedded.stop, home)
        servers = Servers(home)
        ends.callback(servers.relay.close)
        sandbox = ends.enter_context(process.start(seed=arguments.seed))
        addresses = {name: url for name, url in sandbox.urls.items() if name != "url"}
        urls = {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
        os.environ.update(SETTINGS | addresses | urls | {"ADTIGER_HOME": str(home)})
        django.setup()
        (home / "logs").mkdir()
        logging.basicConfig(filename=home / "logs" / "chaos.log", force=True)  # our own hints that get lost
        from tests.chaos.run import run  # it stands on the settings

        stage = Stage(home, servers, sandbox)
        ends.callback(stage.fleet.stop)
        code = run(
            stage, arguments.scenario or list(SCENARIOS), seed=arguments.seed, seconds=60 * arguments.minutes
        )
    if code == 0:
        _remove(home / "logs")
    return code


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _interrupt(_: int, __: FrameType | None) -> NoReturn:
    """Clean up, and let nobody interrupt that."""
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
