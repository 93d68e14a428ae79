"""`GET /{account}/activities`: Meta's log of who did what, the newest first, by its old names for things."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zlib import crc32

import orjson

from providers.sandbox.catalog import Ad, AdGroup, Campaign
from providers.sandbox.constants import META_APP_ID
from providers.sandbox.faults import Fault
from providers.sandbox.journal import Entry, Operation
from providers.sandbox.meta_call import Call, Target
from providers.sandbox.meta_errors import bad_parameter
from providers.sandbox.meta_paging import Pager
from providers.sandbox.meta_query import parse_fields
from providers.sandbox.state import Sandbox

WEEK = 7 * 86_400  # what is told where nothing else is asked for
DEFAULT_FIELDS = "event_time,event_type,translated_event_type,object_id,object_name,object_type,actor_id"
_TYPES = {Campaign: "CAMPAIGN_GROUP", AdGroup: "CAMPAIGN", Ad: "ADGROUP"}
_CREATED = {Campaign: "create_campaign_group", AdGroup: "create_ad_set", Ad: "create_ad"}
_UPDATED = {Campaign: "update_campaign_", AdGroup: "update_ad_set_", Ad: "update_ad_"}
# What a changed field is called; others are no event.
_EVENTS = {
    "name": "name",
    "status": "run_status",
    "daily_budget": "budget",
    "lifetime_budget": "budget",
    "bid": "bidding",
    "ends": "schedule",
}
_STATUSES = {"ACTIVE": "Active", "PAUSED": "Inactive", "DELETED": "Deleted", "ARCHIVED": "Archived"}
_FIELDS = frozenset(
    {
        *("actor_id", "actor_name", "application_id", "application_name", "tool"),
        *("date_time_in_timezone", "event_time", "event_type", "translated_event_type", "extra_data"),
        *("object_id", "object_name", "object_type"),
    }
)


class Event(NamedTuple):
    """One thing that was done: an edit of two fields is two."""

    entry: Entry
    type: str
    values: tuple[Any, Any]


def activities(sandbox: Sandbox, call: Call, target: Target, faults: Sequence[Fault]) -> dict[str, Any]:
    """One page."""
    assert target.account is not None  # noqa: S101 - find_target gives every edge its account
    wanted = parse_fields(call.params.get("fields", DEFAULT_FIELDS))
    if unknown := set(wanted) - _FIELDS:
        raise bad_parameter(f"Tried accessing nonexisting field ({min(unknown)}) on node type (AdActivity)")
    since, until = _moment(call, "since", sandbox.clock() - WEEK), _moment(call, "until", sandbox.clock())
    found = [
        event
        for entry in reversed(target.account.journal)
        if since <= entry.at <= until
        for event in _events(entry)
    ]
    return Pager(sandbox, call, faults).page(
        list(enumerate(found)),
        lambda pair: pair[0],
        lambda pair: {name: value for name, value in _told(pair[1]).items() if name in wanted},
    )


def _moment(call: Call, name: str, default: float) -> float:
    text = call.params.get(name, "")
    try:
        return (
            (float(text) if text.isdigit() else datetime.fromisoformat(text).timestamp()) if text else default
        )
    except ValueError:
        raise bad_parameter(f"param {name} must be a time") from None


def _events(entry: Entry) -> Iterator[Event]:
    kind = type(entry.entity)
    if entry.operation == Operation.CREATE:
        yield Event(entry, _CREATED[kind], (None, entry.entity.name))
    for name, values in entry.fields.items():
        if name in _EVENTS:
            ending = "friendly_name" if (kind, name) == (Ad, "name") else _EVENTS[name]
            yield Event(entry, _UPDATED[kind] + ending, values)


def _told(event: Event) -> dict[str, Any]:
    entry, (old, new) = event.entry, event.values
    at = datetime.fromtimestamp(entry.at, UTC)
    extra = {"old_value": _STATUSES.get(old, old), "new_value": _STATUSES.get(new, new)}
    return {
        "event_time": at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "date_time_in_timezone": at.astimezone(entry.entity.account.zone).strftime("%m/%d/%Y at %I:%M %p"),
        "event_type": event.type,
        "translated_event_type": event.type.replace("_", " ").capitalize(),
        "object_id": str(entry.entity.id),
        "object_name": entry.entity.name,
        "object_type": _TYPES[type(entry.entity)],
        "actor_id": str(10**14 + crc32(entry.by.encode())) if entry.by else "0",
        "actor_name": entry.by.partition("@")[0] or "Meta",
        "application_id": META_APP_ID,
        "application_name": "Ads Manager",
        "extra_data": orjson.dumps(extra).decode(),
    }
