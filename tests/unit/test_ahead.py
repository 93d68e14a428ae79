"""The next chunk is read while one is committed, and nothing is read that nobody will commit."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from providers.records import Page
from sync.engine import ahead
from sync.engine.ahead import read_ahead
from sync.engine.chunk import GaveWay
from sync.engine.stopping import WorkerStops

PATIENCE = 5.0  # seconds that a page may take to be read


class Platform:
    """Its pages, and which of them were read."""

    def __init__(self, number: int, *, fails_behind: int | None = None) -> None:
        self.number, self.fails_behind = number, fails_behind
        self.read = [threading.Event() for _ in range(number)]
        self.threads: set[str] = set()

    def pages(self) -> Iterator[Page]:
        for n in range(self.number):
            if n == self.fails_behind:
                raise ConnectionError
            self.threads.add(threading.current_thread().name)
            self.read[n].set()
            yield Page([], None if n == self.number - 1 else f"after {n}", None)

    def were_read(self) -> int:
        return sum(page.is_set() for page in self.read)


def slot(*leaving: Exception | None) -> Any:
    """A turn that is asked to leave, or not, once per page; then no more."""
    answers = iter(leaving)
    return SimpleNamespace(leaving=lambda: next(answers, None))


def test_the_next_page_is_read_while_one_is_committed() -> None:
    platform = Platform(4)

    for place, _ in enumerate(read_ahead(slot(), platform.pages(), behind_first=True)):
        if place < 3:
            assert platform.read[place + 1].wait(PATIENCE), "nobody reads while this one is committed"

    assert platform.were_read() == 4
    assert platform.threads == {"MainThread", "read ahead"}


def test_the_first_page_may_be_waited_for() -> None:
    platform = Platform(3)
    pages = read_ahead(slot(), platform.pages(), behind_first=False)

    next(pages)
    assert not platform.read[1].wait(0.05)
    next(pages)
    assert platform.read[2].wait(PATIENCE)


def test_nothing_is_read_for_a_slot_that_is_to_be_left() -> None:
    platform, leaving = Platform(4), GaveWay("a person", keeps_age=True)
    pages = read_ahead(slot(None, leaving), platform.pages(), behind_first=True)

    committed = [next(pages), next(pages)]
    with pytest.raises(GaveWay):
        next(pages)

    assert len(committed) == 2
    assert not platform.read[2].wait(0.2)


def test_a_worker_that_stops_meanwhile_commits_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = read_ahead(slot(), Platform(4).pages(), behind_first=True)
    next(pages)
    monkeypatch.setattr(ahead, "stop_asked", lambda: True)

    with pytest.raises(WorkerStops):
        next(pages)


def test_an_error_comes_behind_what_was_read_before_it() -> None:
    pages = read_ahead(slot(), Platform(4, fails_behind=2).pages(), behind_first=True)

    assert [next(pages).cursor, next(pages).cursor] == ["after 0", "after 1"]
    with pytest.raises(ConnectionError):
        next(pages)


@pytest.mark.parametrize("number", [1, 2])
def test_a_reading_of_one_page_needs_no_thread(number: int) -> None:
    platform = Platform(number)

    assert len(list(read_ahead(slot(), platform.pages(), behind_first=True))) == number
    assert ("read ahead" in platform.threads) == (number > 1)


def test_the_thread_ends_with_the_reading() -> None:
    pages = read_ahead(slot(), Platform(4).pages(), behind_first=True)
    next(pages)
    [reader] = [thread for thread in threading.enumerate() if thread.name == "read ahead"]

    del pages  # a commit failed

    reader.join(PATIENCE)
    assert not reader.is_alive()
