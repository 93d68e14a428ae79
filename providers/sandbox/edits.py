"""What people do to an account while it is being copied: rename, pause, spend, remove, add.

Each edit moves the entity's updated time, as on the platforms; a parent's does not move its children's.
"""

import random
from dataclasses import dataclass, field
from typing import Any, TypeVar

from providers.sandbox.catalog import Ad, AdGroup, Campaign, Entity
from providers.sandbox.constants import Kind, Platform
from providers.sandbox.generate import DAY, new_id
from providers.sandbox.world import Account

Parent = TypeVar("Parent", Campaign, AdGroup)
LIVE = {Platform.META: "ACTIVE", Platform.GOOGLE: "ENABLED"}
REMOVED = {Platform.META: "DELETED", Platform.GOOGLE: "REMOVED"}
CHANGEABLE = frozenset(
    {"name", "status", "daily_budget", "lifetime_budget", "bid", "review", "ends", "objective"}
)


def change(account: Account, entity_id: int, changes: dict[str, Any], now: float) -> Entity:
    """Set fields of one entity."""
    entity = found(account, entity_id)
    for name, value in changes.items():
        if name not in CHANGEABLE or not hasattr(entity, name):
            raise ValueError(f"{name} can't be changed on {type(entity).__name__}")
        setattr(entity, name, value)
    entity.updated = int(now)
    account.catalog.touched()
    return entity


def found(account: Account, entity_id: int) -> Entity:
    entity = account.catalog.find(entity_id)
    if entity is None:
        raise ValueError(f"account {account.id} holds no {entity_id}")
    return entity


def kind_of(entity: Entity) -> Kind:
    return {Campaign: Kind.CAMPAIGNS, AdGroup: Kind.AD_GROUPS, Ad: Kind.ADS}[type(entity)]


def external_id(entity: Entity) -> str:
    """As the product names it: Google's ads by `adGroup~ad`."""
    if isinstance(entity, Ad) and entity.account.platform == Platform.GOOGLE:
        return f"{entity.group.id}~{entity.id}"
    return str(entity.id)


def inner_id(text: str) -> int:
    """The id in an external id."""
    return int(text.rpartition("~")[2])


def remove(account: Account, entity_id: int, now: float) -> Entity:
    """As a user deletes: the entity stays, with the status that says so."""
    return change(account, entity_id, {"status": REMOVED[account.platform]}, now)


@dataclass
class Vanished:
    """What no listing and no read by id shows any more, kept for its return."""

    by_account: dict[Account, dict[int, list[Entity]]] = field(default_factory=dict)

    def vanish(self, account: Account, entity_id: int) -> list[Entity]:
        """Take an entity out, and all that is below it."""
        entity, catalog = found(account, entity_id), account.catalog
        gone: list[Entity] = [entity]
        gone += [g for g in catalog.ad_groups if g.campaign is entity]
        gone += [ad for ad in catalog.ads if entity in (ad.group, ad.group.campaign)]
        for kind in Kind:
            entities = catalog.of(kind)
            taken = {id(e) for e in gone}
            entities[:] = [e for e in entities if id(e) not in taken]
        catalog.touched()
        self.by_account.setdefault(account, {})[entity_id] = gone
        return gone

    def bring_back(self, account: Account, entity_id: int, now: float) -> Entity:
        """Undo `vanish`, or make a removed entity live again."""
        for entity in self.by_account.get(account, {}).pop(entity_id, []):
            account.catalog.of(kind_of(entity)).append(entity)
        account.catalog.sort()
        if found(account, entity_id).status == REMOVED[account.platform]:
            return change(account, entity_id, {"status": LIVE[account.platform]}, now)
        return found(account, entity_id)


def create(account: Account, kind: Kind, now: float, *, parent: int | None = None, name: str = "") -> Entity:
    """Add an entity, below the last possible parent unless one is named."""
    catalog, at = account.catalog, int(now)
    new = new_id(account, sum(len(catalog.of(k)) for k in Kind))
    new = max(new, *(catalog.of(k)[-1].id + 1 for k in Kind if catalog.of(k)))
    name, status = name or f"New {kind} {new}", LIVE[account.platform]
    if kind == Kind.CAMPAIGNS:
        last = catalog.campaigns[-1]
        made: Entity = Campaign(
            account, new, name, status, at, at, last.objective, last.strategy, "", 5000, None, at + DAY, None
        )
    elif kind == Kind.AD_GROUPS:
        campaign = _parent(account, parent, Campaign) or catalog.ad_groups[-1].campaign
        kind_word = catalog.ad_groups[-1].type if catalog.ad_groups else "LINK_CLICKS"
        made = AdGroup(campaign, new, name, status, at, at, kind_word, None, None, None, at + DAY, None)
    else:
        group = _parent(account, parent, AdGroup) or catalog.ad_groups[-1]
        ad_type = catalog.ads[-1].type if catalog.ads else ""
        made = Ad(group, new, name, status, at, at, ad_type, "", new, ("https://shop.example/new",))
    catalog.of(kind).append(made)
    catalog.sort()
    return made


def _parent(account: Account, parent: int | None, wanted: type[Parent]) -> Parent | None:
    if parent is None:
        return None
    entity = found(account, parent)
    if not isinstance(entity, wanted):
        raise ValueError(f"{parent} is no {wanted.__name__}")
    return entity


def edit_at_random(account: Account, count: int, dice: random.Random, now: float) -> list[Entity]:
    """So many edits of different entities, mostly names and statuses, as in an account at work."""
    pool = [entity for kind in Kind for entity in account.catalog.of(kind)]
    edited = dice.sample(pool, min(count, len(pool)))
    for entity in edited:
        _edit(entity, dice)
        entity.updated = int(now)
    account.catalog.touched()
    return edited


def _edit(entity: Entity, dice: random.Random) -> None:
    live = LIVE[entity.account.platform]
    drawn = dice.random()
    budget = getattr(entity, "daily_budget", None)
    if drawn < 0.4:
        entity.name = f"{entity.name.partition(' · ')[0]} · {dice.randrange(10_000):04d}"
    elif drawn < 0.6 and budget and not isinstance(entity, Ad):
        entity.daily_budget = budget + max(1, budget // 10)
    elif drawn < 0.95:
        entity.status = "PAUSED" if entity.status == live else live
    else:
        entity.status = REMOVED[entity.account.platform]
