"""Google's rows as records.

int64 come as strings, enums as names, scalars with their default value may be left out, and times of
campaigns are in the customer's own time zone.
"""

from datetime import UTC, datetime
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

_STATUSES = {
    "ENABLED": EntityStatus.ACTIVE,
    "PAUSED": EntityStatus.PAUSED,
    "REMOVED": EntityStatus.REMOVED,
}


def account_record(customer: dict[str, Any], *, login_customer_id: str = "") -> AdAccountRecord:
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


def records_of(stream: Stream, rows: list[dict[str, Any]], zone: ZoneInfo) -> list[Record]:
    """One page's records."""
    match stream:
        case Stream.CAMPAIGNS:
            return [_campaign(row, zone) for row in rows]
        case Stream.AD_GROUPS:
            return [_ad_group(row) for row in rows]
        case Stream.ADS:
            return [_ad(row) for row in rows]


def _campaign(row: dict[str, Any], zone: ZoneInfo) -> CampaignRecord:
    campaign, budget = row["campaign"], row.get("campaignBudget", {})
    return CampaignRecord(
        campaign["id"],
        campaign.get("name", ""),
        _status(campaign),
        campaign.get("primaryStatus") or campaign.get("status", ""),
        campaign.get("advertisingChannelType", ""),
        campaign.get("biddingStrategyType", ""),
        _number(budget.get("amountMicros")),
        _number(budget.get("totalAmountMicros")),
        _moment(campaign.get("startDateTime"), zone),
        _moment(campaign.get("endDateTime"), zone),
        None,  # Google tells no time of creation or change with the campaign
        None,
        row,
    )


def _ad_group(row: dict[str, Any]) -> AdGroupRecord:
    group, campaign = row["adGroup"], row["campaign"]
    return AdGroupRecord(
        group["id"],
        campaign["id"],
        group.get("name", ""),
        _status(group),
        group.get("primaryStatus") or group.get("status", ""),
        campaign.get("biddingStrategyType", ""),
        _number(group.get("cpcBidMicros")),
        None,  # budgets stand with the campaign
        None,
        None,
        None,
        None,
        None,
        row,
    )


def _ad(row: dict[str, Any]) -> AdRecord:
    link = row["adGroupAd"]
    ad, group = link["ad"], row["adGroup"]["id"]
    return AdRecord(
        f"{group}~{ad['id']}",
        row["campaign"]["id"],
        group,
        ad.get("name", ""),
        _status(link),
        link.get("primaryStatus") or link.get("status", ""),
        ad.get("type", ""),
        "",  # Google has no creative apart from the ad
        None,
        None,
        row,
    )


def _status(resource: dict[str, Any]) -> EntityStatus:
    return _STATUSES.get(resource.get("status", ""), EntityStatus.UNKNOWN)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None else None


def _moment(text: str | None, zone: ZoneInfo) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC) if text else None
