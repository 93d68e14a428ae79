"""What a Google customer's entities delivered, in Google's figures: out of what each ad delivered.

A conversion is credited to several clicks, so it is counted in millionths; a level's figures are the sums
of the level below, but for Performance Max campaigns, which deliver without ads.
"""

from collections.abc import Iterable, Iterator, Mapping
from operator import add
from types import MappingProxyType
from typing import NamedTuple

from providers.sandbox.catalog import Ad, AdGroup, Campaign
from providers.sandbox.delivery import RESTATED_DAYS, Delivery
from providers.sandbox.words import META_WHOLE_CURRENCIES
from providers.sandbox.world import Account

MILLION = 1_000_000
LEVELS = ("customer", "campaign", "ad_group", "ad_group_ad")
# By our own name: the action whose deliveries these are, and the millionths that Google credits of each.
CREDITED = {"Purchase": ("omni_purchase", 916_667), "Sign-up": ("lead", 500_000)}
UNCOUNTED = ("link_click", 125_000)  # in all conversions, and not in conversions

Credit = tuple[int, int]  # millionths of conversions, micros of value


class Figures(NamedTuple):
    """One entity's day, or the sum of several. Credits are by conversion action."""

    impressions: int = 0
    clicks: int = 0
    cost_micros: int = 0
    interactions: int = 0
    views: int = 0
    view_through: int = 0
    uncounted: int = 0  # millionths of conversions
    credits: Mapping[str, Credit] = MappingProxyType({})  # to the day of the click
    late: Mapping[str, Credit] = MappingProxyType({})  # to the day of the conversion


Day = tuple[int, int, Figures]  # id of the entity, ordinal of the day


def figures(account: Account, level: str, days: range, today: int, *, late: bool = False) -> Iterator[Day]:
    """Each entity's days with something in them, as they are known `today`; `late`: also what is credited
    to the day of the conversion."""
    if account.stats is not None:
        yield from (day for day in account.stats(level) if day[1] in days)
        return
    parts = _of_ads(account, days, today, late=late)
    if level == "ad_group_ad":
        yield from ((ad.id, day, found) for ad, day, found in parts if not _is_hidden(ad))
        return
    sums: dict[tuple[int, int], Figures] = {}
    for ad, day, found in parts:
        if level == "ad_group" and _is_hidden(ad):
            continue
        key = _id_at(level, ad), day
        sums[key] = total((sums[key], found)) if key in sums else found
    yield from ((entity_id, day, found) for (entity_id, day), found in sums.items())


def total(parts: Iterable[Figures]) -> Figures:
    """The sum."""
    numbers = [0] * 7
    credits: dict[str, Credit] = {}
    late: dict[str, Credit] = {}
    for part in parts:
        numbers = list(map(add, numbers, part[:7]))
        _add(credits, part.credits)
        _add(late, part.late)
    return Figures._make((*numbers, credits, late))


def _add(sums: dict[str, Credit], more: Mapping[str, Credit]) -> None:
    for name, (count, value) in more.items():
        before = sums.get(name, (0, 0))
        sums[name] = (before[0] + count, before[1] + value)


def _id_at(level: str, ad: Ad) -> int:
    match level:
        case "customer":
            return int(ad.account.id)
        case "campaign":
            return ad.campaign.id
    return ad.group.id


def _of_ads(account: Account, days: range, today: int, *, late: bool) -> Iterator[tuple[Ad, int, Figures]]:
    unit = MILLION if account.currency in META_WHOLE_CURRENCIES else MILLION // 100
    for ad in (*account.catalog.ads, *_hidden(account)):
        for day in days:
            delivered = account.source(ad, day, today)
            # What was clicked yesterday converts today; that is not restated any more.
            before = account.source(ad, day - 1, day - 1 + RESTATED_DAYS) if late and day <= today else None
            converted = _credits(before, unit) if before else {}
            if delivered:
                yield ad, day, _figures(delivered, unit, converted)
            elif converted:
                yield ad, day, Figures(late=converted)


def _figures(delivered: Delivery, unit: int, late: dict[str, Credit]) -> Figures:
    name, millionths = UNCOUNTED
    return Figures(
        delivered.impressions,
        delivered.clicks,
        delivered.spend * unit,
        delivered.clicks + delivered.thruplays,
        delivered.thruplays,
        delivered.actions["omni_purchase"][0] if "omni_purchase" in delivered.actions else 0,
        delivered.actions[name][-1] * millionths if name in delivered.actions else 0,
        _credits(delivered, unit),
        late,
    )


def _credits(delivered: Delivery, unit: int) -> dict[str, Credit]:
    found: dict[str, Credit] = {}
    for name, (action, millionths) in CREDITED.items():
        if count := delivered.actions.get(action, (0,))[-1]:
            value = delivered.values.get(action, (0,))[-1] * unit
            found[name] = (count * millionths, value * millionths // MILLION)
    return found


def _is_hidden(ad: Ad) -> bool:
    return ad.id == ad.campaign.id


def _hidden(account: Account) -> list[Ad]:
    """What Performance Max campaigns show instead of ads, one each; no query tells of it."""
    busy = {group.campaign.id for group in account.catalog.ad_groups}
    return [
        _asset(campaign)
        for campaign in account.catalog.campaigns
        if campaign.objective == "PERFORMANCE_MAX" and campaign.id not in busy
    ]


def _asset(campaign: Campaign) -> Ad:
    told = {name: getattr(campaign, name) for name in ("id", "name", "status", "created", "updated")}
    group = AdGroup(
        campaign=campaign,
        **told,
        type="",
        bid=None,
        daily_budget=None,
        lifetime_budget=None,
        starts=campaign.starts,
        ends=campaign.ends,
    )
    return Ad(group=group, **told, type="", review="", creative=0, urls=())
