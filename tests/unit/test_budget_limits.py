"""Windows and limits: what a reserve leaves, and how they are put into words."""

import pytest

from providers.budget import Limit, Window


@pytest.mark.parametrize(
    ("calls", "reserve", "left"),
    [
        (10, 0.2, 8),
        (200, 0.2, 160),
        (5, 0.2, 4),
        (4, 0.2, 3),  # 3.2 rounds down: what is reserved is never less than promised
        (10, 0.7, 3),  # 10 x 0.3 is 3.0000000000000004
        (10, 0.9, 1),  # 10 x (1 - 0.9) is 0.9999999999999998
        (1, 0.2, 1),  # a pause between calls holds for everybody, and nothing stops for good
        (3, 1.0, 1),
        (7, 0.0, 7),
    ],
)
def test_a_reserve_leaves_a_whole_number_of_calls_and_at_least_one(
    calls: int, reserve: float, left: int
) -> None:
    assert Window(calls, 60).within(reserve) == Window(left, 60)


def test_a_reserve_is_kept_in_every_window() -> None:
    limit = Limit("connection:meta:act_1", "act_1", (Window(10, 60), Window(200, 3600)))

    assert limit.within(0.2) == limit._replace(windows=(Window(8, 60), Window(160, 3600)))


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (Window(10, 60), "10 calls a minute"),
        (Window(200, 3600.0), "200 calls an hour"),
        (Window(15_000, 86_400), "15000 calls a day"),
        (Window(3, 600), "3 calls in 600 s"),
        (Window(1, 0.1), "1 call in 0.1 s"),
    ],
)
def test_a_window_is_put_into_words(window: Window, words: str) -> None:
    assert str(window) == words


@pytest.mark.parametrize(("calls", "seconds"), [(0, 60), (-1, 60), (1, 0), (1, -0.1)])
def test_a_window_through_which_nothing_passes_is_refused(calls: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="lets at least one call through"):
        Window(calls, seconds)
