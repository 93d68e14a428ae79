"""The GAQL of insights: one query per level and range of days, whatever it holds.

`segments.date` stands in SELECT, so a day without delivery has no row, and in WHERE, for Google asks for a
finite range. Rows come by day, then by id: what was read last is where the next query goes on.
"""

from datetime import date, timedelta

from providers.errors import InvalidRequest, RangeTooOld
from providers.records import InsightSlice, Level

CLICK_DATE, CONVERSION_DATE = "click_date", "conversion_date"
ATTRIBUTIONS = (CLICK_DATE, CONVERSION_DATE)  # the first is Google's default
KEPT_MONTHS = 37  # of single days; sums of months are kept for longer

COUNTED = ("impressions", "clicks", "cost_micros", "video_trueview_views")
CONVERSIONS = ("conversions", "conversions_value")
EXTRA = ("all_conversions", "all_conversions_value", "interactions", "view_through_conversions")
_BY_CONVERSION_DATE = frozenset({*CONVERSIONS, "all_conversions", "all_conversions_value"})

_FROM = {
    Level.ACCOUNT: "customer",
    Level.CAMPAIGN: "campaign",
    Level.AD_GROUP: "ad_group",
    Level.AD: "ad_group_ad",
}
_IDS = {
    Level.ACCOUNT: ("customer.id",),
    Level.CAMPAIGN: ("campaign.id",),
    Level.AD_GROUP: ("ad_group.id",),
    Level.AD: ("ad_group.id", "ad_group_ad.ad.id"),
}
_PARENTS = {Level.AD_GROUP: ("campaign.id",), Level.AD: ("campaign.id",)}


def metrics(slice: InsightSlice, attribution: str, first: date) -> str:
    """All metrics of a slice from its day `first` on."""
    names = [f"metrics.{metric(name, attribution)}" for name in (*COUNTED, *CONVERSIONS, *EXTRA)]
    return _query(slice, first, (*_PARENTS.get(slice.level, ()), *names))


def types(slice: InsightSlice, attribution: str, first: date) -> str:
    """Conversions by type: Google tells no type beside impressions, clicks or cost, so it is asked apart."""
    names = [f"metrics.{metric(name, attribution)}" for name in CONVERSIONS]
    return _query(slice, first, ("segments.conversion_action_name", *names))


def check(slice: InsightSlice, attribution: str, today: date) -> None:
    """Refuse what Google would refuse, before an operation is spent."""
    if attribution not in ATTRIBUTIONS:
        known = ", ".join(ATTRIBUTIONS)
        raise InvalidRequest(f"Google has no attribution {attribution!r}: choose one of {known}")
    if slice.since > slice.until:
        raise InvalidRequest("The range of days ends before it begins")
    if slice.since < (oldest := oldest_day(today)):
        raise RangeTooOld(f"Google keeps figures of single days for {KEPT_MONTHS} months, from {oldest} on")


def oldest_day(today: date) -> date:
    """The first day that can be asked for; where the month of then was shorter, the later one."""
    years, month = divmod(today.year * 12 + today.month - 1 - KEPT_MONTHS, 12)
    return date(years, month + 1, 1) + timedelta(days=today.day - 1)


def metric(name: str, attribution: str) -> str:
    """What Google calls it under this attribution."""
    late = attribution == CONVERSION_DATE and name in _BY_CONVERSION_DATE
    return f"{name}_by_conversion_date" if late else name


def insight_fields() -> set[str]:
    """All that any question of insights asks for."""
    names = (*COUNTED, *CONVERSIONS, *EXTRA)
    measured = {f"metrics.{metric(name, attribution)}" for name in names for attribution in ATTRIBUTIONS}
    ids = {name for some in (*_IDS.values(), *_PARENTS.values()) for name in some}
    return measured | ids | {"segments.date", "segments.conversion_action_name"}


def _query(slice: InsightSlice, first: date, fields: tuple[str, ...]) -> str:
    ids = _IDS[slice.level]
    return (
        f"SELECT {', '.join((*ids, 'segments.date', *fields))} FROM {_FROM[slice.level]} "  # noqa: S608 - names and days
        f"WHERE segments.date BETWEEN '{first}' AND '{slice.until}' "
        f"ORDER BY {', '.join(('segments.date', *ids))}"
    )
