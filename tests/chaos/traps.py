"""Places in a run where its process can be made to end itself, as `kill -9` does.

Imported by the workers of chaos only. A trap is set by a file of its name; whoever comes by first
removes the file and dies, so each kills once. A place that was renamed stops the worker's start.
"""

import os
import signal
from collections.abc import Callable, Iterable
from functools import wraps
from importlib import import_module
from pathlib import Path
from threading import Timer
from typing import Any, NamedTuple

from django.conf import settings

FOLDER = Path(settings.HOME) / "traps"
IN_FLIGHT_SECONDS = 0.03  # the scenario's platform takes several times as long for an answer

Action = Callable[..., Any]


class Trap(NamedTuple):
    """Where it lies, and how the function there is wrapped."""

    module: str
    function: str
    around: Callable[[str, Action], Action]


def before(name: str, action: Action) -> Action:
    """Die as the function is entered."""

    @wraps(action)
    def trapped(*args: Any, **kwargs: Any) -> Any:
        _spring(name)
        return action(*args, **kwargs)

    return trapped


def after(name: str, action: Action) -> Action:
    """Die as the function returns."""

    @wraps(action)
    def trapped(*args: Any, **kwargs: Any) -> Any:
        result = action(*args, **kwargs)
        _spring(name)
        return result

    return trapped


def after_result(name: str, action: Action) -> Action:
    """The same, unless it had nothing to return."""

    @wraps(action)
    def trapped(*args: Any, **kwargs: Any) -> Any:
        result = action(*args, **kwargs)
        if result is not None:
            _spring(name)
        return result

    return trapped


def during(name: str, action: Action) -> Action:
    """Die a moment after the function was entered, while it waits for the platform."""

    @wraps(action)
    def trapped(*args: Any, **kwargs: Any) -> Any:
        if _is_taken(name):
            Timer(IN_FLIGHT_SECONDS, _die).start()
        return action(*args, **kwargs)

    return trapped


TRAPS = {
    "after the claim": Trap("sync.engine.drain", "claim", after_result),
    "between budget and call": Trap("providers.http", "send", before),
    "during the call": Trap("providers.http", "send", during),
    "between rows and checkpoint": Trap("sync.engine.copy", "_advance", before),
    "after the chunk's commit": Trap("sync.engine.copy", "_commit", after),
    "between second look and marks": Trap("sync.engine.remove", "_mark", before),
    "before the finish": Trap("sync.engine.execute", "_succeed", before),
    "after the finish": Trap("sync.engine.execute", "_succeed", after),
    "before the next claim": Trap("sync.engine.drain", "execute", after),
}


def set_traps(names: Iterable[str]) -> None:
    """Whoever comes by next dies; a trap that is set already stays as it is."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names:
        (FOLDER / name).touch()


def sprung() -> set[str]:
    """The traps that are not set: those that killed, once all were set."""
    return {name for name in TRAPS if not (FOLDER / name).exists()}


def clear_traps() -> None:
    """Nobody dies any more."""
    for name in TRAPS:
        (FOLDER / name).unlink(missing_ok=True)


def lay() -> None:
    """Wrap the functions, in a worker."""
    for name, trap in TRAPS.items():
        module = import_module(trap.module)
        setattr(module, trap.function, trap.around(name, getattr(module, trap.function)))


def _spring(name: str) -> None:
    if _is_taken(name):
        _die()


def _is_taken(name: str) -> bool:
    try:
        (FOLDER / name).unlink()
    except FileNotFoundError:
        return False
    return True


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
