"""What an account truly holds, in the platform's terms: what a faithful copy must equal."""

from typing import Any

from providers.sandbox.catalog import Ad, Campaign, Entity
from providers.sandbox.constants import Kind, Platform
from providers.sandbox.edits import external_id
from providers.sandbox.meta_status import effective_status
from providers.sandbox.world import Account


def truth(account: Account) -> dict[str, Any]:
    """Per kind: the entities by external id, removed ones included, and how many."""
    catalog = account.catalog
    entities: dict[str, Any] = {
        kind: {external_id(e): describe(e) for e in catalog.of(kind)} for kind in Kind
    }
    return {
        "account": summary(account),
        "counts": {kind: len(found) for kind, found in entities.items()},
        **entities,
    }


def summary(account: Account) -> dict[str, Any]:
    return {
        "platform": account.platform,
        "id": account.id,
        "name": account.name,
        "currency": account.currency,
        "time_zone": account.time_zone,
        "status": account.status,
        "manager_id": account.manager_id,
        "is_manager": account.is_manager,
    }


def describe(entity: Entity) -> dict[str, Any]:
    """Money in the platform's own units; times in unix seconds."""
    told: dict[str, Any] = {"name": entity.name, "status": entity.status}
    if entity.account.platform == Platform.META:
        told |= {"effective_status": effective_status(entity), "updated": entity.updated}
    if not isinstance(entity, Campaign):
        told["campaign_id"] = str(entity.campaign.id)
    if isinstance(entity, Ad):
        return told | {"ad_group_id": str(entity.group.id)}
    return told | {"daily_budget": entity.daily_budget, "lifetime_budget": entity.lifetime_budget}
