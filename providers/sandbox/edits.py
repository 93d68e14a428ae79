"""What people do to an account while it is being copied: rename, pause, spend, remove, add.

Each edit moves the entity's updated time, as on the platforms; a parent's does not move its children's.
"""

import random
from dataclasses import dataclass, field, replace
from typing import Any

from providers.sandbox.catalog import Ad, AdGroup, Campaign, Entity
from providers.sandbox.constants import Kind, Platform
from providers.sandbox.journal import EDITOR, Entry, Operation
from providers.sandbox.world import Account

LIVE = {Platform.META: "ACTIVE", Platform.GOOGLE: "ENABLED"}
REMOVED = {Platform.META: "DELETED", Platform.GOOGLE: "REMOVED"}
CHANGEABLE = frozenset(
    {"name", "status", "daily_budget", "lifetime_budget", "bid", "review", "ends", "objective"}
)


def change(account: Account, entity_id: int, changes: dict[str, Any], now: float, by: str = EDITOR) -> Entity:
    """Set fields of one entity."""
    entity = found(account, entity_id)
    for name in changes:
        if name not in CHANGEABLE or not hasattr(entity, name):
            raise ValueError(f"{name} can't be changed on {type(entity).__name__}")
    entity.updated = int(now)
    write(entity, changes, now, by)
    return entity


def write(entity: Entity, changes: dict[str, Any], now: float, by: str = EDITOR) -> None:
    """Set fields, and put into the account's journal which of them it was that changed."""
    account, before = entity.account, {name: getattr(entity, name) for name in changes}
    for name, value in changes.items():
        setattr(entity, name, value)
    account.catalog.touched()
    fields = {name: (before[name], value) for name, value in changes.items() if before[name] != value}
    if fields:
        gone = fields.get("status", ("", ""))[1] == REMOVED[account.platform]
        operation = Operation.REMOVE if gone else Operation.UPDATE
        account.journal.append(Entry(now, entity, operation, fields, by))


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


def remove(account: Account, entity_id: int, now: float, by: str = EDITOR) -> Entity:
    """As a user deletes: the entity stays, with the status that says so."""
    return change(account, entity_id, {"status": REMOVED[account.platform]}, now, by)


@dataclass
class Vanished:
    """What no listing and no read by id shows any more, kept for its return."""

    by_account: dict[Account, dict[int, list[Entity]]] = field(default_factory=dict)

    def vanish(self, account: Account, entity_id: int) -> list[Entity]:
        """Take an entity out, and all that is below it."""
        entity, catalog = found(account, entity_id), account.catalog
        catalog.last_id = catalog.highest_id()
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
        """Undo `vanish`, or make a removed entity live again; nothing comes back below what is not there."""
        gone = self.by_account.get(account, {}).get(entity_id)
        if gone and (parent := _parent_of(gone[0])) and account.catalog.find(parent.id) is None:
            raise ValueError(f"{entity_id} is below {parent.id}, which is not there: bring that back first")
        for entity in self.by_account.get(account, {}).pop(entity_id, []):
            account.catalog.of(kind_of(entity)).append(entity)
        account.catalog.sort()
        if found(account, entity_id).status == REMOVED[account.platform]:
            return change(account, entity_id, {"status": LIVE[account.platform]}, now)
        return found(account, entity_id)


def create(
    account: Account,
    kind: Kind,
    now: float,
    *,
    parent: int | None = None,
    name: str = "",
    by: str = EDITOR,
) -> Entity:
    """Add an entity like the last one of its kind, below its parent unless another is named."""
    entities = account.catalog.of(kind)
    if not entities:
        raise ValueError(f"account {account.id} has no {kind} to make another one of")
    account.catalog.last_id = new_id = account.catalog.highest_id() + 1
    made = replace(
        entities[-1],
        id=new_id,
        name=name or f"New {kind} {new_id}",
        status=LIVE[account.platform],
        created=int(now),
        updated=int(now),
    )
    if parent is not None:
        _put_below(made, found(account, parent))
    entities.append(made)
    account.catalog.touched()
    account.journal.append(Entry(now, made, Operation.CREATE, {}, by))
    return made


def _parent_of(entity: Entity) -> Entity | None:
    match entity:
        case Ad():
            return entity.group
        case AdGroup():
            return entity.campaign
    return None


def _put_below(entity: Entity, parent: Entity) -> None:
    match entity, parent:
        case AdGroup(), Campaign():
            entity.campaign = parent
        case Ad(), AdGroup():
            entity.group = parent
        case _:
            raise ValueError(f"{parent.id} can't be the parent of a {kind_of(entity)} entry")


def edit_at_random(account: Account, count: int, dice: random.Random, now: float) -> list[Entity]:
    """So many edits of different entities, mostly names and statuses, as in an account at work."""
    pool = [entity for kind in Kind for entity in account.catalog.of(kind)]
    edited = dice.sample(pool, min(count, len(pool)))
    for entity in edited:
        entity.updated = int(now)
        write(entity, _drawn(entity, dice), now)
    return edited


def _drawn(entity: Entity, dice: random.Random) -> dict[str, Any]:
    live = LIVE[entity.account.platform]
    drawn = dice.random()
    budget = getattr(entity, "daily_budget", None)
    if drawn < 0.4:
        return {"name": f"{entity.name.partition(' · ')[0]} · {dice.randrange(10_000):04d}"}
    if drawn < 0.6 and budget and not isinstance(entity, Ad):
        return {"daily_budget": budget + max(1, budget // 10)}
    if drawn < 0.95:
        return {"status": "PAUSED" if entity.status == live else live}
    return {"status": REMOVED[entity.account.platform]}
