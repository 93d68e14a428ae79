"""Meta's objects as records.

Ids and budgets come as strings, budgets in minor units of Meta's own table (not ISO 4217), times with
an offset without a colon; a field without a value is left out.
"""

from datetime import UTC, datetime
from typing import Any

from providers.records import (
    AdAccountRecord,
    AdGroupRecord,
    AdRecord,
    CampaignRecord,
    EntityStatus,
    Record,
    Stream,
)

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
    status = row.get("account_status")
    return AdAccountRecord(
        external_id=row["id"],
        name=row.get("name", ""),
        currency=row.get("currency", ""),
        time_zone=row.get("timezone_name", ""),
        is_active=status in ACTIVE_ACCOUNT,
        platform_status=_ACCOUNT_STATUSES.get(status, str(status)) if status is not None else "",
        is_manager=False,
        login_customer_id="",
        raw=row,
    )


def records_of(stream: Stream, rows: list[dict[str, Any]], currency: str) -> list[Record]:
    """One page's records."""
    unit = micros_per_minor(currency)
    match stream:
        case Stream.CAMPAIGNS:
            return [_campaign(row, unit) for row in rows]
        case Stream.AD_GROUPS:
            return [_ad_group(row, unit) for row in rows]
        case Stream.ADS:
            return [_ad(row) for row in rows]


def _campaign(row: dict[str, Any], unit: int) -> CampaignRecord:
    get = row.get
    return CampaignRecord(
        row["id"],
        get("name", ""),
        _status(row),
        get("effective_status", ""),
        get("objective", ""),
        get("bid_strategy", ""),
        _money(get("daily_budget"), unit),
        _money(get("lifetime_budget"), unit),
        _moment(get("start_time")),
        _moment(get("stop_time")),
        _moment(get("created_time")),
        _moment(get("updated_time")),
        row,
    )


def _ad_group(row: dict[str, Any], unit: int) -> AdGroupRecord:
    get = row.get
    return AdGroupRecord(
        row["id"],
        get("campaign_id", ""),
        get("name", ""),
        _status(row),
        get("effective_status", ""),
        get("bid_strategy", ""),
        _money(get("bid_amount"), unit),
        _money(get("daily_budget"), unit),
        _money(get("lifetime_budget"), unit),
        _moment(get("start_time")),
        _moment(get("end_time")),
        _moment(get("created_time")),
        _moment(get("updated_time")),
        row,
    )


def _ad(row: dict[str, Any]) -> AdRecord:
    get = row.get
    creative = get("creative")
    return AdRecord(
        row["id"],
        get("campaign_id", ""),
        get("adset_id", ""),
        get("name", ""),
        _status(row),
        get("effective_status", ""),
        "",  # Meta has no type of an ad: it is its creative's
        creative.get("id", "") if creative else "",
        _moment(get("created_time")),
        _moment(get("updated_time")),
        row,
    )


def _status(row: dict[str, Any]) -> EntityStatus:
    """What its owner set; but what went with its parent has gone."""
    effective = row.get("effective_status")
    word = effective if effective in ("ARCHIVED", "DELETED") else row.get("status", effective)
    return _STATUSES.get(str(word), EntityStatus.UNKNOWN)


def _money(minor: str | int | None, unit: int) -> int | None:
    """Micros. Meta sends "0" for a budget that is not set."""
    return int(minor) * unit if minor and minor != "0" else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
