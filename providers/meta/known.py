"""What Meta's answers may hold in the version that this code was written for: words and keys.

Source: the enums of the official SDK for v26.0. A word that is not here is stored as it comes, and counted.
"""

import re

from providers.drift import Known, known_words
from providers.meta.fields import FIELDS, INSIGHT_FIELDS, STATUSES
from providers.records import AdGroupRecord, AdRecord, CampaignRecord, Level, Stream

_OBJECTIVES = (
    *("OUTCOME_APP_PROMOTION", "OUTCOME_AWARENESS", "OUTCOME_ENGAGEMENT", "OUTCOME_LEADS"),
    *("OUTCOME_SALES", "OUTCOME_TRAFFIC"),
    # legacy names, on old campaigns
    *("APP_INSTALLS", "BRAND_AWARENESS", "CONVERSIONS", "EVENT_RESPONSES", "LEAD_GENERATION", "LINK_CLICKS"),
    *(
        "LOCAL_AWARENESS",
        "MESSAGES",
        "OFFER_CLAIMS",
        "PAGE_LIKES",
        "POST_ENGAGEMENT",
        "PRODUCT_CATALOG_SALES",
    ),
    *("REACH", "STORE_VISITS", "VIDEO_VIEWS"),
)
_STRATEGIES = ("COST_CAP", "LOWEST_COST_WITHOUT_CAP", "LOWEST_COST_WITH_BID_CAP", "LOWEST_COST_WITH_MIN_ROAS")
_EVERY_ROW = {"id", "name", "status", "effective_status", "created_time", "updated_time"}


def _keys(fields: str) -> frozenset[str]:
    """`creative{id}` as `creative.id`."""
    found = re.findall(r"(\w+)(?:\{(\w+)\})?", fields)
    return frozenset(f"{name}.{inner}" if inner else name for name, inner in found)


KNOWN = {
    Stream.CAMPAIGNS: Known(
        "campaigns",
        _keys(FIELDS[Stream.CAMPAIGNS]),
        frozenset(_EVERY_ROW),
        "status",
        known_words(
            CampaignRecord,
            platform_status=("effective_status", STATUSES[Stream.CAMPAIGNS]),
            objective=("objective", _OBJECTIVES),
            bidding_strategy=("bid_strategy", _STRATEGIES),
        ),
    ),
    Stream.AD_GROUPS: Known(
        "ad_groups",
        _keys(FIELDS[Stream.AD_GROUPS]),
        frozenset(_EVERY_ROW | {"campaign_id"}),
        "status",
        known_words(
            AdGroupRecord,
            platform_status=("effective_status", STATUSES[Stream.AD_GROUPS]),
            bidding_strategy=("bid_strategy", _STRATEGIES),
        ),
    ),
    Stream.ADS: Known(
        "ads",
        _keys(FIELDS[Stream.ADS]),
        frozenset(_EVERY_ROW | {"campaign_id", "adset_id"}),
        "status",
        known_words(AdRecord, platform_status=("effective_status", STATUSES[Stream.ADS])),
    ),
}
KNOWN_INSIGHTS = {
    level: Known("insights", _keys(INSIGHT_FIELDS[level]) | {"date_start", "date_stop"}) for level in Level
}
