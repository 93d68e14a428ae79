"""The fields of `change_status` and `change_event`."""

from typing import Any

from providers.sandbox.catalog import Ad, AdGroup, Campaign
from providers.sandbox.google_changes import Change, Event, local
from providers.sandbox.google_resources import (
    AD_GROUP,
    AD_GROUP_AD,
    CAMPAIGN,
    CAMPAIGN_BUDGET,
    Field,
    Resource,
    budget_id,
    constant,
)

BY_TYPE = {
    "AD_GROUP": AD_GROUP,
    "AD_GROUP_AD": AD_GROUP_AD,
    "CAMPAIGN": CAMPAIGN,
    "CAMPAIGN_BUDGET": CAMPAIGN_BUDGET,
}


def _changed_name(change: Change) -> str:
    """changeStatus/{micros}-{type}-{ids}; its types have numbers of their own."""
    number = {"AD_GROUP": 2, "AD_GROUP_AD": 3, "CAMPAIGN": 5, "CAMPAIGN_BUDGET": 7}[change.type]
    entity = change.entity
    ids = f"{entity.group.id}-{entity.id}" if isinstance(entity, Ad) else f"{entity.id}"
    ids = f"{budget_id(entity)}" if isinstance(entity, Campaign) and number == 7 else ids
    return f"customers/{entity.account.id}/changeStatus/{round(change.at * 1e6)}-{number}-{ids}"


def _above(change: Change, kind: type[Campaign] | type[AdGroup] | type[Ad], resource: Resource) -> str:
    """The resource name of the entity itself or of a parent of it; empty where there is none."""
    entity = change.entity
    parents = {Campaign: entity if isinstance(entity, Campaign) else entity.campaign, type(entity): entity}
    if isinstance(entity, Ad):
        parents[AdGroup] = entity.group
    return _name(resource, parents[kind]) if kind in parents else ""


def _name(resource: Resource, entity: Any) -> str:
    return resource.name_of(entity) if resource.name_of else ""


CHANGE_STATUS = Resource(
    _changed_name,
    {
        "last_change_date_time": Field(lambda change: local(change.entity.account, change.at)),
        "resource_type": Field(lambda change: change.type, "enum"),
        "resource_status": Field(lambda change: change.status, "enum"),
        "campaign": Field(lambda c: _above(c, Campaign, CAMPAIGN) if c.tells_campaign else ""),
        "ad_group": Field(lambda change: _above(change, AdGroup, AD_GROUP)),
        "ad_group_ad": Field(lambda change: _above(change, Ad, AD_GROUP_AD)),
        "campaign_budget": Field(
            lambda c: _name(CAMPAIGN_BUDGET, c.entity) if c.type == "CAMPAIGN_BUDGET" else ""
        ),
    },
)


def _event_name(event: Event) -> str:
    """changeEvents/{micros}~{command}~{mutate}."""
    at = round(event.entry.at * 1e6)
    return f"customers/{event.entry.entity.account.id}/changeEvents/{at}~0~{event.number}"


def _changed_resource(event: Event) -> str:
    return _name(BY_TYPE[event.type], event.entry.entity)


def _event_parent(event: Event, kind: type[Campaign] | type[AdGroup], resource: Resource) -> str:
    change = Change(event.entry.entity, event.type, event.entry.at, "", event.tells_campaign)
    return _above(change, kind, resource)


CHANGE_EVENT = Resource(
    _event_name,
    {
        "change_date_time": Field(lambda event: local(event.entry.entity.account, event.entry.at)),
        "change_resource_type": Field(lambda event: event.type, "enum"),
        "change_resource_name": Field(_changed_resource),
        "resource_change_operation": Field(lambda event: event.entry.operation.value, "enum"),
        "changed_fields": Field(lambda event: ",".join(event.fields)),
        "client_type": constant("GOOGLE_ADS_WEB_CLIENT"),
        "user_email": Field(lambda event: event.entry.by),
        "campaign": Field(lambda e: _event_parent(e, Campaign, CAMPAIGN) if e.tells_campaign else ""),
        "ad_group": Field(lambda event: _event_parent(event, AdGroup, AD_GROUP)),
    },
)
