"""Which fields and statuses are asked for. Fixed and explicit: Meta's defaults hide archived objects.

Source: the enums of the official SDK for v26.0.
"""

from providers.records import Level, Stream

EDGES = {Stream.CAMPAIGNS: "campaigns", Stream.AD_GROUPS: "adsets", Stream.ADS: "ads"}
LEVELS = {Stream.CAMPAIGNS: "campaign", Stream.AD_GROUPS: "adset", Stream.ADS: "ad"}

ACCOUNT_FIELDS = "id,name,account_status,currency,timezone_name"
_COMMON = "id,name,status,effective_status,created_time,updated_time"
FIELDS = {
    Stream.CAMPAIGNS: f"{_COMMON},objective,buying_type,bid_strategy,daily_budget,lifetime_budget,spend_cap,"
    "special_ad_categories,start_time,stop_time",
    Stream.AD_GROUPS: f"{_COMMON},campaign_id,bid_strategy,bid_amount,billing_event,optimization_goal,"
    "daily_budget,lifetime_budget,start_time,end_time",
    Stream.ADS: f"{_COMMON},campaign_id,adset_id,creative{{id}}",
}

_CAMPAIGN_STATUSES = ["ACTIVE", "PAUSED", "DELETED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES"]
_AD_SET_STATUSES = [*_CAMPAIGN_STATUSES, "CAMPAIGN_PAUSED"]
STATUSES = {
    Stream.CAMPAIGNS: _CAMPAIGN_STATUSES,
    Stream.AD_GROUPS: _AD_SET_STATUSES,
    Stream.ADS: [
        *_AD_SET_STATUSES,
        "ADSET_PAUSED",
        "PENDING_REVIEW",
        "DISAPPROVED",
        "PREAPPROVED",
        "PENDING_BILLING_INFO",
    ],
}

INSIGHT_LEVELS = {
    Level.ACCOUNT: "account",
    Level.CAMPAIGN: "campaign",
    Level.AD_GROUP: "adset",
    Level.AD: "ad",
}
# Few, for rows times fields decide when Meta asks for less. `unique_…` ones are estimates, and left out.
_DELIVERY = ("account_currency", "impressions", "clicks", "spend", "reach", "frequency")
_RESULTS = (
    "inline_link_clicks",
    "actions",
    "action_values",
    "video_play_actions",
    "video_thruplay_watched_actions",
)
_METRICS = ",".join(_DELIVERY + _RESULTS)
INSIGHT_FIELDS = {
    Level.ACCOUNT: _METRICS,
    Level.CAMPAIGN: f"campaign_id,{_METRICS}",
    Level.AD_GROUP: f"campaign_id,adset_id,{_METRICS}",
    Level.AD: f"campaign_id,adset_id,ad_id,{_METRICS}",
}
# The same in two questions, each with the ids: a row that only one answer has is told with its parents, too.
INSIGHT_HALVES = {
    level: [
        ",".join(name for name in fields.split(",") if name.endswith("_id") or name in half)
        for half in (_DELIVERY, _RESULTS)
    ]
    for level, fields in INSIGHT_FIELDS.items()
}
# Whose statuses decide whether a level's rows are shown; an account's are its own.
INSIGHT_STREAMS = {Level.CAMPAIGN: Stream.CAMPAIGNS, Level.AD_GROUP: Stream.AD_GROUPS, Level.AD: Stream.ADS}

# By which rule conversions are counted, and the windows that are asked for and added. The first is Meta's
# default. There are no 7d_view and 28d_view: Meta answers nothing for them since 2026-01-12.
ATTRIBUTION_WINDOWS = {
    "7d_click_1d_view": ("7d_click", "1d_view"),
    "7d_click": ("7d_click",),
    "1d_click": ("1d_click",),
    "1d_click_1d_view": ("1d_click", "1d_view"),
    "28d_click": ("28d_click",),
    "28d_click_1d_view": ("28d_click", "1d_view"),
}
DEFAULT_ATTRIBUTION = next(iter(ATTRIBUTION_WINDOWS))
