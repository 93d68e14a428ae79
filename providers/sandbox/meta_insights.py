"""Meta's insights: what ads delivered, added up per level and day, as rows on the wire.

Numbers are strings, money in major units; a day without delivery has no row; what is archived or deleted
is shown at its own level only where a filter asks for it, and always counts in the levels above.
"""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from providers.sandbox.catalog import Ad, AdGroup, Campaign, Entity
from providers.sandbox.delivery import WINDOWS, Actions, Delivery, deliveries, total
from providers.sandbox.meta_errors import bad_parameter
from providers.sandbox.meta_insight_query import DEFAULT_WINDOWS, InsightQuery
from providers.sandbox.meta_query import Tree, parse_fields, parse_json, parse_selection
from providers.sandbox.words import META
from providers.sandbox.world import Account

KEPT_ANSWERS = 8  # of the last questions: the next page asks the same again
DAY_KEYS = 10**18  # more than the ids: rows are ordered by day, then by id
_PLACES = {window: place for place, window in enumerate(WINDOWS)}
_DEFAULT_PLACES = [_PLACES[window] for window in DEFAULT_WINDOWS]


class InsightRow(NamedTuple):
    """One entity's days; `entity` is None for the ad account's."""

    account: Account
    entity: Entity | None
    since: int
    until: int
    delivery: Delivery

    @property
    def key(self) -> int:
        """Ascending in a listing."""
        return self.since * DAY_KEYS + (self.entity.id if self.entity else 0)


def rows_of(query: InsightQuery) -> list[InsightRow]:
    """All rows of an answer, in the order of their keys."""
    return _rows(query, query.account.catalog.version)


@lru_cache(maxsize=KEPT_ANSWERS)
def _rows(query: InsightQuery, version: int) -> list[InsightRow]:
    shown = _shown(query)
    first, last = query.since.toordinal(), query.until.toordinal()
    length = query.increment or last - first + 1
    parts: dict[tuple[int, Entity | None], list[Delivery]] = {}
    ads = [ad for ad in query.account.catalog.ads if _is_below(ad, query.parent)]
    found = deliveries(ads, range(first, last + 1), query.today, query.account.source)
    for ad, day, delivery in found:
        entity = _above(ad, query.level)
        if shown is None or entity in shown:
            parts.setdefault((first + (day - first) // length * length, entity), []).append(delivery)
    rows = [
        InsightRow(query.account, entity, day, min(day + length - 1, last), total(found))
        for (day, entity), found in parts.items()
    ]
    return sorted(rows, key=lambda row: row.key)


def _shown(query: InsightQuery) -> set[Entity | None] | None:
    """The entities that the answer may be about; None for the ad account, which has one row a day."""
    if query.kind is None:
        if parse_json("filtering", query.filtering):
            raise bad_parameter("the sandbox offers no filtering at level account")
        return None
    if query.parent is not None and _above_type(query.level) is type(query.parent):
        return {query.parent}  # asked for by its id: shown whatever its status
    tests = parse_selection(query.kind, {"filtering": query.filtering})
    rows = query.account.catalog.of(query.kind)
    return {row for row in rows if all(test(row) for test in tests)}


def _above_type(level: str) -> type[Entity]:
    return {"campaign": Campaign, "adset": AdGroup, "ad": Ad}[level]


def _above(ad: Ad, level: str) -> Entity | None:
    match level:
        case "ad":
            return ad
        case "adset":
            return ad.group
        case "campaign":
            return ad.campaign
    return None


def _is_below(ad: Ad, parent: Entity | None) -> bool:
    return parent is None or parent in (ad, ad.group, ad.campaign)


Getter = Callable[[InsightRow, InsightQuery], Any]


def plan_for(query: InsightQuery, fields: str) -> list[tuple[str, Getter]]:
    """How to write the fields asked for; those of a finer level are left out, the days always there."""
    wanted = parse_fields(fields) or Tree(impressions=Tree(), spend=Tree())
    for name in wanted:
        if name not in _FIELDS:
            raise bad_parameter(f"{name} is not valid for fields param")
    return [(name, _FIELDS[name]) for name in wanted | Tree(date_start=Tree(), date_stop=Tree())]


def write(row: InsightRow, query: InsightQuery, steps: list[tuple[str, Getter]]) -> dict[str, Any]:
    """One row, as planned; what has no value is left out."""
    return {name: value for name, get in steps if (value := get(row, query)) not in (None, [])}


def money(account: Account, minor: int) -> str:
    """In major units, as Meta writes it: without zeros at the end."""
    units = META.units_of(account.currency)
    if units == 1:
        return str(minor)
    whole, part = divmod(minor, units)
    return f"{whole}.{part:02d}".rstrip("0") if part else str(whole)


def _count(name: str) -> Getter:
    return lambda row, _: str(getattr(row.delivery, name))


def _ratio(over: str, under: str, times: int = 1) -> Getter:
    def get(row: InsightRow, _: InsightQuery) -> str | None:
        below = getattr(row.delivery, under)
        return f"{getattr(row.delivery, over) * times / below:.6f}" if below else None

    return get


def _video(name: str) -> Getter:
    def get(row: InsightRow, _: InsightQuery) -> list[dict[str, str]] | None:
        number = getattr(row.delivery, name)
        return [{"action_type": "video_view", "value": str(number)}] if number else None

    return get


def _actions(row: InsightRow, query: InsightQuery) -> list[dict[str, str]]:
    return _items(row.delivery.actions, query, str)


def _values(row: InsightRow, query: InsightQuery) -> list[dict[str, str]]:
    return _items(row.delivery.values, query, lambda minor: money(row.account, minor))


def _items(actions: Actions, query: InsightQuery, text: Callable[[int], str]) -> list[dict[str, str]]:
    """`value` counts by the default windows; the windows asked for come beside it, unless they are 0."""
    asked = [(window, _PLACES[window]) for window in query.windows if window in _PLACES]
    told: dict[int, dict[str, str]] = {}  # several types of action share their amounts
    items = []
    for name in sorted(actions):
        amounts = actions[name]
        rest = told.get(id(amounts))
        if rest is None:
            rest = told[id(amounts)] = {"value": text(sum([amounts[place] for place in _DEFAULT_PLACES]))}
            rest |= {window: text(amounts[place]) for window, place in asked if amounts[place]}
        items.append({"action_type": name, **rest})
    return items


def _parent(of: type[Entity], name: str) -> Getter:
    """A value of the row's entity or of one above it; none for what is below."""
    way = {Campaign: "campaign", AdGroup: "group"}.get(of, "")

    def get(row: InsightRow, _: InsightQuery) -> str | None:
        entity = row.entity
        found = entity if type(entity) is of else getattr(entity, way, None)
        return None if found is None else str(getattr(found, name))

    return get


_FIELDS: dict[str, Getter] = {
    "account_id": lambda row, _: row.account.id,
    "account_name": lambda row, _: row.account.name,
    "account_currency": lambda row, _: row.account.currency,
    "campaign_id": _parent(Campaign, "id"),
    "campaign_name": _parent(Campaign, "name"),
    "objective": _parent(Campaign, "objective"),
    "adset_id": _parent(AdGroup, "id"),
    "adset_name": _parent(AdGroup, "name"),
    "ad_id": _parent(Ad, "id"),
    "ad_name": _parent(Ad, "name"),
    "impressions": _count("impressions"),
    "clicks": _count("clicks"),
    "inline_link_clicks": _count("link_clicks"),
    "reach": _count("reach"),
    "spend": lambda row, _: money(row.account, row.delivery.spend),
    "frequency": _ratio("impressions", "reach"),
    "ctr": _ratio("clicks", "impressions", 100),
    "actions": _actions,
    "action_values": _values,
    "video_play_actions": _video("plays"),
    "video_thruplay_watched_actions": _video("thruplays"),
    "date_start": lambda row, _: date.fromordinal(row.since).isoformat(),
    "date_stop": lambda row, _: date.fromordinal(row.until).isoformat(),
}
