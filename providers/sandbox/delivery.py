"""What each ad delivered on each day: a function of the account's seed, the ad and the day, so that nothing
is stored, any day can be asked for at any time, and the sums of all levels agree.

Days are the ad account's. Conversions of a day grow for four weeks, as the platforms restate them; what was
delivered stands at once. Edits change the past of nothing: an ad that was removed delivers until that day,
and now and then something it is credited with comes later.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache
from operator import add
from typing import NamedTuple
from zoneinfo import ZoneInfo

from providers.sandbox.catalog import Ad

# When a conversion came after the view or the click; a window holds those of the shorter ones, too.
WINDOWS = ("1d_view", "1d_click", "7d_click", "28d_click")
RESTATED_DAYS = 28
GONE = frozenset({"ARCHIVED", "DELETED", "REMOVED"})
PURCHASES = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
LEADS = ("lead", "offsite_conversion.fb_pixel_lead")

Amounts = tuple[int, ...]  # by window
Actions = Mapping[str, Amounts]  # by type of action


class Delivery(NamedTuple):
    """One ad's day, or the sum of several. Money is in minor units; people can't be added."""

    impressions: int
    clicks: int
    link_clicks: int
    spend: int
    reach: int
    plays: int
    thruplays: int
    actions: Actions
    values: Actions  # money


Source = Callable[[Ad, int, int], Delivery | None]  # of an ad on a day as seen on a later one, as ordinals

_MASK = 2**64 - 1


def _mix(number: int) -> int:
    """64 bits that look drawn (the finisher of splitmix64)."""
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    number = (number ^ number >> 27) * 0x94D049BB133111EB & _MASK
    return number ^ number >> 31


def generated(ad: Ad, day: int, today: int) -> Delivery | None:
    """Of a generated ad; nothing on days before its making, after its removal, and on some between."""
    first, last = _span(ad)
    if not first <= day <= today:
        return None
    own = _mix(ad.id + ad.account.seed * 0x9E3779B97F4A7C15 & _MASK)
    bits = _mix(own + day * 0xD1342543DE82EF95 & _MASK)
    if last is not None and day > last:
        return _late(bits) if day <= last + RESTATED_DAYS else None
    if bits & 7 == 0:
        return None
    impressions = (50 + own % 4_950) * (128 + (bits >> 3 & 255)) // 256
    clicks = impressions * (bits >> 11 & 31) // 1_024
    plays = impressions // 3 if own >> 40 & 3 == 0 else 0
    actions, values = _conversions(clicks, bits, min(today - day, RESTATED_DAYS))
    return Delivery(
        impressions=impressions,
        clicks=clicks,
        link_clicks=clicks * 3 // 4,
        spend=impressions * (400 + (bits >> 16 & 511)) // 1_000,
        reach=1 + impressions * (60 + (bits >> 25 & 31)) // 100,
        plays=plays,
        thruplays=plays // 4,
        actions=actions,
        values=values,
    )


def _conversions(clicks: int, bits: int, age: int) -> tuple[Actions, Actions]:
    """A third of them on the day itself, all after four weeks."""
    link_clicks = clicks * 3 // 4
    actions: dict[str, Amounts] = {}
    if link_clicks:
        actions["link_click"] = (0, link_clicks, link_clicks, link_clicks)
    bought = _seen(link_clicks * (bits >> 30 & 15) // 60, bits >> 34 & 3, age)
    if any(bought):
        actions |= dict.fromkeys(PURCHASES, bought)
    leads = _seen(link_clicks // 9 if bits >> 36 & 7 == 0 else 0, 0, age)
    if any(leads):
        actions |= dict.fromkeys(LEADS, leads)
    price = 1_500 + (bits >> 40 & 4_095)
    return actions, dict.fromkeys(PURCHASES, tuple(price * n for n in bought)) if any(bought) else {}


def _seen(after_click: int, after_view: int, age: int) -> Amounts:
    share = RESTATED_DAYS // 2 + age  # of 42
    full = (after_view, after_click * 6 // 10, after_click * 9 // 10, after_click)
    return tuple(number * share // (RESTATED_DAYS * 3 // 2) for number in full)


def _late(bits: int) -> Delivery | None:
    """A purchase that a removed ad is credited with."""
    if bits % 10:
        return None
    price = 1_500 + (bits >> 40 & 4_095)
    values = dict.fromkeys(PURCHASES, (0, 0, price, price))
    return Delivery(0, 0, 0, 0, 0, 0, 0, dict.fromkeys(PURCHASES, (0, 0, 1, 1)), values)


def _span(ad: Ad) -> tuple[int, int | None]:
    """The ad's first day, and its last one where it is gone."""
    zone = ad.account.zone
    gone = [_ordinal(zone, one.updated) for one in (ad, ad.group, ad.campaign) if one.status in GONE]
    return _ordinal(zone, ad.created), min(gone, default=None)


@lru_cache(maxsize=65_536)
def _ordinal(zone: ZoneInfo, seconds: int) -> int:
    return datetime.fromtimestamp(seconds, zone).date().toordinal()


def deliveries(
    ads: Iterable[Ad], days: range, today: date, source: Source
) -> Iterator[tuple[Ad, int, Delivery]]:
    """All that was delivered on these days (ordinals), as it is known `today`."""
    seen = today.toordinal()
    for ad in ads:
        for day in days:
            if (delivery := source(ad, day, seen)) is not None:
                yield ad, day, delivery


def total(parts: list[Delivery]) -> Delivery:
    """The sum. Some people saw several of the ads: four fifths of the sum are different ones."""
    if len(parts) == 1:
        return parts[0]

    def of(name: str) -> int:
        return sum(getattr(part, name) for part in parts)

    return Delivery(
        impressions=of("impressions"),
        clicks=of("clicks"),
        link_clicks=of("link_clicks"),
        spend=of("spend"),
        reach=of("reach") * 4 // 5,
        plays=of("plays"),
        thruplays=of("thruplays"),
        actions=_sum(part.actions for part in parts),
        values=_sum(part.values for part in parts),
    )


def _sum(parts: Iterable[Actions]) -> Actions:
    summed: dict[str, Amounts] = {}
    for part in parts:
        for name, amounts in part.items():
            summed[name] = tuple(map(add, summed[name], amounts)) if name in summed else amounts
    return summed
