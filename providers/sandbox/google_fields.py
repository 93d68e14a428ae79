"""Google's resources as JSON: which fields each has, of what type, and how each is written.

int64 are strings, enums names, money micros; a scalar that has its default value is left out, a
resource name never is.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from providers.sandbox.catalog import Ad, AdGroup, Campaign
from providers.sandbox.gaql import Query
from providers.sandbox.google_changes import Change, local
from providers.sandbox.google_errors import query_error
from providers.sandbox.google_figures import LEVELS
from providers.sandbox.google_metrics import METRICS, SEGMENTS, asks_for_metrics
from providers.sandbox.world import Account


class Field(NamedTuple):
    """`get` gives the value as it is compared; writing turns integers into strings where `type` is int64."""

    get: Callable[[Any], Any]
    type: str = "string"  # int64, string, enum, bool, double, list


class Resource(NamedTuple):
    """`name_of` gives the resource name, which metrics and segments have none of; `fields` by their GAQL
    names below the resource's own."""

    name_of: Callable[[Any], str] | None
    fields: dict[str, Field]


def _int(name: str) -> Field:
    return Field(lambda row: getattr(row, name), "int64")


def _time(account: Account, seconds: int | None, clock: str) -> str | None:
    """In the account's time zone, without an offset."""
    return None if seconds is None else f"{datetime.fromtimestamp(seconds, account.zone):%Y-%m-%d} {clock}"


def _constant(value: str) -> Field:
    return Field(lambda _: value, "enum")


def _primary(row: Campaign | AdGroup | Ad) -> str:
    return {"ENABLED": "ELIGIBLE"}.get(row.status, row.status)


def budget_id(campaign: Campaign) -> int:
    """Every campaign has a budget of its own; its id is as far off as no other id of the account."""
    return campaign.id + 50_000_000


CUSTOMER = Resource(
    lambda account: f"customers/{account.id}",
    {
        "id": Field(lambda account: int(account.id), "int64"),
        "descriptive_name": Field(lambda account: account.name),
        "currency_code": Field(lambda account: account.currency),
        "time_zone": Field(lambda account: account.time_zone),
        "status": Field(lambda account: account.status, "enum"),
        "manager": Field(lambda account: account.is_manager, "bool"),
        "test_account": Field(lambda _: False, "bool"),
        "auto_tagging_enabled": Field(lambda _: True, "bool"),
        "has_partners_badge": Field(lambda _: False, "bool"),
        "optimization_score": Field(lambda account: None if account.is_manager else 0.5, "double"),
    },
)
# customer_client rows are (manager, client) pairs.
CUSTOMER_CLIENT = Resource(
    lambda pair: f"customers/{pair[0].id}/customerClients/{pair[1].id}",
    {
        "id": Field(lambda pair: int(pair[1].id), "int64"),
        "client_customer": Field(lambda pair: f"customers/{pair[1].id}"),
        "level": Field(lambda pair: int(pair[0] is not pair[1]), "int64"),
        "manager": Field(lambda pair: pair[1].is_manager, "bool"),
        "hidden": Field(lambda _: False, "bool"),
        "test_account": Field(lambda _: False, "bool"),
        "descriptive_name": Field(lambda pair: pair[1].name),
        "currency_code": Field(lambda pair: pair[1].currency),
        "time_zone": Field(lambda pair: pair[1].time_zone),
        "status": Field(lambda pair: pair[1].status, "enum"),
    },
)
CAMPAIGN = Resource(
    lambda campaign: f"customers/{campaign.account.id}/campaigns/{campaign.id}",
    {
        "id": _int("id"),
        "name": Field(lambda campaign: campaign.name),
        "status": Field(lambda campaign: campaign.status, "enum"),
        "primary_status": Field(_primary, "enum"),
        "serving_status": Field(
            lambda campaign: "ENDED" if campaign.status == "REMOVED" else "SERVING", "enum"
        ),
        "advertising_channel_type": Field(lambda campaign: campaign.objective, "enum"),
        "advertising_channel_sub_type": _constant("UNSPECIFIED"),
        "bidding_strategy_type": Field(lambda campaign: campaign.strategy, "enum"),
        "campaign_budget": Field(
            lambda campaign: f"customers/{campaign.account.id}/campaignBudgets/{budget_id(campaign)}"
        ),
        "start_date_time": Field(lambda campaign: _time(campaign.account, campaign.starts, "00:00:00")),
        "end_date_time": Field(lambda campaign: _time(campaign.account, campaign.ends, "23:59:59")),
        "experiment_type": _constant("BASE"),
        "payment_mode": _constant("CLICKS"),
        "optimization_score": Field(lambda _: 0.0, "double"),
        "tracking_url_template": Field(lambda _: ""),
        "final_url_suffix": Field(lambda _: ""),
    },
)
CAMPAIGN_BUDGET = Resource(
    lambda campaign: f"customers/{campaign.account.id}/campaignBudgets/{budget_id(campaign)}",
    {
        "id": Field(budget_id, "int64"),
        "name": Field(lambda campaign: f"Budget of {campaign.name}"),
        "amount_micros": _int("daily_budget"),
        "total_amount_micros": _int("lifetime_budget"),
        "period": Field(
            lambda campaign: "DAILY" if campaign.lifetime_budget is None else "CUSTOM_PERIOD", "enum"
        ),
        "status": _constant("ENABLED"),
        "delivery_method": _constant("STANDARD"),
        "type": _constant("STANDARD"),
        "explicitly_shared": Field(lambda _: False, "bool"),
    },
)
AD_GROUP = Resource(
    lambda group: f"customers/{group.account.id}/adGroups/{group.id}",
    {
        "id": _int("id"),
        "name": Field(lambda group: group.name),
        "status": Field(lambda group: group.status, "enum"),
        "primary_status": Field(_primary, "enum"),
        "type": Field(lambda group: group.type, "enum"),
        "campaign": Field(lambda group: f"customers/{group.account.id}/campaigns/{group.campaign.id}"),
        "cpc_bid_micros": _int("bid"),
        "cpm_bid_micros": Field(lambda _: 10_000, "int64"),
        "target_cpa_micros": Field(lambda _: 0, "int64"),
        "effective_target_cpa_micros": Field(lambda _: 0, "int64"),
        "effective_cpc_bid_micros": _int("bid"),
        "target_roas": Field(lambda _: 0.0, "double"),
        "ad_rotation_mode": _constant("UNSPECIFIED"),
    },
)
AD_GROUP_AD = Resource(
    lambda ad: f"customers/{ad.account.id}/adGroupAds/{ad.group.id}~{ad.id}",
    {
        "status": Field(lambda ad: ad.status, "enum"),
        "primary_status": Field(_primary, "enum"),
        "ad_group": Field(lambda ad: f"customers/{ad.account.id}/adGroups/{ad.group.id}"),
        "ad_strength": _constant("GOOD"),
        "policy_summary.approval_status": Field(lambda ad: ad.review, "enum"),
        "policy_summary.review_status": _constant("REVIEWED"),
        "start_date_time": Field(lambda _: None),
        "end_date_time": Field(lambda _: None),
        "ad.id": _int("id"),
        "ad.resource_name": Field(lambda ad: f"customers/{ad.account.id}/ads/{ad.id}"),
        "ad.name": Field(lambda ad: ad.name),
        "ad.type": Field(lambda ad: ad.type, "enum"),
        "ad.final_urls": Field(lambda ad: list(ad.urls), "list"),
        "ad.final_mobile_urls": Field(lambda _: [], "list"),
        "ad.display_url": Field(lambda _: ""),
        "ad.tracking_url_template": Field(lambda _: ""),
        "ad.device_preference": _constant("UNSPECIFIED"),
        "ad.added_by_google_ads": Field(lambda _: False, "bool"),
    },
)


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
METRIC_FIELDS = Resource(None, {name: Field(get, kind) for name, (get, kind) in METRICS.items()})
SEGMENT_FIELDS = Resource(None, {name: Field(get) for name, get in SEGMENTS.items()})
RESOURCES = {
    "metrics": METRIC_FIELDS,
    "segments": SEGMENT_FIELDS,
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
    "change_status": {"change_status": _SAME, "customer": lambda change: change.entity.account},
    "customer": {"customer": _SAME},
    "customer_client": {"customer_client": _SAME, "customer": lambda pair: pair[0]},
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
