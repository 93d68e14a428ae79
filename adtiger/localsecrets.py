"""Secrets that a laptop makes for itself, so that nobody has to invent them to try AdTiger.

Kept below `.adtiger/` (readable by the owner only), so that sessions and encrypted tokens survive
a restart. Never used in production, where an unset secret is an error.
"""

import os
from pathlib import Path

from cryptography.fernet import Fernet


def local_secret(home: Path, name: str) -> str:
    """The secret called `name`, made at the first call. Two first callers get the same one."""
    path = home / "secrets" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"{name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_bytes(Fernet.generate_key())
        try:
            os.link(draft, path)  # fails when another process was first: then its secret counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()
