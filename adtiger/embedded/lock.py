"""File locks that the kernel gives back when their holder dies, however it dies.

A lock belongs to the open file, so a child that inherits the descriptor keeps it held: whether a
server or an `initdb` whose starter was killed still lives is told by its lock, never by a pid.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adtiger.embedded.errors import EmbeddedError

_POLL_SECONDS = 0.05


@contextmanager
def hold(path: Path, *, patience: float, otherwise: str) -> Iterator[int]:
    """Hold the lock; yields its descriptor. EmbeddedError(otherwise) after `patience` seconds."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + patience
        while not _taken(descriptor):
            if time.monotonic() > deadline:
                raise EmbeddedError(otherwise)
            time.sleep(_POLL_SECONDS)
        yield descriptor
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock at this moment."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _taken(descriptor)
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
