"""Meta's nodes as JSON: which fields a campaign, ad set, ad or account has, and how each is written.

A field without a value is left out, never null; ids and money are strings; times carry the account's
offset without a colon.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from providers.sandbox.catalog import AdGroup, Campaign, Entity
from providers.sandbox.constants import Kind
from providers.sandbox.meta_errors import bad_parameter
from providers.sandbox.meta_query import Tree, parse_fields
from providers.sandbox.meta_status import effective_status
from providers.sandbox.world import Account

Getter = Callable[[Any], Any]
Plan = tuple[tuple[str, Getter], ...]


@lru_cache(maxsize=65_536)  # the times of twenty thousand small accounts' campaigns, read again and again
def time_text(zone: ZoneInfo, seconds: int) -> str:
    """`2024-03-12T15:02:47-0700`"""
    text = datetime.fromtimestamp(seconds, zone).isoformat()
    return text[:22] + text[23:]


def _text(name: str) -> Getter:
    """Numbers as strings, nothing as nothing."""

    def get(entity: Entity) -> str | None:
        value = getattr(entity, name)
        return None if value in (None, "") else str(value)

    return get


def _time(name: str) -> Getter:
    def get(entity: Entity) -> str | None:
        seconds = getattr(entity, name)
        return None if seconds is None else time_text(entity.account.zone, seconds)

    return get


def _remaining(entity: Campaign | AdGroup) -> str | None:
    """Half of the budget is left, whatever the day."""
    budget = entity.daily_budget or entity.lifetime_budget
    return None if budget is None else str(budget // 2)


_COMMON: dict[str, Getter] = {
    "id": _text("id"),
    "account_id": lambda entity: entity.account.id,
    "name": _text("name"),
    "status": _text("status"),
    "configured_status": _text("status"),
    "effective_status": effective_status,
    "created_time": _time("created"),
    "updated_time": _time("updated"),
}
_BUDGETS: dict[str, Getter] = {
    "daily_budget": _text("daily_budget"),
    "lifetime_budget": _text("lifetime_budget"),
    "budget_remaining": _remaining,
    "start_time": _time("starts"),
}
CAMPAIGN: dict[str, Getter] = {
    **_COMMON,
    **_BUDGETS,
    "objective": _text("objective"),
    "buying_type": lambda _: "AUCTION",
    "bid_strategy": _text("strategy"),
    "stop_time": _time("ends"),
    "special_ad_categories": lambda _: [],
    "source_campaign_id": lambda _: "0",
    "spend_cap": lambda _: None,
    "pacing_type": lambda campaign: ["standard"] if campaign.strategy else None,
    "smart_promotion_type": lambda _: "GUIDED_CREATION",
    "budget_rebalance_flag": lambda _: False,
    "can_use_spend_cap": lambda _: True,
}
AD_SET: dict[str, Getter] = {
    **_COMMON,
    **_BUDGETS,
    "campaign_id": lambda group: str(group.campaign.id),
    "end_time": _time("ends"),
    "optimization_goal": _text("type"),
    "billing_event": lambda group: "LINK_CLICKS" if group.type == "LINK_CLICKS" else "IMPRESSIONS",
    "bid_amount": lambda group: group.bid,  # the one amount that Meta sends as a number
    # Told by the ad set only where the campaign leaves the budget to it.
    "bid_strategy": lambda group: None if group.campaign.strategy else "LOWEST_COST_WITH_BID_CAP",
    "destination_type": lambda _: "WEBSITE",
    "is_dynamic_creative": lambda _: False,
    "pacing_type": lambda _: ["standard"],
    "targeting": lambda _: {"age_min": 18, "age_max": 65, "geo_locations": {"countries": ["DE", "FR"]}},
    "attribution_spec": lambda _: [{"event_type": "CLICK_THROUGH", "window_days": 7}],
}
AD: dict[str, Getter] = {
    **_COMMON,
    "campaign_id": lambda ad: str(ad.group.campaign.id),
    "adset_id": lambda ad: str(ad.group.id),
    "source_ad_id": lambda _: "0",
    "bid_amount": lambda ad: ad.group.bid,
    "conversion_domain": lambda ad: "shop.example" if ad.urls else None,
    "preview_shareable_link": lambda ad: f"https://fb.me/{ad.id:x}",
    "tracking_specs": lambda ad: [
        {"action.type": ["offsite_conversion"], "fb_pixel": [str(ad.account.first_id)]}
    ],
}
CREATIVE: dict[str, Getter] = {
    "id": _text("creative"),
    "account_id": lambda ad: ad.account.id,
    "name": lambda ad: f"{ad.name} creative",
    "status": lambda _: "ACTIVE",
    "object_type": lambda _: "SHARE",
    "link_url": lambda ad: ad.urls[0] if ad.urls else None,
    "thumbnail_url": lambda ad: f"https://scontent.example/{ad.creative}.jpg",
}
ACCOUNT: dict[str, Getter] = {
    "id": lambda account: f"act_{account.id}",
    "account_id": lambda account: account.id,
    "name": lambda account: account.name,
    "account_status": lambda account: int(account.status),
    "currency": lambda account: account.currency,
    "timezone_name": lambda account: account.time_zone,
    "timezone_offset_hours_utc": lambda account: _offset_hours(account),
    "created_time": lambda account: time_text(account.zone, account.created),
    "amount_spent": lambda _: "1234500",
    "balance": lambda _: "0",
    "spend_cap": lambda _: "0",
    "disable_reason": lambda account: 0 if account.status == "1" else 1,
    "business_name": lambda _: None,
    "owner": lambda account: str(account.first_id),
    "age": lambda _: 812.5,  # days; a float on the wire
}


def _offset_hours(account: Account) -> float:
    offset = datetime.fromtimestamp(account.created, account.zone).utcoffset()
    return 0.0 if offset is None else offset.total_seconds() / 3600


# The nested nodes of each node: their fields, and the way to them.
_NESTED: dict[str, dict[str, tuple[str, Getter]]] = {
    "Campaign": {},
    "AdSet": {"campaign": ("Campaign", lambda group: group.campaign)},
    "Ad": {
        "campaign": ("Campaign", lambda ad: ad.group.campaign),
        "adset": ("AdSet", lambda ad: ad.group),
        "creative": ("AdCreative", lambda ad: ad if ad.creative else None),
    },
    "AdCreative": {},
    "AdAccount": {},
}
_FIELDS = {"Campaign": CAMPAIGN, "AdSet": AD_SET, "Ad": AD, "AdCreative": CREATIVE, "AdAccount": ACCOUNT}
NODE_OF = {Kind.CAMPAIGNS: "Campaign", Kind.AD_GROUPS: "AdSet", Kind.ADS: "Ad"}


def plan(node: str, tree: Tree) -> Plan:
    """How to write the fields asked for; `id` is always among them."""
    steps: list[tuple[str, Getter]] = []
    for name, below in ({"id": Tree()} | tree).items():
        if nested := _NESTED[node].get(name):
            steps.append((name, _nested(plan(nested[0], below), nested[1])))
        elif name in _FIELDS[node]:
            steps.append((name, _FIELDS[node][name]))
        else:
            raise bad_parameter(f"Tried accessing nonexisting field ({name}) on node type ({node})")
    return tuple(steps)


def _nested(steps: Plan, way: Getter) -> Getter:
    def get(row: Any) -> dict[str, Any] | None:
        target = way(row)
        return None if target is None else write(target, steps)

    return get


def write(target: Any, steps: Plan) -> dict[str, Any]:
    """One node, as planned."""
    return {name: value for name, get in steps if (value := get(target)) is not None}


@lru_cache(maxsize=256)  # a client asks for a handful of lists of fields
def plan_for(node: str, fields: str) -> Plan:
    """A plan for the call's `fields`, or for what Meta sends when none are named."""
    tree = parse_fields(fields)
    return plan(node, tree or (Tree(account_id=Tree()) if node == "AdAccount" else tree))
