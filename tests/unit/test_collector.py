"""While a worker syncs, the collector leaves its pages alone; before and after it is as it was."""

import gc

import pytest

from sync.engine import drain as draining
from sync.engine.collector import NEW_OBJECTS, seldom_collecting


def test_a_drain_is_seldom_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    before, found = gc.get_threshold(), list[int]()
    monkeypatch.setattr(draining, "claim", lambda *_, **__: found.append(gc.get_threshold()[0]))

    draining.drain("meta", "", worker="w")

    assert found == [NEW_OBJECTS]
    assert gc.get_threshold() == before


def test_it_is_as_it_was_after_an_error() -> None:
    before = gc.get_threshold()

    with pytest.raises(ZeroDivisionError), seldom_collecting():
        _ = 1 / 0

    assert gc.get_threshold() == before


def test_who_looks_even_less_often_is_left_alone() -> None:
    before = gc.get_threshold()
    gc.set_threshold(10 * NEW_OBJECTS, *before[1:])
    try:
        with seldom_collecting():
            assert gc.get_threshold()[0] == 10 * NEW_OBJECTS
    finally:
        gc.set_threshold(*before)
