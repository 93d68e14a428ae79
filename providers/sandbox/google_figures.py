"""What a Google customer's entities delivered, in Google's figures: out of what each ad delivered.

A conversion is credited to several clicks, so it is counted in millionths; a level's figures are the sums
of the level below, but for Performance Max campaigns, which deliver without ads.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from providers.sandbox.catalog import Ad, AdGroup, Campaign
from providers.sandbox.delivery import RESTATED_DAYS, Delivery
from providers.sandbox.words import META_WHOLE_CURRENCIES
from providers.sandbox.world import Account

MILLION = 1_000_000
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


class Asked(NamedTuple):
    """One day of an account."""

    account: Account
    day: int
    today: int  # as of when
    late: bool  # also what is credited to the day of the conversion


def figures(account: Account, level: str, days: range, today: int, *, late: bool = False) -> Iterator[Day]:
    """Each entity's days with something in them, as they are known `today`; `late`: also what is credited
    to the day of the conversion."""
    if account.stats is not None:
        yield from (day for day in account.stats(level) if day[1] in days)
        return
    for day in days:
        yield from _LEVELS[level](Asked(account, day, today, late))


def total(parts: Iterable[Figures]) -> Figures:
    """The sum."""
    some = list(parts)
    credits: dict[str, Credit] = {}
    late: dict[str, Credit] = {}
    for part in some:
        _add(credits, part.credits)
        _add(late, part.late)
    return Figures._make((*map(sum, zip(*(part[:7] for part in some), strict=True)), credits, late))


def _add(sums: dict[str, Credit], more: Mapping[str, Credit]) -> None:
    for name, (count, value) in more.items():
        before = sums.get(name, (0, 0))
        sums[name] = (before[0] + count, before[1] + value)


def _ads(asked: Asked) -> Iterator[Day]:
    return ((ad.id, asked.day, found) for ad, found in _delivered(asked, asked.account.catalog.ads))


def _ad_groups(asked: Asked) -> list[Day]:
    """Kept until the next edit: all ads are looked at for it."""

    def add_up() -> list[Day]:
        parts: dict[int, list[Figures]] = defaultdict(list)
        for ad, found in _delivered(asked, asked.account.catalog.ads):
            parts[ad.group.id].append(found)
        return [(group_id, asked.day, total(found)) for group_id, found in parts.items()]

    return asked.account.catalog.remembered(("figures", *asked[1:]), add_up)


def _campaigns(asked: Asked) -> Iterator[Day]:
    parts: dict[int, list[Figures]] = defaultdict(list)
    groups = {group.id: group for group in asked.account.catalog.ad_groups}
    for group_id, _, found in _ad_groups(asked):
        parts[groups[group_id].campaign.id].append(found)
    for asset, found in _delivered(asked, _assets(asked.account)):
        parts[asset.campaign.id].append(found)
    return ((campaign_id, asked.day, total(found)) for campaign_id, found in parts.items())


def _customer(asked: Asked) -> Iterator[Day]:
    if parts := [found for *_, found in _campaigns(asked)]:
        yield int(asked.account.id), asked.day, total(parts)


_LEVELS: dict[str, Callable[[Asked], Iterable[Day]]] = {
    "customer": _customer,
    "campaign": _campaigns,
    "ad_group": _ad_groups,
    "ad_group_ad": _ads,
}


def _delivered(asked: Asked, ads: Iterable[Ad]) -> Iterator[tuple[Ad, Figures]]:
    account, day, today, with_late = asked
    unit = MILLION if account.currency in META_WHOLE_CURRENCIES else MILLION // 100
    for ad in ads:
        delivered = account.source(ad, day, today)
        # What was clicked yesterday converts today; that is not restated any more.
        before = account.source(ad, day - 1, day - 1 + RESTATED_DAYS) if with_late and day <= today else None
        converted = _credits(before, unit) if before else {}
        if delivered:
            yield ad, _figures(delivered, unit, converted)
        elif converted:
            yield ad, Figures(late=converted)


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


def _assets(account: Account) -> list[Ad]:
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
