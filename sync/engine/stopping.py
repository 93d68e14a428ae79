"""Whether this worker is to stop: its parent says so, its children look between two pages.

A byte of memory that the parent shares with the children which it forks: it needs no server, and also
reaches a child that is started while the worker stops.
"""

import mmap

_asked = mmap.mmap(-1, 1)  # anonymous and shared


class WorkerStops(Exception):
    """The worker is to stop, and the last chunk is committed: another one goes on from there."""


def ask_to_stop() -> None:
    """Tell all children, those of later included. Safe in a signal's handler."""
    _asked[0] = 1


def stop_asked() -> bool:
    """Whether this worker was told to stop."""
    return _asked[0] == 1
