"""How long something takes in this process."""

import statistics
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def timed(act: Callable[[], T]) -> tuple[T, float]:
    """What it gives, and its milliseconds."""
    begun = time.perf_counter()
    return act(), (time.perf_counter() - begun) * 1000


def median(act: Callable[[], object], times: int) -> float:
    """Milliseconds of so many; the first one, which connects and loads, is not counted. None may be empty."""
    found, taken = zip(*(timed(act) for _ in range(times + 1)), strict=True)
    assert all(found), "it found nothing"
    return float(statistics.median(taken[1:]))
