"""The demo login: what `make up` prints and keeps in up.json, readable by its owner only."""

import json
import os
from pathlib import Path
from typing import NamedTuple


class Login(NamedTuple):
    """Where AdTiger answers, and what opens it."""

    url: str
    username: str
    password: str
    token: str

    @classmethod
    def read(cls, home: Path) -> "Login | None":
        """What was written last; None when nothing usable was."""
        try:
            return cls(**json.loads(_file(home).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, home: Path) -> None:
        """Keep it for the next start and for scripts."""
        draft = _file(home).with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(self._asdict(), indent=2) + "\n")
        draft.replace(_file(home))


def _file(home: Path) -> Path:
    return home / "up.json"
