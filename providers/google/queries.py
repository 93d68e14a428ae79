"""The GAQL queries. Ordered by id and resumed behind the last one: page tokens are never stored.

Removed rows are included: GAQL returns them unless they are filtered. Fields that move by themselves
(optimization_score) are left out, for an unchanged account must look unchanged.
"""

from collections.abc import Iterable

from providers.errors import InvalidRequest
from providers.records import Stream

ACCOUNT = (
    "SELECT customer.id, customer.descriptive_name, customer.currency_code, customer.time_zone, "
    "customer.status, customer.manager FROM customer"
)
CLIENTS = (
    "SELECT customer_client.id, customer_client.descriptive_name, customer_client.currency_code, "
    "customer_client.time_zone, customer_client.status, customer_client.manager, customer_client.level "
    "FROM customer_client WHERE customer_client.level > 0"
)
SELECT = {
    Stream.CAMPAIGNS: "SELECT campaign.id, campaign.name, campaign.status, campaign.primary_status, "
    "campaign.advertising_channel_type, campaign.bidding_strategy_type, campaign.start_date_time, "
    "campaign.end_date_time, campaign_budget.amount_micros, campaign_budget.total_amount_micros "
    "FROM campaign",
    Stream.AD_GROUPS: "SELECT ad_group.id, ad_group.name, ad_group.status, ad_group.primary_status, "
    "ad_group.type, ad_group.cpc_bid_micros, campaign.id, campaign.bidding_strategy_type FROM ad_group",
    Stream.ADS: "SELECT ad_group_ad.ad.id, ad_group_ad.ad.name, ad_group_ad.ad.type, "
    "ad_group_ad.ad.final_urls, ad_group_ad.status, ad_group_ad.primary_status, ad_group.id, campaign.id "
    "FROM ad_group_ad",
}
_ORDER = {
    Stream.CAMPAIGNS: "campaign.id",
    Stream.AD_GROUPS: "ad_group.id",
    Stream.ADS: "ad_group.id, ad_group_ad.ad.id",
}
ID = {Stream.CAMPAIGNS: "campaign.id", Stream.AD_GROUPS: "ad_group.id", Stream.ADS: "ad_group_ad.ad.id"}
_RESOURCE = {Stream.CAMPAIGNS: "campaign", Stream.AD_GROUPS: "ad_group", Stream.ADS: "ad_group_ad"}


def walk(stream: Stream, *, conditions: Iterable[str] = (), after: str | None = None) -> str:
    """The rows of a stream that meet the conditions, or those of them behind `after` (an external id).

    GAQL compares no pairs, so ads resume with their whole ad group; the client drops what it had.
    """
    met = list(conditions)
    if after is not None:
        first, is_ad, _ = after.partition("~")
        met.append(f"ad_group.id >= {numbers([first])}" if is_ad else f"{ID[stream]} > {numbers([first])}")
    where = f" WHERE {' AND '.join(met)}" if met else ""
    return f"{SELECT[stream]}{where} ORDER BY {_ORDER[stream]}"


def by_ids(stream: Stream, external_ids: Iterable[str]) -> str:
    """Which of these rows exist. Ads are asked for by their own id, which other ad groups may share."""
    ids = numbers(external_id.rpartition("~")[2] for external_id in external_ids)
    resource = _RESOURCE[stream]
    return f"SELECT {resource}.resource_name FROM {resource} WHERE {ID[stream]} IN ({ids})"  # noqa: S608  (digits)


def external_id(stream: Stream, row: dict[str, dict[str, str]]) -> str:
    """Out of the answer to `by_ids`: customers/1/campaigns/2, customers/1/adGroupAds/3~4."""
    names = {Stream.CAMPAIGNS: "campaign", Stream.AD_GROUPS: "adGroup", Stream.ADS: "adGroupAd"}
    return row[names[stream]]["resourceName"].rpartition("/")[2]


def numbers(ids: Iterable[str]) -> str:
    """Ids as they go into a query: nothing but digits, for GAQL has no parameters."""
    listed = list(ids)
    if not all(text.isascii() and text.isdigit() for text in listed):
        raise InvalidRequest("Google's ids consist of digits")
    return ", ".join(listed)
