"""How often Google's ad accounts can be synced."""

from datetime import timedelta

import pytest

from sync.google.pace import interval_for
from sync.google.quota import Quota
from sync.models.google import DAY

HOUR = timedelta(hours=1)
BASIC = Quota.of(15_000, reserve=0.2, weight=1, weights=1).planned
EXPLORER = Quota.of(2_880, reserve=0.2, weight=1, weights=1).planned


@pytest.mark.parametrize(
    ("connections", "operations", "planned", "interval"),
    [
        (0, 3.0, BASIC, HOUR),
        (1, 3.0, BASIC, HOUR),
        (135, 3.0, BASIC, HOUR),  # 9,720 of 9,750 operations
        (136, 3.0, BASIC, timedelta(hours=1, minutes=5)),
        (1_000, 3.0, BASIC, timedelta(hours=7, minutes=25)),
        (1_000, 4.5, BASIC, timedelta(hours=11, minutes=5)),
        (1_000, 3.0, EXPLORER, timedelta(days=1, hours=14, minutes=30)),
        (10_000, 3.0, BASIC, timedelta(days=3, hours=1, minutes=55)),
        (26, 3.0, EXPLORER, HOUR),
        (1, 3.0, 1, 3 * DAY),
    ],
)
def test_the_interval_is_the_shortest_that_the_day_allows(
    connections: int, operations: float, planned: int, interval: timedelta
) -> None:
    assert interval_for(connections=connections, operations_per_sync=operations, planned=planned) == interval


def test_the_plan_leaves_room_below_every_limit() -> None:
    quota = Quota.of(15_000, reserve=0.2, weight=1, weights=1)

    assert (quota.planned, quota.alert, quota.lent, quota.most) == (9_750, 10_500, 10_500, 12_000)
