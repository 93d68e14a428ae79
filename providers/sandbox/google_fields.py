"""What a query of Google's may name: all resources with their fields, and the ways between them."""

from collections.abc import Callable
from typing import Any, NamedTuple

from providers.sandbox.gaql import Query
from providers.sandbox.google_change_fields import CHANGE_EVENT, CHANGE_STATUS
from providers.sandbox.google_errors import query_error
from providers.sandbox.google_metrics import LEVELS, METRICS, SEGMENTS, asks_for_metrics
from providers.sandbox.google_resources import (
    AD_GROUP,
    AD_GROUP_AD,
    CAMPAIGN,
    CAMPAIGN_BUDGET,
    CUSTOMER,
    CUSTOMER_CLIENT,
    Field,
    Resource,
)

METRIC_FIELDS = Resource(None, {name: Field(get, kind) for name, (get, kind) in METRICS.items()})
SEGMENT_FIELDS = Resource(None, {name: Field(get) for name, get in SEGMENTS.items()})
RESOURCES = {
    "metrics": METRIC_FIELDS,
    "segments": SEGMENT_FIELDS,
    "change_event": CHANGE_EVENT,
    "change_status": CHANGE_STATUS,
    "customer": CUSTOMER,
    "customer_client": CUSTOMER_CLIENT,
    "campaign": CAMPAIGN,
    "campaign_budget": CAMPAIGN_BUDGET,
    "ad_group": AD_GROUP,
    "ad_group_ad": AD_GROUP_AD,
}

Way = Callable[[Any], Any]
_SAME: Way = lambda row: row  # noqa: E731 - one of many in a table
# From the rows of a resource to the other resources that its query may name.
WAYS: dict[str, dict[str, Way]] = {
    "change_event": {"change_event": _SAME, "customer": lambda event: event.entry.entity.account},
    "change_status": {"change_status": _SAME, "customer": lambda change: change.entity.account},
    "customer": {"customer": _SAME},
    "customer_client": {"customer_client": _SAME, "customer": lambda row: row.manager},
    "campaign": {"campaign": _SAME, "campaign_budget": _SAME, "customer": lambda row: row.account},
    "ad_group": {
        "ad_group": _SAME,
        "campaign": lambda row: row.campaign,
        "customer": lambda row: row.account,
    },
    "ad_group_ad": {
        "ad_group_ad": _SAME,
        "ad_group": lambda row: row.group,
        "campaign": lambda row: row.campaign,
        "customer": lambda row: row.account,
    },
}


class View(NamedTuple):
    """How a query sees its rows: the resource of FROM, and the ways to all that it may name."""

    resource: str
    ways: dict[str, Way]


def _of_entity(way: Way) -> Way:
    return lambda row: way(row.entity)


# A row of a query for metrics is an entity's figures.
_METRIC_WAYS = {
    resource: {
        **{name: _of_entity(way) for name, way in WAYS[resource].items()},
        "metrics": _SAME,
        "segments": _SAME,
    }
    for resource in LEVELS
}


def view_of(query: Query) -> View:
    """What a query may name."""
    if query.resource not in WAYS:
        raise query_error(
            "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", f"'{query.resource}' is no valid resource name."
        )
    metrics = asks_for_metrics(query) and query.resource in _METRIC_WAYS
    return View(query.resource, (_METRIC_WAYS if metrics else WAYS)[query.resource])


class Selected(NamedTuple):
    """A field of a query: the way from the row to its resource, and the field itself."""

    resource: str
    name: str  # below the resource: `ad.final_urls`
    way: Way
    field: Field

    def value(self, row: Any) -> Any:
        return self.field.get(self.way(row))


def select(view: View, path: str) -> Selected:
    """Find `campaign.id`, as the query sees it."""
    head, _, name = path.partition(".")
    known = RESOURCES.get(head)
    named = name == "resource_name" and known is not None and known.name_of is not None
    if known is None or not (named or name in known.fields):
        raise query_error("UNRECOGNIZED_FIELD", f"unrecognized field: '{path}'.")
    if head not in view.ways:
        raise query_error(
            "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE",
            f"the resource {head} can't be selected together with {view.resource}.",
        )
    field = Field(known.name_of) if named and known.name_of else known.fields[name]
    return Selected(head, name, view.ways[head], field)
