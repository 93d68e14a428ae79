"""The GAQL queries. Ordered by id and resumed behind the last one: page tokens are never stored.

Removed rows are included: GAQL returns them unless they are filtered.
"""

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
_SELECT = {
    Stream.CAMPAIGNS: "SELECT campaign.id, campaign.name, campaign.status, campaign.primary_status, "
    "campaign.advertising_channel_type, campaign.bidding_strategy_type, campaign.start_date_time, "
    "campaign.end_date_time, campaign_budget.amount_micros, campaign_budget.total_amount_micros "
    "FROM campaign",
    Stream.AD_GROUPS: "SELECT ad_group.id, ad_group.name, ad_group.status, ad_group.primary_status, "
    "ad_group.type, ad_group.campaign, ad_group.cpc_bid_micros, campaign.id, "
    "campaign.bidding_strategy_type FROM ad_group",
    Stream.ADS: "SELECT ad_group_ad.ad.id, ad_group_ad.ad.name, ad_group_ad.ad.type, "
    "ad_group_ad.ad.final_urls, ad_group_ad.status, ad_group_ad.primary_status, ad_group.id, campaign.id "
    "FROM ad_group_ad",
}
_ORDER = {
    Stream.CAMPAIGNS: "campaign.id",
    Stream.AD_GROUPS: "ad_group.id",
    Stream.ADS: "ad_group.id, ad_group_ad.ad.id",
}
ID_FIELD = {Stream.CAMPAIGNS: "campaign.id", Stream.AD_GROUPS: "ad_group.id", Stream.ADS: "ad_group_ad.ad.id"}
_RESOURCE = {Stream.CAMPAIGNS: "campaign", Stream.AD_GROUPS: "ad_group", Stream.ADS: "ad_group_ad"}


def walk(stream: Stream, *, campaign_ids: tuple[str, ...] = (), after: str | None = None) -> str:
    """All rows of a stream, or those behind `after` (an external id).

    GAQL compares no pairs, so ads resume with their whole ad group; the client drops what it had.
    """
    conditions = []
    if campaign_ids:
        conditions.append(f"campaign.id IN ({', '.join(campaign_ids)})")
    if after is not None:
        group, is_ad, _ = after.partition("~")
        conditions.append(f"ad_group.id >= {group}" if is_ad else f"{ID_FIELD[stream]} > {after}")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"{_SELECT[stream]}{where} ORDER BY {_ORDER[stream]}"


def by_ids(stream: Stream, ids: list[str]) -> str:
    """Which of these rows exist. Ads are asked for by the ad's own id."""
    numbers = sorted({external_id.rpartition("~")[2] for external_id in ids}, key=int)
    return (
        f"SELECT {_RESOURCE[stream]}.resource_name FROM {_RESOURCE[stream]} "  # noqa: S608  (GAQL; digits only)
        f"WHERE {ID_FIELD[stream]} IN ({', '.join(numbers)})"
    )
