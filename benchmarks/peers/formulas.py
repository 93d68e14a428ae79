"""How many calls other connectors make for a Meta account, computed from what their published code does.

Not run here: Airbyte needs containers, and dlt's facebook_ads is no package. Each answer counts as one call,
batched ones singly, as Meta counts. P polls of a report are taken as three.
"""

from math import ceil
from typing import NamedTuple

POLLS = 3


class Size(NamedTuple):
    """Of an account, and the days of metrics that are asked for."""

    campaigns: int
    ad_groups: int
    ads: int
    days: int


def pages(rows: int, limit: int) -> int:
    """An empty list is a page, too."""
    return max(1, ceil(rows / limit))


def _entities(size: Size, limit: int) -> int:
    return sum(pages(rows, limit) for rows in size[:3])


def airbyte(size: Size) -> int:
    """source-facebook-marketing: pages of 100, a report a day with pages of 100 (its throttle's probes left
    out)."""
    return 1 + _entities(size, 100) + size.days * (1 + POLLS + pages(size.ads, 100))


def dlt(size: Size) -> int:
    """facebook_ads as shipped: pages of 50, a report a day with eight days of overlap."""
    return 1 + _entities(size, 50) + (size.days + 8) * (1 + POLLS + pages(size.ads, 50))


def floor(size: Size) -> int:
    """Pages of 500 and one report of one level for all days: what a connector can't do without."""
    return 1 + _entities(size, 500) + 1 + POLLS + pages(size.ads * size.days, 500)


def floor_of_tick(size: Size) -> int:
    """Nothing edited, and three days of one level read again: three filtered lists and the metrics."""
    return 3 + pages(3 * size.ads, 500)
