"""Meta's objects as records.

Ids and budgets come as strings, budgets in minor units of Meta's own table (not ISO 4217), times with
an offset without a colon; a field without a value is left out. An odd value stops no sync.
"""

from datetime import UTC, datetime
from typing import Any

from providers.meta.known import KNOWN
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

MICROS = 1_000_000
# Currencies without minor units at Meta; all others have 100, BHD and JOD too.
WHOLE_CURRENCIES = frozenset(["CLP", "COP", "CRC", "HUF", "ISK", "IDR", "JPY", "KRW", "PYG", "TWD", "VND"])

ACTIVE_ACCOUNT = {1, 9}  # active, in grace period
_ACCOUNT_STATUSES = {
    1: "ACTIVE",
    2: "DISABLED",
    3: "UNSETTLED",
    7: "PENDING_RISK_REVIEW",
    8: "PENDING_SETTLEMENT",
    9: "IN_GRACE_PERIOD",
    100: "PENDING_CLOSURE",
    101: "CLOSED",
}
_STATUSES = {
    "ACTIVE": EntityStatus.ACTIVE,
    "PAUSED": EntityStatus.PAUSED,
    "ARCHIVED": EntityStatus.ARCHIVED,
    "DELETED": EntityStatus.REMOVED,
}


def micros_per_minor(currency: str) -> int:
    """Micros in one of Meta's minor units of a currency."""
    return MICROS if currency in WHOLE_CURRENCIES else MICROS // 100


def account_record(row: dict[str, Any]) -> AdAccountRecord:
    """An ad account."""
    status, text = row.get("account_status"), Values().text
    return AdAccountRecord(
        external_id=row["id"],
        name=text(row.get("name", "")),
        currency=text(row.get("currency", "")),
        time_zone=text(row.get("timezone_name", "")),
        is_active=status in ACTIVE_ACCOUNT,
        platform_status=_ACCOUNT_STATUSES.get(status, str(status)) if status is not None else "",
        is_manager=False,
        login_customer_id="",
        raw=row,
    )


def records_of(stream: Stream, rows: list[dict[str, Any]], currency: str) -> list[Record]:
    """One page's records; a row without an id is left out."""
    unit, read = micros_per_minor(currency), Values()
    records: list[Record]
    match stream:
        case Stream.CAMPAIGNS:
            records = [_campaign(read.row(row), unit, read) for row in rows]
        case Stream.AD_GROUPS:
            records = [_ad_group(read.row(row), unit, read) for row in rows]
        case Stream.ADS:
            records = [_ad(read.row(row), read) for row in rows]
    read.tell("meta", stream)
    KNOWN[stream].compare(rows, records, read.statuses)
    return with_id(records)


def ids_of(rows: list[dict[str, Any]]) -> list[str]:
    """The ids of a page that was asked for nothing else: all, for what is not among them counts as gone."""
    read = Values()
    ids = [read.id(read.row(row).get("id")) for row in rows]
    if not all(ids):
        raise ValueError("a row has no id")
    return ids


def _campaign(row: dict[str, Any], unit: int, read: Values) -> CampaignRecord:
    get, text = row.get, read.text
    return CampaignRecord(
        read.id(get("id")),
        text(get("name", "")),
        _status(row, read),
        text(get("effective_status", "")),
        text(get("objective", "")),
        text(get("bid_strategy", "")),
        _money(get("daily_budget"), unit, read),
        _money(get("lifetime_budget"), unit, read),
        read.moment(get("start_time"), _moment),
        read.moment(get("stop_time"), _moment),
        read.moment(get("created_time"), _moment),
        read.moment(get("updated_time"), _moment),
        row,
    )


def _ad_group(row: dict[str, Any], unit: int, read: Values) -> AdGroupRecord:
    get, text = row.get, read.text
    return AdGroupRecord(
        read.id(get("id")),
        read.id(get("campaign_id", "")),
        text(get("name", "")),
        _status(row, read),
        text(get("effective_status", "")),
        text(get("bid_strategy", "")),
        _money(get("bid_amount"), unit, read),
        _money(get("daily_budget"), unit, read),
        _money(get("lifetime_budget"), unit, read),
        read.moment(get("start_time"), _moment),
        read.moment(get("end_time"), _moment),
        read.moment(get("created_time"), _moment),
        read.moment(get("updated_time"), _moment),
        row,
    )


def _ad(row: dict[str, Any], read: Values) -> AdRecord:
    get, text = row.get, read.text
    return AdRecord(
        read.id(get("id")),
        read.id(get("campaign_id", "")),
        read.id(get("adset_id", "")),
        text(get("name", "")),
        _status(row, read),
        text(get("effective_status", "")),
        "",  # Meta has no type of an ad: it is its creative's
        read.id(read.row(get("creative", {})).get("id", "")),
        read.moment(get("created_time"), _moment),
        read.moment(get("updated_time"), _moment),
        row,
    )


def _status(row: dict[str, Any], read: Values) -> EntityStatus:
    """What its owner set; but what went with its parent has gone."""
    effective = row.get("effective_status")
    word = effective if effective in ("ARCHIVED", "DELETED") else row.get("status", effective)
    return read.status(word, _STATUSES)


def _money(minor: object, unit: int, read: Values) -> int | None:
    """Micros. Meta sends "0" for a budget that is not set."""
    return read.number(minor, unit) or None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
