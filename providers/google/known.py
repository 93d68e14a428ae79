"""What Google's answers may hold in the version that this code was written for: words and keys.

Source: the enums of the official client library for v26. A word that is not here is stored as it comes, and
counted; so is UNKNOWN, by which Google tells that the version has no name for it.
"""

import re

from providers.drift import Known, known_words
from providers.google.insight_queries import insight_fields
from providers.google.queries import SELECT
from providers.records import AdGroupRecord, AdRecord, CampaignRecord, Stream

_PRIMARY = ("ELIGIBLE", "LIMITED", "NOT_ELIGIBLE", "PAUSED", "PENDING", "REMOVED")
_STATUSES = ("ENABLED", "PAUSED", "REMOVED")  # where there is no primary one
_CHANNELS = (
    *("DEMAND_GEN", "DISPLAY", "HOTEL", "LOCAL", "LOCAL_SERVICES", "MULTI_CHANNEL", "PERFORMANCE_MAX"),
    *("SEARCH", "SHOPPING", "SMART", "TRAVEL", "VIDEO"),
)
_STRATEGIES = (
    *(
        "COMMISSION",
        "ENHANCED_CPC",
        "FIXED_CPM",
        "FIXED_SHARE_OF_VOICE",
        "INVALID",
        "MANUAL_CPA",
        "MANUAL_CPC",
    ),
    *("MANUAL_CPM", "MANUAL_CPV", "MAXIMIZE_CONVERSIONS", "MAXIMIZE_CONVERSION_VALUE", "PAGE_ONE_PROMOTED"),
    *("PERCENT_CPC", "TARGET_CPA", "TARGET_CPC", "TARGET_CPM", "TARGET_CPV", "TARGET_IMPRESSION_SHARE"),
    *("TARGET_OUTRANK_SHARE", "TARGET_ROAS", "TARGET_SPEND"),
)
_AD_TYPES = (
    *("APP_AD", "APP_ENGAGEMENT_AD", "APP_PRE_REGISTRATION_AD", "CALL_AD", "DEMAND_GEN_CAROUSEL_AD"),
    *("DEMAND_GEN_MULTI_ASSET_AD", "DEMAND_GEN_PRODUCT_AD", "DEMAND_GEN_VIDEO_RESPONSIVE_AD"),
    *("DYNAMIC_HTML5_AD", "EXPANDED_DYNAMIC_SEARCH_AD", "EXPANDED_TEXT_AD", "HOTEL_AD", "HTML5_UPLOAD_AD"),
    *("IMAGE_AD", "IN_FEED_VIDEO_AD", "LEGACY_APP_INSTALL_AD", "LEGACY_RESPONSIVE_DISPLAY_AD", "LOCAL_AD"),
    *(
        "RESPONSIVE_DISPLAY_AD",
        "RESPONSIVE_SEARCH_AD",
        "SHOPPING_COMPARISON_LISTING_AD",
        "SHOPPING_PRODUCT_AD",
    ),
    *("SHOPPING_SMART_AD", "SMART_CAMPAIGN_AD", "TEXT_AD", "TRAVEL_AD", "VIDEO_AD", "VIDEO_BUMPER_AD"),
    *("VIDEO_NON_SKIPPABLE_IN_STREAM_AD", "VIDEO_RESPONSIVE_AD"),
    *("VIDEO_TRUEVIEW_IN_STREAM_AD", "YOUTUBE_AUDIO_AD"),
)
# Every resource of a query brings its name along.
_NAMES = {
    Stream.CAMPAIGNS: ("campaign", "campaignBudget"),
    Stream.AD_GROUPS: ("adGroup", "campaign"),
    Stream.ADS: ("adGroupAd", "adGroupAd.ad", "adGroup", "campaign"),
}


_INSIGHT_NAMES = ("customer", "campaign", "adGroup", "adGroupAd", "adGroupAd.ad")


def camel(field: str) -> str:
    """`ad_group_ad.final_urls` as answers write it."""
    return re.sub(r"_(\w)", lambda found: found[1].upper(), field)


def _keys(stream: Stream) -> frozenset[str]:
    asked = re.findall(r"\w+(?:\.\w+)+", SELECT[stream])
    return frozenset(map(camel, asked)) | {f"{name}.resourceName" for name in _NAMES[stream]}


KNOWN = {
    Stream.CAMPAIGNS: Known(
        "campaigns",
        _keys(Stream.CAMPAIGNS),
        frozenset({"campaign.id", "campaign.status"}),
        "campaign.status",
        known_words(
            CampaignRecord,
            platform_status=(
                "campaign.primaryStatus",
                (*_PRIMARY, *_STATUSES, "ENDED", "LEARNING", "MISCONFIGURED"),
            ),
            objective=("campaign.advertisingChannelType", _CHANNELS),
            bidding_strategy=("campaign.biddingStrategyType", _STRATEGIES),
        ),
    ),
    Stream.AD_GROUPS: Known(
        "ad_groups",
        _keys(Stream.AD_GROUPS),
        frozenset({"adGroup.id", "adGroup.status", "campaign.id"}),
        "adGroup.status",
        known_words(
            AdGroupRecord,
            platform_status=("adGroup.primaryStatus", (*_PRIMARY, *_STATUSES)),
            bidding_strategy=("campaign.biddingStrategyType", _STRATEGIES),
        ),
    ),
    Stream.ADS: Known(
        "ads",
        _keys(Stream.ADS),
        frozenset({"adGroupAd.ad.id", "adGroupAd.status", "adGroup.id", "campaign.id"}),
        "adGroupAd.status",
        known_words(
            AdRecord,
            platform_status=("adGroupAd.primaryStatus", (*_PRIMARY, *_STATUSES)),
            ad_type=("adGroupAd.ad.type", _AD_TYPES),
        ),
    ),
}
KNOWN_INSIGHTS = Known(
    "insights",
    frozenset(map(camel, insight_fields())) | {f"{name}.resourceName" for name in _INSIGHT_NAMES},
)
