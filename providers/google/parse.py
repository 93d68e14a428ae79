"""Google's rows as records.

int64 come as strings, enums as names, scalars with their default value may be left out, and times of
campaigns are in the customer's own time zone.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from providers.records import (
    AdAccountRecord,
    AdGroupRecord,
    AdRecord,
    CampaignRecord,
    EntityStatus,
    Record,
    Stream,
)

Row = dict[str, Any]

NO_END = "2037-12-30"  # how a campaign without an end has always been told, where it is not left out
_STATUSES = {
    "ENABLED": EntityStatus.ACTIVE,
    "PAUSED": EntityStatus.PAUSED,
    "REMOVED": EntityStatus.REMOVED,
}


def account_record(customer: Row, *, login_customer_id: str = "") -> AdAccountRecord:
    """A customer, from `customer` or `customer_client`: both name their fields alike."""
    status = customer.get("status", "")
    return AdAccountRecord(
        external_id=customer["id"],
        name=customer.get("descriptiveName", ""),
        currency=customer.get("currencyCode", ""),
        time_zone=customer.get("timeZone", ""),
        is_active=status == "ENABLED",
        platform_status=status,
        is_manager=bool(customer.get("manager", False)),
        login_customer_id=login_customer_id,
        raw=customer,
    )


def records_of(stream: Stream, rows: list[Row], time_zone: Callable[[], ZoneInfo]) -> list[Record]:
    """The rows' records. The customer's time zone is only asked for where times are told."""
    match stream:
        case Stream.CAMPAIGNS:
            zone = time_zone()
            return [_campaign(row, zone) for row in rows]
        case Stream.AD_GROUPS:
            return [_ad_group(row) for row in rows]
        case Stream.ADS:
            return [_ad(row) for row in rows]


def _campaign(row: Row, zone: ZoneInfo) -> CampaignRecord:
    campaign, budget = row["campaign"], row.get("campaignBudget", {})
    get = campaign.get
    return CampaignRecord(
        campaign["id"],
        get("name", ""),
        _STATUSES.get(get("status"), EntityStatus.UNKNOWN),
        get("primaryStatus") or get("status", ""),
        get("advertisingChannelType", ""),
        get("biddingStrategyType", ""),
        _number(budget.get("amountMicros")),
        _number(budget.get("totalAmountMicros")),
        _moment(get("startDateTime"), zone),
        _moment(get("endDateTime"), zone),
        None,  # Google tells no time of creation or change with the campaign
        None,
        row,
    )


def _ad_group(row: Row) -> AdGroupRecord:
    group, campaign = row["adGroup"], row["campaign"]
    get = group.get
    return AdGroupRecord(
        group["id"],
        campaign["id"],
        get("name", ""),
        _STATUSES.get(get("status"), EntityStatus.UNKNOWN),
        get("primaryStatus") or get("status", ""),
        campaign.get("biddingStrategyType", ""),
        _number(get("cpcBidMicros")),
        None,  # budgets and dates stand with the campaign
        None,
        None,
        None,
        None,
        None,
        row,
    )


def _ad(row: Row) -> AdRecord:
    link, group = row["adGroupAd"], row["adGroup"]["id"]
    ad, get = link["ad"], link.get
    return AdRecord(
        f"{group}~{ad['id']}",
        row["campaign"]["id"],
        group,
        ad.get("name", ""),
        _STATUSES.get(get("status"), EntityStatus.UNKNOWN),
        get("primaryStatus") or get("status", ""),
        ad.get("type", ""),
        "",  # Google has no creative apart from the ad
        None,
        None,
        row,
    )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None else None


@lru_cache(maxsize=4_096)  # campaigns begin and end at midnight: few different moments, many campaigns
def _moment(text: str | None, zone: ZoneInfo) -> datetime | None:
    if not text or text.startswith(NO_END):
        return None
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
