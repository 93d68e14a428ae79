"""A seed gives the same account every time, of exactly the asked size, with the platforms' variety."""

import pytest

from providers.sandbox.accounts import Opening, counts, open_account
from providers.sandbox.constants import Kind, Platform
from providers.sandbox.generate import Sizes
from providers.sandbox.state import Sandbox
from providers.sandbox.truth import truth
from providers.sandbox.world import ID_SPAN, Account

BOTH = pytest.mark.parametrize("platform", list(Platform))


def make(platform: Platform, sizes: Sizes, seed: int = 7, before: int = 0) -> Account:
    """An account, opened after `before` others."""
    sandbox = Sandbox(seed=seed)
    for _ in range(before):
        open_account(sandbox, Opening(platform, Sizes(1, 1, 1)))
    return open_account(sandbox, Opening(platform, sizes))


@BOTH
def test_the_same_seed_gives_the_same_account(platform: Platform) -> None:
    first, second = (truth(make(platform, Sizes(5, 20, 100))) for _ in range(2))

    assert first == second


@BOTH
def test_another_seed_gives_another_account(platform: Platform) -> None:
    first, second = (truth(make(platform, Sizes(5, 20, 100), seed)) for seed in (7, 8))

    assert first["ads"] != second["ads"]


@BOTH
@pytest.mark.parametrize("sizes", [Sizes(0, 0, 0), Sizes(1, 0, 0), Sizes(1, 1, 1), Sizes(3, 50, 1_000)])
def test_an_account_has_exactly_the_asked_size(platform: Platform, sizes: Sizes) -> None:
    assert counts(make(platform, sizes)) == {
        Kind.CAMPAIGNS: sizes.campaigns,
        Kind.AD_GROUPS: sizes.ad_groups,
        Kind.ADS: sizes.ads,
    }


@BOTH
def test_ids_ascend_and_lie_in_the_accounts_own_block(platform: Platform) -> None:
    account = make(platform, Sizes(20, 200, 2_000), before=2)

    ids = [entity.id for kind in Kind for entity in account.catalog.of(kind)]

    assert ids == sorted(set(ids))
    assert account.first_id < ids[0] < ids[-1] < account.first_id + ID_SPAN


def test_meta_ids_pass_what_a_float_can_hold() -> None:
    account = make(Platform.META, Sizes(1, 1, 1))

    assert account.catalog.ads[0].id > 2**53


def test_every_status_occurs() -> None:
    meta, google = (make(platform, Sizes(40, 100, 400)).catalog for platform in Platform)

    assert {ad.status for ad in meta.ads} == {"ACTIVE", "PAUSED", "ARCHIVED", "DELETED"}
    assert {campaign.status for campaign in meta.campaigns} == {"ACTIVE", "PAUSED", "ARCHIVED", "DELETED"}
    assert {ad.status for ad in google.ads} == {"ENABLED", "PAUSED", "REMOVED"}


def test_performance_max_campaigns_have_no_ad_groups() -> None:
    catalog = make(Platform.GOOGLE, Sizes(60, 300, 300)).catalog

    with_groups = {group.campaign.objective for group in catalog.ad_groups}

    assert "PERFORMANCE_MAX" in {campaign.objective for campaign in catalog.campaigns}
    assert "PERFORMANCE_MAX" not in with_groups


def test_at_meta_either_the_campaign_or_its_ad_sets_have_the_budget() -> None:
    catalog = make(Platform.META, Sizes(40, 200, 0)).catalog

    owners = {
        (
            bool(g.campaign.daily_budget or g.campaign.lifetime_budget),
            bool(g.daily_budget or g.lifetime_budget),
        )
        for g in catalog.ad_groups
    }

    assert owners == {(True, False), (False, True)}


def test_yen_budgets_are_whole_yen() -> None:
    sandbox = Sandbox(seed=7)
    dollars, yen = (
        open_account(sandbox, Opening(Platform.META, Sizes(60, 0, 0), currency=currency))
        for currency in ("USD", "JPY")
    )

    highest = {a.currency: max(c.daily_budget or 0 for c in a.catalog.campaigns) for a in (dollars, yen)}

    assert highest["USD"] <= 500 * 100
    assert 500 * 100 < highest["JPY"] <= 500 * 150
