"""What one ad account holds: its campaigns, ad groups and ads, in the platform's own words.

Guarantee: each list is in ascending order of ids, so that a page after an id is found by bisection
and neither an edit nor a removal shifts what a reader has yet to see.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from providers.sandbox.constants import Kind

if TYPE_CHECKING:
    from providers.sandbox.world import Account

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Campaign:
    """Money is in minor units at Meta and in micros at Google; times are unix seconds."""

    account: "Account"
    id: int
    name: str
    status: str
    created: int
    updated: int
    objective: str  # Google: advertising channel type
    strategy: str  # "" where the ad groups decide
    review: str  # Meta: what an otherwise active campaign's effective status says instead, or ""
    daily_budget: int | None
    lifetime_budget: int | None
    starts: int
    ends: int | None


@dataclass(slots=True, eq=False)
class AdGroup:
    """Meta calls it an ad set."""

    campaign: Campaign
    id: int
    name: str
    status: str
    created: int
    updated: int
    type: str  # Meta: optimization goal
    bid: int | None
    daily_budget: int | None
    lifetime_budget: int | None
    starts: int
    ends: int | None

    @property
    def account(self) -> "Account":
        return self.campaign.account


@dataclass(slots=True, eq=False)
class Ad:
    """`creative` is Meta's creative id; `urls` are Google's final URLs."""

    group: AdGroup
    id: int
    name: str
    status: str
    created: int
    updated: int
    type: str
    review: str
    creative: int
    urls: tuple[str, ...]

    @property
    def campaign(self) -> Campaign:
        return self.group.campaign

    @property
    def account(self) -> "Account":
        return self.group.campaign.account


Entity = Campaign | AdGroup | Ad


@dataclass(slots=True, eq=False)
class Catalog:
    """The three lists, and answers derived from them that are kept until the next edit."""

    campaigns: list[Campaign] = field(default_factory=list)
    ad_groups: list[AdGroup] = field(default_factory=list)
    ads: list[Ad] = field(default_factory=list)
    version: int = 0  # counts the edits
    last_id: int = 0  # the highest that was ever given to what vanished or was added: none is given twice
    _memo: dict[object, list[Any]] = field(default_factory=dict)

    def of(self, kind: Kind) -> list[Entity]:
        """The list of one kind; callers must not keep it over an edit."""
        lists = {Kind.CAMPAIGNS: self.campaigns, Kind.AD_GROUPS: self.ad_groups, Kind.ADS: self.ads}
        return lists[kind]  # type: ignore[return-value]  # lists are invariant, the elements are entities

    def find(self, entity_id: int) -> Entity | None:
        """The campaign, ad group or ad with this id."""
        for kind in Kind:
            entities = self.of(kind)
            at = bisect_left(entities, entity_id, key=lambda entity: entity.id)
            if at < len(entities) and entities[at].id == entity_id:
                return entities[at]
        return None

    def highest_id(self) -> int:
        """Ever given in this account."""
        return max(self.last_id, *(self.of(kind)[-1].id for kind in Kind if self.of(kind)))

    def remembered(self, key: object, select: Callable[[], list[T]]) -> list[T]:
        """What `select` gives, computed once between two edits: later pages cost no scan."""
        if key not in self._memo:
            self._memo[key] = select()
        return self._memo[key]

    def touched(self) -> None:
        """Something was edited: derived answers are no longer true."""
        self.version += 1
        self._memo.clear()

    def sort(self) -> None:
        """Bring entities that were put back into the order of their ids."""
        for kind in Kind:
            self.of(kind).sort(key=lambda entity: entity.id)
        self.touched()
