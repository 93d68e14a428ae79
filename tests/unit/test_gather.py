"""Pages that arrive fast become one chunk; nothing is lost, doubled or held back."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from providers.records import Page
from sync.engine import gather
from sync.engine.gather import gathered


def pages(
    number: int, *, total: int | None = None, fails: bool = False, seconds: float = 0.0
) -> Iterator[Page]:
    for n in range(number):
        time.sleep(seconds)
        is_last = n == number - 1 and not fails
        yield Page([f"row {n}"], None if is_last else f"after {n}", total if n == 0 else None)  # type: ignore[list-item]  # no record is looked into
    if fails:
        raise ConnectionError


def rows(found: list[Page]) -> list[Any]:
    return [record for page in found for record in page.records]


@pytest.mark.parametrize("number", [1, 2, gather.MOST_PAGES, gather.MOST_PAGES + 1, 50])
def test_all_rows_come_in_order_in_fewer_pages(number: int) -> None:
    found = list(gathered(pages(number)))

    assert rows(found) == [f"row {n}" for n in range(number)]
    assert [page.cursor is None for page in found] == [False] * (len(found) - 1) + [True]
    assert len(found) == -(-number // gather.MOST_PAGES)


def test_each_page_that_takes_its_time_is_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "MOST_SECONDS", 0.01)

    assert len(list(gathered(pages(5, seconds=0.02)))) == 5


def test_what_was_read_before_an_error_is_not_lost() -> None:
    reading, found = gathered(pages(3, fails=True)), []

    found.append(next(reading))
    with pytest.raises(ConnectionError):
        next(reading)

    assert rows(found) == ["row 0", "row 1", "row 2"]
    assert found[-1].cursor == "after 2"


def test_how_much_is_to_come_is_told_at_once() -> None:
    first, *_ = gathered(pages(20, total=10_000))

    assert (rows([first]), first.expected_total) == (["row 0"], 10_000)
