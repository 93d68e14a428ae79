"""Which fields and statuses are asked for. Fixed and explicit: Meta's defaults hide archived objects.

Source: the enums of the official SDK for v26.0.
"""

from providers.records import Stream

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
