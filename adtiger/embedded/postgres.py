"""An embedded PostgreSQL below one folder: start, find again, stop.

Guarantee: a URL is given out only for a server that answers and has our data. It listens on
127.0.0.1 only (no Unix socket) and trusts every local user: fit for a laptop and for tests, not for
a machine that others use.
"""

import os
import re
import shutil
import subprocess
import time
from hashlib import sha256
from pathlib import Path

import psycopg

from adtiger.embedded import binaries, ports
from adtiger.embedded.account import RunAs, said
from adtiger.embedded.errors import EmbeddedError, with_log

_NAME = "adtiger"  # of the database and of its superuser
_OUTSIDE = Path("/var/lib/adtiger")  # where root's PostgreSQL goes when its user can't enter our folder
_CONNECT_SECONDS = 2  # the shortest that libpq knows
_RETRY_SECONDS = 20  # after kill -9 the children need some seconds to end; before that a start fails
_PAUSE_SECONDS = 0.3
_SETTINGS = (
    "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c timezone=UTC -c log_timezone=UTC "
    "-c max_connections=100 -c shared_buffers=128MB -c wal_compression=on"
)
_NOT_DURABLE = " -c fsync=off -c full_page_writes=off"  # killing it still loses nothing: the kernel has it


class Postgres:
    """The server that keeps its data for one home."""

    label = "PostgreSQL"

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.folder = home / "postgres"
        self._durable = durable
        # a stable name, so that the data is found again
        self._outside = _OUTSIDE / f"{home.parent.name}-{sha256(bytes(home)).hexdigest()[:12]}"

    def url(self) -> str | None:
        """The URL, if our server answers; None otherwise."""
        port = self._written_port()
        if port is None or not self._serves(port, _NAME):
            return None
        return f"postgresql://{_NAME}@{ports.HOST}:{port}/{_NAME}"

    def start(self, lock: int) -> str:
        """Start the server; `lock` is held by the caller and lent to what must not run twice."""
        account, programs = self._prepare(lock)
        deadline = time.monotonic() + _RETRY_SECONDS
        reason = "it runs, but does not answer"
        while (url := self._ready_url()) is None:
            if time.monotonic() > deadline:
                hint = "Or set DATABASE_URL to a server of your own."
                raise EmbeddedError(with_log(f"PostgreSQL does not start: {reason}. {hint}", self._log))
            self._forget_dead_postmaster()
            options = f"-p {ports.choose(self.folder)} {_SETTINGS}{'' if self._durable else _NOT_DURABLE}"
            result = self._control(account, programs, "start", "-l", str(self._log), "-o", options)
            if result.returncode != 0:
                reason = said(result)
                time.sleep(_PAUSE_SECONDS)
        return url

    def stop(self, lock: int) -> None:
        """End the server, letting it write a checkpoint; does nothing when ours does not answer."""
        if self.url() is None:
            return
        account, programs = self._prepare(lock)
        result = self._control(account, programs, "stop", "-m", "fast")
        if result.returncode != 0:
            raise EmbeddedError(with_log(f"PostgreSQL does not stop: {said(result)}", self._log))

    @property
    def _data(self) -> Path:
        """Where the data lies: below our folder, unless root had to put it elsewhere."""
        place = self._outside if os.geteuid() == 0 and self._outside.exists() else self.folder
        return place / "data"

    @property
    def _log(self) -> Path:
        return self._data / "server.log"

    def _prepare(self, lock: int) -> tuple[RunAs, Path]:
        """Whom to run as, and the programs that this user can run; makes the data if there is none."""
        account = RunAs.for_data(self._data)
        programs = binaries.postgres_bin()
        if not account.can_run(programs / "postgres"):
            programs = binaries.copy_postgres(_OUTSIDE)
        if not account.can_enter(self._data.parent):
            self._move_out()
        if not self._data.exists():
            self._create(account, programs, lock)
        return account, programs

    def _move_out(self) -> None:
        """Have the data outside of our folder, which PostgreSQL's user can't enter."""
        if self._data.exists():
            raise EmbeddedError(
                f"The owner of {self._data} can't enter {self._data.parent} any more: let it in."
            )
        for folder in (_OUTSIDE, self._outside):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)  # root's umask may hide new folders from others
        (self.folder / "data-lies-in.txt").write_text(f"{self._outside}\n")

    def _create(self, account: RunAs, programs: Path, lock: int) -> None:
        """Make the data folder; one that a kill left half done is made anew."""
        draft = self._data.with_name("data.new")
        if draft.exists():
            shutil.rmtree(draft)
        account.own(draft)
        command = [str(programs / "initdb"), "-D", str(draft), "-U", _NAME, "-A", "trust", "-E", "UTF8"]
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]  # same everywhere
        if not self._durable:
            command.append("--no-sync")
        result = account.run(command, cwd=draft.parent, pass_fds=[lock])
        if result.returncode != 0:
            raise EmbeddedError(f"PostgreSQL's data can't be made in {draft.parent}: {said(result)}")
        draft.rename(self._data)

    def _control(self, account: RunAs, programs: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(programs / "pg_ctl"), *arguments, "-w", "-s", "-D", str(self._data)]
        return account.run(command, cwd=self._data.parent)

    def _written_port(self) -> int | None:
        """The port in the pid file that a starting server writes (its fourth line)."""
        try:
            return int((self._data / "postmaster.pid").read_text().splitlines()[3])
        except (OSError, ValueError, IndexError):
            return None

    def _serves(self, port: int, database: str, *statements: str) -> bool:
        """Whether a server with our data answers; it runs the statements, too."""
        try:
            with _connect(port, database) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
                if row is None or Path(row[0]).resolve() != self._data.resolve():
                    return False
                for statement in statements:
                    connection.execute(statement)
        except psycopg.errors.DuplicateDatabase:
            return True
        except psycopg.OperationalError:
            return False
        return True

    def _ready_url(self) -> str | None:
        """The URL once the server answers, its database made where it is missing."""
        port = self._written_port()
        if port and self.url() is None:
            self._serves(port, "postgres", f"CREATE DATABASE {_NAME}")
        return self.url()

    def _forget_dead_postmaster(self) -> None:
        """Remove the pid file of a server that can't be running.

        PostgreSQL believes any process with that pid: a zombie that no init reaps, or a stranger
        after the machine restarted. Its shared memory still guards the data if we were wrong.
        """
        pid_file = self._data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split(maxsplit=1)[0])
            name, state = re.findall(r"\((.*)\) (\w)", Path(f"/proc/{pid}/stat").read_text())[0]
        except (OSError, ValueError, IndexError):
            return  # no such process (PostgreSQL sees that itself), or no /proc
        if state == "Z" or name != "postgres":
            pid_file.unlink()


def _connect(port: int, database: str) -> psycopg.Connection[tuple[str, ...]]:
    return psycopg.connect(
        host=ports.HOST,
        port=port,
        user=_NAME,
        dbname=database,
        connect_timeout=_CONNECT_SECONDS,
        autocommit=True,
        sslmode="disable",
        gssencmode="disable",
    )
