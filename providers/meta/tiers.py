"""What Meta's documentation allows per access tier, under the names that its headers give the tiers.

The documentation calls them Limited and Full. Its hourly figures for the use cases grow with the ad
account's active ads; here they are the least that it promises.
"""

from typing import NamedTuple

from providers.meta.usage import ADS_INSIGHTS, ADS_MANAGEMENT, HOUR, SCORE_SPAN

Windows = tuple[tuple[int, float], ...]  # calls, seconds


class Tier(NamedTuple):
    """The limits of one ad account."""

    score: int  # in `SCORE_SPAN`; a read is one point
    block_seconds: float  # how long a spent score blocks
    per_hour: dict[str, int]  # calls, by use case


TIERS = {
    "development_access": Tier(60, 300.0, {ADS_MANAGEMENT: 300, ADS_INSIGHTS: 600}),
    "standard_access": Tier(9_000, 60.0, {ADS_MANAGEMENT: 100_000, ADS_INSIGHTS: 190_000}),
}
LONGEST_BLOCK = max(tier.block_seconds for tier in TIERS.values())  # when the tier is not told


def windows_of(tier: str, use_case: str = "") -> Windows:
    """An ad account's windows, or those of one of its use cases; none in a tier that is not known."""
    known = TIERS.get(tier)
    if known is None:
        return ()
    if not use_case:
        return ((known.score, SCORE_SPAN),)
    return ((known.per_hour[use_case], HOUR),) if use_case in known.per_hour else ()
