"""The next chunk is read while one is committed: neither platform nor database waits for the other.

Guarantee: whether the slot is to be left is asked before the next chunk is begun, so nothing is read for
nothing; only what happens during the commit (a cancel, a lost lease, a worker's stop, a failure) costs the
chunk that was read ahead.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from contextvars import copy_context
from queue import SimpleQueue
from typing import Generic, TypeVar

from django.db import connections

from providers.records import InsightPage, Page
from sync.engine.stopping import WorkerStops, stop_asked
from sync.engine.turn import Turn

P = TypeVar("P", Page, InsightPage)


def read_ahead(turn: Turn, pages: Iterator[P], *, behind_first: bool) -> Iterator[P]:
    """The same chunks, to be committed one by one; between two of them it raises what `Turn.check` does.

    `behind_first` is whether to go on while the first one is committed: not where that tells how much is to
    come, for then the reading may be planned anew.
    """
    may_go_on = behind_first
    with closing(_Reader(pages)) as reader:
        page = reader.first()
        while page is not None:
            leaving = turn.leaving() if page.cursor is not None else None
            goes_on = page.cursor is not None and leaving is None
            ahead = reader.next() if goes_on and may_go_on else None
            yield page
            if page.cursor is None:
                return
            if leaving or stop_asked():
                raise leaving or WorkerStops
            page, may_go_on = (ahead or reader.next()).result(), True


class _Reader(Generic[P]):
    """Reads all chunks but the first in a thread of its own; then nobody else may use the client."""

    def __init__(self, pages: Iterator[P]) -> None:
        self._pages: Iterator[P] = pages
        self._asked: SimpleQueue[Future[P | None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def first(self) -> P | None:
        """Read in the caller's thread: a reading of one chunk needs no other."""
        return next(self._pages, None)

    def next(self) -> Future[P | None]:
        """The next chunk, None behind the last one, or what the client raises."""
        if self._thread is None:
            context = copy_context()  # who listens for drift, and what log lines are about
            self._thread = threading.Thread(
                target=context.run, args=(self._read,), name="read ahead", daemon=True
            )
            self._thread.start()
        future: Future[P | None] = Future()
        self._asked.put(future)
        return future

    def close(self) -> None:
        """End the reading; a chunk that is under way ends by itself, for nobody waits for it."""
        self._asked.put(None)

    def _read(self) -> None:
        try:
            while future := self._asked.get():
                try:
                    future.set_result(next(self._pages, None))
                except BaseException as exc:  # noqa: BLE001  (raised again where the chunk is asked for)
                    future.set_exception(exc)
        finally:
            connections.close_all()  # this thread's: a budget may have asked the database
