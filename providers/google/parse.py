"""Google's rows as records.

int64 come as strings, enums as names, scalars with their default value may be left out, and times of
campaigns are in the customer's own time zone.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any
from zoneinfo import ZoneInfo

from providers.google.known import KNOWN
from providers.records import (
    AdAccountRecord,
    AdGroupRecord,
    AdRecord,
    CampaignRecord,
    EntityStatus,
    Record,
    Stream,
)
from providers.values import Values, with_id

Row = dict[str, Any]

NO_END = "2037-12-30"  # how a campaign without an end has always been told, where it is not left out
_STATUSES = {
    "ENABLED": EntityStatus.ACTIVE,
    "PAUSED": EntityStatus.PAUSED,
    "REMOVED": EntityStatus.REMOVED,
}


def account_record(customer: Row, *, login_customer_id: str = "") -> AdAccountRecord:
    """A customer, from `customer` or `customer_client`: both name their fields alike."""
    text = Values().text
    status = text(customer.get("status", ""))
    return AdAccountRecord(
        external_id=customer["id"],
        name=text(customer.get("descriptiveName", "")),
        currency=text(customer.get("currencyCode", "")),
        time_zone=text(customer.get("timeZone", "")),
        is_active=status == "ENABLED",
        platform_status=status,
        is_manager=bool(customer.get("manager", False)),
        login_customer_id=login_customer_id,
        raw=customer,
    )


def records_of(stream: Stream, rows: list[Row], time_zone: Callable[[], ZoneInfo]) -> list[Record]:
    """The rows' records. The customer's time zone is only asked for where times are told.

    A row without an id is left out.
    """
    read = Values()
    records: list[Record]
    match stream:
        case Stream.CAMPAIGNS:
            zone = time_zone()
            records = [_campaign(read.row(row), zone, read) for row in rows]
        case Stream.AD_GROUPS:
            records = [_ad_group(read.row(row), read) for row in rows]
        case Stream.ADS:
            records = [_ad(read.row(row), read) for row in rows]
    read.tell("google", stream)
    KNOWN[stream].compare(rows, records, read.statuses)
    return with_id(records)


def _campaign(row: Row, zone: ZoneInfo, read: Values) -> CampaignRecord:
    campaign, budget = read.row(row.get("campaign")), read.row(row.get("campaignBudget", {}))
    get, text = campaign.get, read.text
    return CampaignRecord(
        id_of(campaign, read),
        text(get("name", "")),
        read.status(campaign.get("status"), _STATUSES),
        text(get("primaryStatus") or get("status", "")),
        text(get("advertisingChannelType", "")),
        text(get("biddingStrategyType", "")),
        read.number(budget.get("amountMicros")),
        read.number(budget.get("totalAmountMicros")),
        read.moment(get("startDateTime"), partial(_moment, zone)),
        read.moment(get("endDateTime"), partial(_moment, zone)),
        None,  # Google tells no time of creation or change with the campaign
        None,
        row,
    )


def _ad_group(row: Row, read: Values) -> AdGroupRecord:
    group, campaign = read.row(row.get("adGroup")), read.row(row.get("campaign"))
    get, text = group.get, read.text
    return AdGroupRecord(
        id_of(group, read),
        id_of(campaign, read),
        text(get("name", "")),
        read.status(group.get("status"), _STATUSES),
        text(get("primaryStatus") or get("status", "")),
        text(campaign.get("biddingStrategyType", "")),
        read.number(get("cpcBidMicros")),
        None,  # budgets and dates stand with the campaign
        None,
        None,
        None,
        None,
        None,
        row,
    )


def _ad(row: Row, read: Values) -> AdRecord:
    link = read.row(row.get("adGroupAd"))
    ad, get, text = read.row(link.get("ad")), link.get, read.text
    group, number = id_of(read.row(row.get("adGroup")), read), id_of(ad, read)
    return AdRecord(
        f"{group}~{number}" if group and number else "",
        id_of(read.row(row.get("campaign")), read),
        group,
        text(ad.get("name", "")),
        read.status(link.get("status"), _STATUSES),
        text(get("primaryStatus") or get("status", "")),
        text(ad.get("type", "")),
        "",  # Google has no creative apart from the ad
        None,
        None,
        row,
    )


def id_of(entity: Row, read: Values) -> str:
    """Digits, by whose number rows are walked; empty where there are none."""
    text = read.id(entity.get("id"))
    return text if text.isascii() and text.isdigit() else ""


@lru_cache(maxsize=4_096)  # campaigns begin and end at midnight: few different moments, many campaigns
def _moment(zone: ZoneInfo, text: str) -> datetime | None:
    if text.startswith(NO_END):
        return None
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
