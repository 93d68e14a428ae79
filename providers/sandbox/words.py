"""What generated entities are called and may say: each platform's own words, with their frequencies."""

import random
from dataclasses import dataclass

# Currencies whose minor unit is the currency itself in Meta's own table, which is not ISO 4217.
META_WHOLE_CURRENCIES = frozenset(
    {"CLP", "COP", "CRC", "HUF", "ISK", "IDR", "JPY", "KRW", "PYG", "TWD", "VND"}
)

SEASONS = ("Spring sale", "Sommer-Aktion", "Évergreen", "Black Friday", "春のセール", "Retargeting")
MARKETS = ("DE", "FR", "UK", "US", "JP", "BR", "Nordics", "DACH")
AUDIENCES = ("Lookalike 1%", "Broad", "Cart abandoners", "Newsletter", "Brand", "18-34")


@dataclass(frozen=True)
class Words:
    """One platform's vocabulary. Statuses come with the first one being the live one."""

    statuses: tuple[str, ...]
    weights: tuple[int, ...]
    objectives: tuple[str, ...]
    strategies: tuple[str, ...]
    campaign_reviews: tuple[str, ...]
    group_types: tuple[str, ...]
    ad_types: tuple[str, ...]
    ad_reviews: tuple[str, ...]
    ad_review_weights: tuple[int, ...]
    micros: bool

    def status(self, dice: random.Random) -> str:
        return dice.choices(self.statuses, self.weights)[0]

    def units_of(self, currency: str) -> int:
        """How many of the platform's money units make one unit of the currency."""
        if self.micros:
            return 1_000_000
        return 1 if currency in META_WHOLE_CURRENCIES else 100


META = Words(
    statuses=("ACTIVE", "PAUSED", "ARCHIVED", "DELETED"),
    weights=(60, 25, 10, 5),
    objectives=(
        "OUTCOME_SALES",
        "OUTCOME_TRAFFIC",
        "OUTCOME_LEADS",
        "OUTCOME_AWARENESS",
        "OUTCOME_ENGAGEMENT",
        "OUTCOME_APP_PROMOTION",
        "LINK_CLICKS",  # a legacy name, as old campaigns still have it
    ),
    strategies=(
        "LOWEST_COST_WITHOUT_CAP",
        "LOWEST_COST_WITH_BID_CAP",
        "COST_CAP",
        "LOWEST_COST_WITH_MIN_ROAS",
    ),
    campaign_reviews=("IN_PROCESS", "WITH_ISSUES"),
    group_types=("OFFSITE_CONVERSIONS", "LINK_CLICKS", "REACH", "IMPRESSIONS", "THRUPLAY", "LEAD_GENERATION"),
    ad_types=("",),  # an ad of Meta's has no type; its creative tells
    ad_reviews=("", "PENDING_REVIEW", "DISAPPROVED", "PREAPPROVED", "WITH_ISSUES"),
    ad_review_weights=(92, 3, 3, 1, 1),
    micros=False,
)

GOOGLE = Words(
    statuses=("ENABLED", "PAUSED", "REMOVED"),
    weights=(60, 25, 15),
    objectives=("SEARCH", "DISPLAY", "SHOPPING", "VIDEO", "PERFORMANCE_MAX", "DEMAND_GEN"),
    strategies=("MAXIMIZE_CONVERSIONS", "TARGET_CPA", "TARGET_ROAS", "MANUAL_CPC", "TARGET_SPEND"),
    campaign_reviews=("",),
    group_types=("SEARCH_STANDARD", "DISPLAY_STANDARD", "SHOPPING_PRODUCT_ADS", "VIDEO_RESPONSIVE"),
    ad_types=("RESPONSIVE_SEARCH_AD", "RESPONSIVE_DISPLAY_AD", "SHOPPING_PRODUCT_AD", "VIDEO_RESPONSIVE_AD"),
    ad_reviews=("APPROVED", "APPROVED_LIMITED", "DISAPPROVED", ""),
    ad_review_weights=(90, 5, 3, 2),
    micros=True,
)


def name(dice: random.Random, index: int) -> str:
    """A name as people give them: separators, accents, other scripts."""
    return f"{dice.choice(SEASONS)} | {dice.choice(MARKETS)} | {dice.choice(AUDIENCES)} | {index + 1:04d}"
