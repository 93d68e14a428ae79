"""The words of Meta's that are known are those of its own SDK: a newer one tells what to add."""

from typing import Any

import pytest
from facebook_business.adobjects.ad import Ad
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.campaign import Campaign

from providers.meta.known import KNOWN
from providers.records import Stream


def words(enum: Any) -> set[str]:
    return {value for name, value in vars(enum).items() if not name.startswith("_")}


@pytest.mark.parametrize(
    ("stream", "path", "enum"),
    [
        (Stream.CAMPAIGNS, "effective_status", Campaign.EffectiveStatus),
        (Stream.CAMPAIGNS, "objective", Campaign.Objective),
        (Stream.CAMPAIGNS, "bid_strategy", Campaign.BidStrategy),
        (Stream.AD_GROUPS, "effective_status", AdSet.EffectiveStatus),
        (Stream.AD_GROUPS, "bid_strategy", AdSet.BidStrategy),
        (Stream.ADS, "effective_status", Ad.EffectiveStatus),
    ],
)
def test_the_known_words_are_the_sdks(stream: Stream, path: str, enum: Any) -> None:
    known = {of: some for _, of, some in KNOWN[stream].words}

    assert known[path] - {""} == words(enum)
