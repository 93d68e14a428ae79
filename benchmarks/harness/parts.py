"""Whose processor time a part of the work takes: the worker's thread, its PostgreSQL process, Valkey.

Parts lie in each other; what an inner one takes is not the outer one's. The servers are idle but for this
worker, so what they use between two looks is what the part made them do.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from unittest import mock

REST = "the rest"


class Part(NamedTuple):
    """Functions, methods or context managers that are one part, as `module:name` or `module:Class.name`."""

    name: str
    places: Sequence[str]


class Clocks:
    """Nanoseconds on a processor: of the calling thread, and of processes by their open files in /proc."""

    def __init__(self, files: Sequence[int]) -> None:
        self._files = files

    def read(self) -> list[int]:
        """The thread first. A look costs about a microsecond."""
        others = [int(os.pread(file, 64, 0).split(b" ", 1)[0]) for file in self._files]
        return [time.thread_time_ns(), *others]


@contextmanager
def opened(processes: Sequence[int]) -> Iterator[Clocks]:
    """The clocks of this thread and these processes, for the length of a `with` block."""
    with ExitStack() as files:
        paths = [Path(f"/proc/{process}/schedstat") for process in processes]
        yield Clocks([files.enter_context(path.open("rb")).fileno() for path in paths])


class Parts:
    """Adds up what each part uses, by name and clock, while it is `watching`."""

    def __init__(self, clocks: Clocks, parts: Sequence[Part]) -> None:
        self._clocks = clocks
        self._parts = parts
        self._open = [REST]
        self._last = clocks.read()
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.used = {part.name: [0] * len(self._last) for part in (*self._parts, Part(REST, ()))}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """For the length of a `with` block, in one thread."""
        with ExitStack() as patches:
            for part in self._parts:
                for owner, name in map(_found, part.places):
                    watched = self._watched(part.name, getattr(owner, name))
                    patches.enter_context(mock.patch.object(owner, name, watched))
            self._last = self._clocks.read()
            yield
            self._look()

    def enter(self, name: str) -> None:
        """From here on, what is used is this part's."""
        self._look()
        self._open.append(name)

    def leave(self) -> None:
        """It is the outer part's again."""
        self._look()
        self._open.pop()

    def _look(self) -> None:
        now, used = self._clocks.read(), self.used[self._open[-1]]
        for place, (after, before) in enumerate(zip(now, self._last, strict=True)):
            used[place] += after - before
        self._last = now

    def _watched(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.enter(name)
            try:
                result = function(*args, **kwargs)
            finally:
                self.leave()
            return _Watched(self, name, result) if isinstance(result, AbstractContextManager) else result

        return call


class _Watched:
    """A context manager whose beginning and end are a part; what it is around is not."""

    def __init__(self, parts: Parts, name: str, manager: AbstractContextManager[Any]) -> None:
        self._parts, self._name, self._manager = parts, name, manager

    def __enter__(self) -> Any:
        self._parts.enter(self._name)
        try:
            return self._manager.__enter__()
        finally:
            self._parts.leave()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        self._parts.enter(self._name)
        try:
            return self._manager.__exit__(kind, error, trace)
        finally:
            self._parts.leave()


def _found(place: str) -> tuple[Any, str]:
    """What holds the name."""
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    owner: Any = import_module(module)
    for one in owners:
        owner = getattr(owner, one)
    return owner, name
