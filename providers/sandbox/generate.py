"""Make accounts out of a seed: the same seed, sizes and ordinal give the same account, byte for byte.

Attributes are drawn in bulk, so that 100,000 ads take half a second.
"""

import gc
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from providers.sandbox.catalog import Ad, AdGroup, Campaign, Catalog
from providers.sandbox.constants import Platform
from providers.sandbox.words import GOOGLE, META, Words, name
from providers.sandbox.world import ID_SPAN, Account

OPENED = 1_640_995_200  # 2022-01-01: no generated account is older
LATEST = 1_793_491_200  # 2026-11-01: fixed, for a seed must give the same account on any day
DAY = 86_400
CREATIVES = ID_SPAN // 2  # creatives have ids of their own, in the upper half of the account's block

WORDS = {Platform.META: META, Platform.GOOGLE: GOOGLE}


@dataclass(frozen=True)
class Sizes:
    """How much an account holds."""

    campaigns: int
    ad_groups: int
    ads: int

    @classmethod
    def parse(cls, text: str) -> "list[Sizes]":
        """From `12/60/400`: campaigns, ad groups, ads; or `1000x5/5/5` for so many of the same."""
        count, _, size = text.rpartition("x")
        campaigns, ad_groups, ads = (int(part) for part in size.split("/"))
        return [cls(campaigns, ad_groups, ads)] * int(count or 1)


def generate(account: Account, sizes: Sizes, seed: int) -> Catalog:
    """Fill an account. Ad groups and ads are spread unevenly over their parents, as in life."""
    dice = random.Random(f"{seed}/{account.platform}/{account.ordinal}")  # noqa: S311 - wanted: repeatable
    words = WORDS[account.platform]
    with _no_collection():
        campaigns = [_campaign(account, words, dice, n) for n in range(sizes.campaigns)]
        # Performance Max campaigns have no ad groups.
        parents = [c for c in campaigns if c.objective != "PERFORMANCE_MAX"] or campaigns
        groups = _ad_groups(parents, words, dice, sizes.ad_groups if parents else 0, sizes.campaigns)
        ads = _ads(groups, words, dice, sizes.ads if groups else 0, sizes.campaigns + sizes.ad_groups)
    return Catalog(campaigns, groups, ads)


@contextmanager
def _no_collection() -> Iterator[None]:
    """The collector would walk all that is made, again and again, and find nothing to free: not while it
    is made, and not later, for an account lives as long as the process."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def new_id(account: Account, index: int) -> int:
    """The id of the index-th thing of an account: ascending, with gaps of varying width."""
    return account.first_id + (index + 1) * 37 + index * 7919 % 37


def _times(dice: random.Random, earliest: int) -> tuple[int, int]:
    created = earliest + int(dice.random() * (LATEST - earliest))
    return created, created + int(dice.random() * (LATEST - created))


def _budgets(account: Account, words: Words, dice: random.Random) -> tuple[int | None, int | None]:
    """Daily or lifetime, never both."""
    whole = dice.randint(5, 500)
    if account.currency == "JPY":
        whole *= 150  # about the same money
    amount = whole * words.units_of(account.currency)
    return (None, amount * 30) if dice.random() < 0.2 else (amount, None)


def _campaign(account: Account, words: Words, dice: random.Random, index: int) -> Campaign:
    created, updated = _times(dice, account.created)
    # At Meta every third campaign leaves budget and bidding to its ad sets; at Google none does.
    decides = account.platform == Platform.GOOGLE or dice.random() < 0.67
    daily, lifetime = _budgets(account, words, dice) if decides else (None, None)
    return Campaign(
        account=account,
        id=new_id(account, index),
        name=name(dice, index),
        status=words.status(dice),
        created=created,
        updated=updated,
        # The first one is never without ad groups, so that a tiny account is not empty by chance.
        objective=dice.choice(words.objectives) if index else words.objectives[0],
        strategy=dice.choice(words.strategies) if decides else "",
        review=dice.choice(words.campaign_reviews) if dice.random() < 0.05 else "",
        daily_budget=daily,
        lifetime_budget=lifetime,
        starts=created + DAY,
        ends=created + 400 * DAY if lifetime or dice.random() < 0.2 else None,
    )


def _ad_groups(
    parents: Sequence[Campaign], words: Words, dice: random.Random, count: int, first_index: int
) -> list[AdGroup]:
    groups = []
    for index, campaign in enumerate(dice.choices(parents, k=count) if count else (), first_index):
        created, updated = _times(dice, campaign.created)
        decides = campaign.daily_budget is None and campaign.lifetime_budget is None
        daily, lifetime = _budgets(campaign.account, words, dice) if decides else (None, None)
        groups.append(
            AdGroup(
                campaign=campaign,
                id=new_id(campaign.account, index),
                name=name(dice, index),
                status=words.status(dice),
                created=created,
                updated=updated,
                type=dice.choice(words.group_types),
                bid=dice.randint(1, 300) * words.units_of(campaign.account.currency) // 100 or None,
                daily_budget=daily,
                lifetime_budget=lifetime,
                starts=created + DAY,
                ends=campaign.ends,
            )
        )
    return groups


def _ads(
    groups: Sequence[AdGroup], words: Words, dice: random.Random, count: int, first_index: int
) -> list[Ad]:
    if not count:
        return []
    statuses = dice.choices(words.statuses, words.weights, k=count)
    types = dice.choices(words.ad_types, k=count)
    reviews = dice.choices(words.ad_reviews, words.ad_review_weights, k=count)
    ads = []
    for n, group in enumerate(dice.choices(groups, k=count)):
        created, updated = _times(dice, group.created)
        index = first_index + n
        ads.append(
            Ad(
                group=group,
                id=new_id(group.account, index),
                name=name(dice, index),
                status=statuses[n],
                created=created,
                updated=updated,
                type=types[n],
                review=reviews[n],
                creative=group.account.first_id + CREATIVES + n // 2 * 11,  # two ads share one
                urls=(f"https://shop.example/{n % 97}",),
            )
        )
    return ads
