"""The cursor of a walk through Meta's edges survives being stored, and is never taken for another's."""

import pytest

from providers.errors import CursorExpired
from providers.meta.cursor import Cursor


@pytest.mark.parametrize("cursor", [Cursor(0, "QVFIUabc:def=="), Cursor(3, ""), Cursor(12, "x")])
def test_a_cursor_is_read_back_as_it_was(cursor: Cursor) -> None:
    assert Cursor.decode(cursor.encode(), slices=13) == cursor


def test_no_cursor_is_the_beginning() -> None:
    assert Cursor.decode(None, slices=1) == Cursor(0, "")


def test_a_page_is_followed_by_the_next_one_of_its_slice() -> None:
    assert Cursor(1, "a").following("b", slices=3) == Cursor(1, "b")


def test_the_last_page_of_a_slice_is_followed_by_the_next_slice() -> None:
    assert Cursor(1, "a").following("", slices=3) == Cursor(2, "")


def test_the_last_page_of_the_last_slice_is_the_end() -> None:
    assert Cursor(2, "a").following("", slices=3) is None


@pytest.mark.parametrize("text", ["", "a:b", "-1:x", "3:x"])
def test_a_cursor_of_another_selection_has_expired(text: str) -> None:
    with pytest.raises(CursorExpired):
        Cursor.decode(text, slices=3)
