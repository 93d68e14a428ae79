"""What a Google customer's entities truly delivered: what a faithful copy of its insights must equal."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from providers.sandbox.catalog import Ad, AdGroup, Campaign, Entity
from providers.sandbox.edits import external_id
from providers.sandbox.google_figures import Credit, figures
from providers.sandbox.google_metrics import LEVELS, METRICS, Insight, entities_of
from providers.sandbox.world import Account


def insights(account: Account, level: str, days: range, today: date) -> list[dict[str, Any]]:
    """One row per entity and day, in Google's own units; `actions` are `[conversions, value]` by name."""
    resource = {"account": LEVELS[0], "ad": LEVELS[3]}.get(level, level)
    entities = entities_of(account, resource)
    found = figures(account, resource, days, today.toordinal(), late=True)
    return [
        _row(Insight(entities[entity_id], date.fromordinal(day).isoformat(), "", one))
        for entity_id, day, one in found
        if entity_id in entities
    ]


def _row(row: Insight) -> dict[str, Any]:
    entity = row.entity
    told = {"id": entity.id if isinstance(entity, Account) else external_id(entity), "ids": _ids(entity)}
    figures = {name: get(row) for name, (get, _) in METRICS.items()}
    actions = {"actions": _told(row.found.credits), "late_actions": _told(row.found.late)}
    return {"day": row.day, **told, **figures, **actions}


def _ids(entity: Account | Entity) -> dict[str, str]:
    """The entity's own and its parents'."""
    match entity:
        case Campaign():
            return {"campaign": str(entity.id)}
        case AdGroup():
            return {"campaign": str(entity.campaign.id), "ad_group": str(entity.id)}
        case Ad():
            parents = {"campaign": str(entity.campaign.id), "ad_group": str(entity.group.id)}
            return {**parents, "ad": str(entity.id)}
    return {}


def _told(credits: Mapping[str, Credit]) -> dict[str, list[float]]:
    return {name: [count / 1e6, value / 1e6] for name, (count, value) in credits.items()}
