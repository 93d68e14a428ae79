"""From places in the queue to times."""

from datetime import timedelta

import pytest

from sync.ledger.pace import Pace

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("slots", "busy", "ahead", "turns"),
    [
        (2, 0, 0, 0),  # a free slot
        (2, 0, 1, 0),  # another takes the first, this one the second
        (2, 0, 2, 0.5),  # the next slot to fall free: one of two, each after a turn
        (2, 2, 0, 0.5),
        (2, 2, 3, 2),  # the fourth to fall free
        (1, 1, 9, 10),
        (1, 3, 0, 1),  # slots were taken away: those that run still count
    ],
)
def test_a_start_waits_for_those_ahead(slots: int, busy: int, ahead: int, turns: float) -> None:
    pace = Pace(slots=slots, busy=busy, turn=10 * SECOND, due={})

    assert pace.until_start(ahead) == 10 * turns * SECOND


def test_a_newcomer_starts_after_better_classes_and_one_of_each_account() -> None:
    pace = Pace(slots=1, busy=1, turn=SECOND, due={0: (3, 1), 1: (1_000, 2), 2: (50, 50)})

    assert [pace.ahead_of_newcomer(rank) for rank in (0, 1, 2)] == [1, 5, 1_053]
