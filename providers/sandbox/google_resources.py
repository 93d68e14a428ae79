"""Google's resources as JSON: which fields each has, of what type, and how each is written.

int64 are strings, enums names, money micros; a scalar that has its default value is left out, a
resource name never is.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from providers.sandbox.catalog import Ad, AdGroup, Campaign
from providers.sandbox.world import Account


class Field(NamedTuple):
    """`get` gives the value as it is compared; writing turns integers into strings where `type` is int64."""

    get: Callable[[Any], Any]
    type: str = "string"  # int64, string, enum, bool, double, list


class Resource(NamedTuple):
    """`name_of` gives the resource name, which metrics and segments have none of; `fields` by their GAQL
    names below the resource's own."""

    name_of: Callable[[Any], str] | None
    fields: dict[str, Field]


def _int(name: str) -> Field:
    return Field(lambda row: getattr(row, name), "int64")


def _time(account: Account, seconds: int | None, clock: str) -> str | None:
    """In the account's time zone, without an offset."""
    return None if seconds is None else f"{datetime.fromtimestamp(seconds, account.zone):%Y-%m-%d} {clock}"


def constant(value: str) -> Field:
    return Field(lambda _: value, "enum")


def _primary(row: Campaign | AdGroup | Ad) -> str:
    return {"ENABLED": "ELIGIBLE"}.get(row.status, row.status)


def budget_id(campaign: Campaign) -> int:
    """Every campaign has a budget of its own; its id is as far off as no other id of the account."""
    return campaign.id + 50_000_000


CUSTOMER = Resource(
    lambda account: f"customers/{account.id}",
    {
        "id": Field(lambda account: int(account.id), "int64"),
        "descriptive_name": Field(lambda account: account.name),
        "currency_code": Field(lambda account: account.currency),
        "time_zone": Field(lambda account: account.time_zone),
        "status": Field(lambda account: account.status, "enum"),
        "manager": Field(lambda account: account.is_manager, "bool"),
        "test_account": Field(lambda _: False, "bool"),
        "auto_tagging_enabled": Field(lambda _: True, "bool"),
        "has_partners_badge": Field(lambda _: False, "bool"),
        "optimization_score": Field(lambda account: None if account.is_manager else 0.5, "double"),
    },
)


class Client(NamedTuple):
    """A row of `customer_client`: an account that a manager reaches, itself included."""

    manager: Account
    client: Account
    level: int


CUSTOMER_CLIENT = Resource(
    lambda row: f"customers/{row.manager.id}/customerClients/{row.client.id}",
    {
        "id": Field(lambda row: int(row.client.id), "int64"),
        "client_customer": Field(lambda row: f"customers/{row.client.id}"),
        "level": Field(lambda row: row.level, "int64"),
        "manager": Field(lambda row: row.client.is_manager, "bool"),
        "hidden": Field(lambda row: row.client.is_hidden, "bool"),
        "test_account": Field(lambda _: False, "bool"),
        "descriptive_name": Field(lambda row: row.client.name),
        "currency_code": Field(lambda row: row.client.currency),
        "time_zone": Field(lambda row: row.client.time_zone),
        "status": Field(lambda row: row.client.status, "enum"),
    },
)
CAMPAIGN = Resource(
    lambda campaign: f"customers/{campaign.account.id}/campaigns/{campaign.id}",
    {
        "id": _int("id"),
        "name": Field(lambda campaign: campaign.name),
        "status": Field(lambda campaign: campaign.status, "enum"),
        "primary_status": Field(_primary, "enum"),
        "serving_status": Field(
            lambda campaign: "ENDED" if campaign.status == "REMOVED" else "SERVING", "enum"
        ),
        "advertising_channel_type": Field(lambda campaign: campaign.objective, "enum"),
        "advertising_channel_sub_type": constant("UNSPECIFIED"),
        "bidding_strategy_type": Field(lambda campaign: campaign.strategy, "enum"),
        "campaign_budget": Field(
            lambda campaign: f"customers/{campaign.account.id}/campaignBudgets/{budget_id(campaign)}"
        ),
        "start_date_time": Field(lambda campaign: _time(campaign.account, campaign.starts, "00:00:00")),
        "end_date_time": Field(lambda campaign: _time(campaign.account, campaign.ends, "23:59:59")),
        "experiment_type": constant("BASE"),
        "payment_mode": constant("CLICKS"),
        "optimization_score": Field(lambda _: 0.0, "double"),
        "tracking_url_template": Field(lambda _: ""),
        "final_url_suffix": Field(lambda _: ""),
    },
)
CAMPAIGN_BUDGET = Resource(
    lambda campaign: f"customers/{campaign.account.id}/campaignBudgets/{budget_id(campaign)}",
    {
        "id": Field(budget_id, "int64"),
        "name": Field(lambda campaign: f"Budget of {campaign.name}"),
        "amount_micros": _int("daily_budget"),
        "total_amount_micros": _int("lifetime_budget"),
        "period": Field(
            lambda campaign: "DAILY" if campaign.lifetime_budget is None else "CUSTOM_PERIOD", "enum"
        ),
        "status": constant("ENABLED"),
        "delivery_method": constant("STANDARD"),
        "type": constant("STANDARD"),
        "explicitly_shared": Field(lambda _: False, "bool"),
    },
)
AD_GROUP = Resource(
    lambda group: f"customers/{group.account.id}/adGroups/{group.id}",
    {
        "id": _int("id"),
        "name": Field(lambda group: group.name),
        "status": Field(lambda group: group.status, "enum"),
        "primary_status": Field(_primary, "enum"),
        "type": Field(lambda group: group.type, "enum"),
        "campaign": Field(lambda group: f"customers/{group.account.id}/campaigns/{group.campaign.id}"),
        "cpc_bid_micros": _int("bid"),
        "cpm_bid_micros": Field(lambda _: 10_000, "int64"),
        "target_cpa_micros": Field(lambda _: 0, "int64"),
        "effective_target_cpa_micros": Field(lambda _: 0, "int64"),
        "effective_cpc_bid_micros": _int("bid"),
        "target_roas": Field(lambda _: 0.0, "double"),
        "ad_rotation_mode": constant("UNSPECIFIED"),
    },
)
AD_GROUP_AD = Resource(
    lambda ad: f"customers/{ad.account.id}/adGroupAds/{ad.group.id}~{ad.id}",
    {
        "status": Field(lambda ad: ad.status, "enum"),
        "primary_status": Field(_primary, "enum"),
        "ad_group": Field(lambda ad: f"customers/{ad.account.id}/adGroups/{ad.group.id}"),
        "ad_strength": constant("GOOD"),
        "policy_summary.approval_status": Field(lambda ad: ad.review, "enum"),
        "policy_summary.review_status": constant("REVIEWED"),
        "start_date_time": Field(lambda _: None),
        "end_date_time": Field(lambda _: None),
        "ad.id": _int("id"),
        "ad.resource_name": Field(lambda ad: f"customers/{ad.account.id}/ads/{ad.id}"),
        "ad.name": Field(lambda ad: ad.name),
        "ad.type": Field(lambda ad: ad.type, "enum"),
        "ad.final_urls": Field(lambda ad: list(ad.urls), "list"),
        "ad.final_mobile_urls": Field(lambda _: [], "list"),
        "ad.display_url": Field(lambda _: ""),
        "ad.tracking_url_template": Field(lambda _: ""),
        "ad.device_preference": constant("UNSPECIFIED"),
        "ad.added_by_google_ads": Field(lambda _: False, "bool"),
    },
)
