"""Run the servers' programs, and as which system user: PostgreSQL refuses to run as root.

As root an unprivileged user that exists already is taken; no user is made and no folder that is not
ours gets other rights. Where that user can't go is found out by trying it, not by reading modes.
"""

import os
import pwd
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from adtiger.embedded.errors import EmbeddedError

_CANDIDATES = ("postgres", "nobody")
_SHOWN = 2000  # characters of a failed program's output: its reason is at the end
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}  # no PGDATA, PGPORT, … of the caller


class RunAs(NamedTuple):
    """A system user to run programs as, or nobody else than ourselves."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def for_data(cls, data: Path) -> "RunAs":
        """The owner of existing data, else the first unprivileged user there is; ourselves if not root."""
        if os.geteuid() != 0:
            return cls()
        if data.exists():
            return cls(data.stat().st_uid, data.stat().st_gid)
        known = {user.pw_name: user for user in pwd.getpwall()}
        for name in _CANDIDATES:
            if name in known:
                return cls(known[name].pw_uid, known[name].pw_gid)
        raise EmbeddedError(
            f"PostgreSQL can't run as root and there is no user {' or '.join(_CANDIDATES)}. "
            "Run AdTiger as a normal user, or set DATABASE_URL."
        )

    def own(self, folder: Path) -> None:
        """Make a folder that only this user enters."""
        folder.mkdir(mode=0o700)
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)

    def can_run(self, program: Path) -> bool:
        """Whether this user can run the program where it lies."""
        return self._succeeds([str(program), "--version"])

    def can_enter(self, folder: Path) -> bool:
        """Whether this user can go into the folder."""
        return self._succeeds(["/bin/sh", "-c", 'cd "$0"', str(folder)])

    def _succeeds(self, command: Sequence[str]) -> bool:
        try:
            return self.run(command, cwd=Path("/")).returncode == 0
        except EmbeddedError:
            return False

    def run(
        self, command: Sequence[str], *, cwd: Path, pass_fds: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as this user, with a clean environment."""
        others: Sequence[int] | None = None if self.uid is None else []
        try:
            return subprocess.run(  # noqa: S603  (our own programs with our own arguments)
                command,
                cwd=cwd,
                env=_ENVIRONMENT,
                user=self.uid,
                group=self.gid,
                extra_groups=others,
                pass_fds=pass_fds,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
        except OSError as exc:
            raise EmbeddedError(f"{command[0]} can't be run: {exc.strerror}.") from exc


def said(result: subprocess.CompletedProcess[str]) -> str:
    """What a program printed, shortened."""
    return result.stdout.strip()[-_SHOWN:]
