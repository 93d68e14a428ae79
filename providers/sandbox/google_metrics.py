"""Queries for metrics: which there are, which rows they give, and which queries Google refuses."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from providers.sandbox.catalog import Entity
from providers.sandbox.constants import Kind
from providers.sandbox.gaql import Condition, Query
from providers.sandbox.google_errors import GoogleError, query_error
from providers.sandbox.google_figures import MILLION, Credit, Figures, figures, total
from providers.sandbox.state import Sandbox
from providers.sandbox.today import today_of
from providers.sandbox.world import Account

KEPT_MONTHS = 37  # of single days
LEVELS = ("customer", "campaign", "ad_group", "ad_group_ad")
DAY, ACTION = "segments.date", "segments.conversion_action_name"
KINDS = {"campaign": Kind.CAMPAIGNS, "ad_group": Kind.AD_GROUPS, "ad_group_ad": Kind.ADS}
BY_ACTION = frozenset(  # the only ones that stand beside a conversion action
    f"metrics.{name}{late}"
    for name in ("conversions", "conversions_value", "all_conversions", "all_conversions_value")
    for late in ("", "_by_conversion_date")
)


@dataclass(slots=True, eq=False)
class Insight:
    """One row: an entity (at the top the account), and its figures."""

    entity: Account | Entity
    day: str
    action: str
    found: Figures


def _credited(late: bool, index: int, uncounted: bool = False) -> Callable[[Insight], float]:
    def get(row: Insight) -> float:
        found = row.found
        credits: Iterable[Credit] = (found.late if late else found.credits).values()
        more = found.uncounted if uncounted and not late else 0
        return (sum(credit[index] for credit in credits) + more) / MILLION

    return get


METRICS: dict[str, tuple[Callable[[Insight], Any], str]] = {
    "impressions": (lambda row: row.found.impressions, "int64"),
    "clicks": (lambda row: row.found.clicks, "int64"),
    "cost_micros": (lambda row: row.found.cost_micros, "int64"),
    "interactions": (lambda row: row.found.interactions, "int64"),
    "video_trueview_views": (lambda row: row.found.views, "int64"),
    "view_through_conversions": (lambda row: row.found.view_through, "int64"),
    "conversions": (_credited(late=False, index=0), "double"),
    "conversions_value": (_credited(late=False, index=1), "double"),
    "all_conversions": (_credited(late=False, index=0, uncounted=True), "double"),
    "all_conversions_value": (_credited(late=False, index=1), "double"),
    "conversions_by_conversion_date": (_credited(late=True, index=0), "double"),
    "conversions_value_by_conversion_date": (_credited(late=True, index=1), "double"),
    "all_conversions_by_conversion_date": (_credited(late=True, index=0), "double"),
    "all_conversions_value_by_conversion_date": (_credited(late=True, index=1), "double"),
    "ctr": (lambda row: row.found.clicks / row.found.impressions if row.found.impressions else 0.0, "double"),
    "average_cpc": (
        lambda row: row.found.cost_micros / row.found.clicks if row.found.clicks else 0.0,
        "double",
    ),
}
SEGMENTS: dict[str, Callable[[Insight], Any]] = {
    "date": lambda row: row.day,
    "conversion_action_name": lambda row: row.action,
}


def asks_for_metrics(query: Query) -> bool:
    """Whether rows are about figures; a segment alone makes them so, too."""
    return any(name.startswith(("metrics.", "segments.")) for name in names_of(query))


def names_of(query: Query) -> Iterator[str]:
    """All fields that a query names."""
    yield from query.fields
    yield from (condition.field for condition in query.conditions)
    yield from (order.field for order in query.order)


def check(sandbox: Sandbox, account: Account, query: Query) -> None:
    """Refuse what Google refuses. The manager's metrics are refused before."""
    selected, named = set(query.fields), set(names_of(query))
    if ACTION in named - selected:
        raise query_error(
            "EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE", f"{ACTION} must be in SELECT to be in WHERE."
        )
    wrong = sorted(name for name in named if name.startswith("metrics.") and name not in BY_ACTION)
    if ACTION in named and wrong:
        raise query_error(
            "PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
            f"{ACTION} can't be selected together with {wrong[0]}.",
        )
    if DAY not in named:
        return
    begin, end = _range(query.conditions)
    if begin is None or end is None:
        raise query_error("EXPECTED_FILTERS_ON_DATE_RANGE", f"{DAY} needs a finite range of days.")
    if begin > end:
        raise GoogleError(400, "dateRange", "START_DATE_AFTER_END_DATE", "The range ends before it begins.")
    if DAY in selected and begin < months_before(today_of(sandbox, account), KEPT_MONTHS):
        raise GoogleError(
            400,
            "dateRange",
            "REQUESTED_DATE_GRANULARITY_NOT_SUPPORTED",
            f"Days are kept for {KEPT_MONTHS} months.",
        )


def rows_of(sandbox: Sandbox, account: Account, query: Query) -> list[Insight]:
    """One row per entity, and per day and conversion action where these are selected.

    A row whose metrics are all zero is left out where a segment is selected.
    """
    today = today_of(sandbox, account)
    begin, end = _range(query.conditions)
    first = begin or datetime.fromtimestamp(account.created, account.zone).date()
    days = range(first.toordinal(), min(end or today, today).toordinal() + 1)
    late = any(name.endswith("_by_conversion_date") for name in names_of(query))
    found = _merged(
        figures(account, query.resource, days, today.toordinal(), late=late), by_day=DAY in query.fields
    )
    entities = entities_of(account, query.resource)
    rows = [
        Insight(entities[entity_id], date.fromordinal(day).isoformat() if day else "", "", one)
        for (entity_id, day), one in found
        if entity_id in entities
    ]
    if ACTION in query.fields:
        return [split for row in rows for split in _by_action(row)]
    if DAY in query.fields:
        wanted = [METRICS[n.removeprefix("metrics.")][0] for n in query.fields if n.startswith("metrics.")]
        return [row for row in rows if any(get(row) for get in wanted)] if wanted else rows
    silent = entities.keys() - {entity_id for (entity_id, _), _ in found}
    return rows + [Insight(entities[one], "", "", Figures()) for one in sorted(silent)]


def _merged(
    days: Iterable[tuple[int, int, Figures]], *, by_day: bool
) -> list[tuple[tuple[int, int], Figures]]:
    """By entity and day, or with 0 for the day by entity alone."""
    if by_day:
        return [((entity_id, day), found) for entity_id, day, found in days]
    parts: dict[int, list[Figures]] = {}
    for entity_id, _, found in days:
        parts.setdefault(entity_id, []).append(found)
    return [((entity_id, 0), total(some)) for entity_id, some in parts.items()]


def entities_of(account: Account, level: str) -> dict[int, Account | Entity]:
    """All that a level's rows may be about, by id."""
    if level == LEVELS[0]:
        return {int(account.id): account}
    return {entity.id: entity for entity in account.catalog.of(KINDS[level])}


def _by_action(row: Insight) -> Iterator[Insight]:
    found = row.found
    for name in sorted(found.credits.keys() | found.late.keys()):
        credits = {name: found.credits[name]} if name in found.credits else {}
        late = {name: found.late[name]} if name in found.late else {}
        yield Insight(row.entity, row.day, name, Figures(credits=credits, late=late))


def _range(conditions: Iterable[Condition]) -> tuple[date | None, date | None]:
    """The days that the conditions leave, where they are finite."""
    begins: list[date] = []
    ends: list[date] = []
    for condition in conditions:
        if condition.field != DAY:
            continue
        match condition.operator, condition.value:
            case "BETWEEN", (str(low), str(high)):
                begins.append(_day(low))
                ends.append(_day(high))
            case "=", str(day):
                begins.append(_day(day))
                ends.append(_day(day))
            case ">=" | ">", str(day):
                begins.append(_day(day))
            case "<=" | "<", str(day):
                ends.append(_day(day))
    return max(begins, default=None), min(ends, default=None)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise query_error("INVALID_DATE_FORMAT", f"'{text}' is no day as 2026-11-01.") from None


def months_before(today: date, months: int) -> date:
    """The same day of an earlier month; where it was shorter, the first of the next one."""
    years, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    return date(years, month + 1, 1) + timedelta(days=today.day - 1)
