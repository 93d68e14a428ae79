"""Products of other makers, from PyPI, each in an environment of its own that is made on demand."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from benchmarks.harness.product import DATABASE, HOME, execute
from benchmarks.peers.walk import Walk
from providers.meta.fields import FIELDS, INSIGHT_FIELDS, STATUSES
from providers.records import Level, Stream

FOLDER = Path(__file__).parent
ENVIRONMENTS = HOME / "peers"
SINGER, DLT = "tap-facebook and target-postgres", "dlt rest_api, merge, nesting 0"


class Peer(NamedTuple):
    """One that takes part: what empties its tables, and what syncs the account into them."""

    name: str
    ready: Callable[[], None]
    sync: Callable[[], None]


def walks(walk: Walk) -> Iterator[Peer]:
    """Those that can be installed here; the others are named with the reason."""
    if installed("tap", "singer/tap.txt") and installed("target", "singer/target.txt"):
        yield Peer(SINGER, partial(_empty, "tap"), partial(_singer, walk))
    if installed("dlt", "dlt/requirements.txt"):
        yield Peer(DLT, partial(_empty, "dlt"), partial(_dlt, walk))


def metrics(walk: Walk, since: date, until: date, *, with_tap: bool) -> Iterator[Peer]:
    """The same for daily metrics of ads; tap-facebook takes minutes for 100,000 rows."""
    days = {"PEER_METRICS_SINCE": str(since), "PEER_METRICS_UNTIL": str(until)}
    if with_tap and installed("tap", "singer/tap.txt") and installed("target", "singer/target.txt"):
        yield Peer(SINGER, partial(_empty, "tap"), partial(_singer, walk, **days))
    if installed("dlt", "dlt/requirements.txt"):
        fields = {"PEER_METRICS_FIELDS": INSIGHT_FIELDS[Level.AD]}
        yield Peer(DLT, partial(_empty, "dlt"), partial(_dlt, walk, **days, **fields))


def tap_calls(walk: Walk, *, since: str = "") -> None:
    """What tap-facebook reads, with its metrics from `since` (a date); its messages are thrown away."""
    told = _told(walk, "tap") | {"PEER_METRICS_SINCE": since}
    _run(
        [_python("tap"), str(FOLDER / "singer" / "tap.py")],
        told,
        stdout=subprocess.DEVNULL,
        stderr=_log("tap"),
    )


def forget_tap() -> None:
    """Its bookmarks."""
    _state("tap").unlink(missing_ok=True)


@cache
def installed(name: str, requirements: str) -> bool:
    """Whether the environment is there, made now if need be; says so when it can't be."""
    home = ENVIRONMENTS / name
    ready = home / f"installed-{(FOLDER / requirements).stat().st_mtime_ns}"
    if not ready.exists():
        made = [sys.executable, "-m", "venv", "--clear", str(home)]
        filled = [_python(name), "-m", "pip", "install", "-qq", "-r", str(FOLDER / requirements)]
        if any(subprocess.run(command, check=False).returncode for command in (made, filled)):
            print(f"\n**{name} is left out: benchmarks/peers/{requirements} could not be installed.**")
            return False
        ready.touch()
    return True


def _empty(name: str) -> None:
    execute(f"DROP SCHEMA IF EXISTS peer_{name} CASCADE; DROP SCHEMA IF EXISTS peer_{name}_staging CASCADE")
    execute(f"CREATE SCHEMA peer_{name}")
    _state(name).unlink(missing_ok=True)


def _singer(walk: Walk, **told: str) -> None:
    """As shipped: 25 a page, and a bookmark that asks only for what was updated since."""
    config = HOME / "target.json"
    config.write_bytes(
        orjson.dumps({"sqlalchemy_url": _dsn("postgresql+psycopg"), "default_target_schema": "peer_tap"})
    )
    tap = subprocess.Popen(
        [_python("tap"), str(FOLDER / "singer" / "tap.py")],
        env=os.environ | _told(walk, "tap") | told,
        stdout=subprocess.PIPE,
        stderr=_log("tap"),
    )
    target = str(ENVIRONMENTS / "target" / "bin" / "target-postgres")
    _run(
        [target, "--config", str(config)],
        {},
        stdin=tap.stdout,
        stdout=subprocess.DEVNULL,
        stderr=_log("target"),
    )
    assert tap.wait() == 0, "tap-facebook failed; see the benchmark's logs"


def _dlt(walk: Walk, **asked: str) -> None:
    told = _told(walk, "dlt") | {"PEER_DSN": _dsn("postgresql"), "PEER_HOME": str(HOME / "dlt")} | asked
    _run([_python("dlt"), str(FOLDER / "dlt" / "walk.py")], told, stderr=_log("dlt"))


def _told(walk: Walk, name: str) -> dict[str, str]:
    fields = {stream.value: FIELDS[stream] for stream in Stream}
    if name == "tap":
        fields["insights"] = f"account_id,{INSIGHT_FIELDS[Level.AD]}"  # its key has it
    return {
        "PEER_URL": walk.url,
        "PEER_TOKEN": walk.token,
        "PEER_ACCOUNT": walk.account.removeprefix("act_"),
        "PEER_FIELDS": orjson.dumps(fields).decode(),
        "PEER_STATUSES": orjson.dumps({stream.value: STATUSES[stream] for stream in Stream}).decode(),
        "PEER_STATE": str(_state(name)),
    }


def _state(name: str) -> Path:
    return HOME / f"{name}-state.json"


def _python(name: str) -> str:
    return str(ENVIRONMENTS / name / "bin" / "python")


def _dsn(scheme: str) -> str:
    """dlt wants a password, which a server that trusts everybody never asks for."""
    server = os.environ["DATABASE_URL"].partition("://")[2].rpartition("/")[0]
    user, _, place = server.rpartition("@")
    user = user if ":" in user else f"{user or 'postgres'}:unused"
    return f"{scheme}://{user}@{place}/{DATABASE}"


def _log(name: str) -> int:
    path = HOME / "logs" / f"{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def _run(command: list[str], told: Mapping[str, str], **pipes: Any) -> None:
    done = subprocess.run(command, env={**os.environ, **told}, check=False, **pipes)
    assert done.returncode == 0, f"{command[-1]} failed; see the benchmark's logs"
