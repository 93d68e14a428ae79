"""Who changed what, out of an ad account's log of activities.

A name is never handed on, nor Meta's id of a person: in their place stands a pseudonym. The log calls things
by their old names: an ad set is a CAMPAIGN in it, a campaign a CAMPAIGN_GROUP.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import orjson

from providers.http import reading
from providers.meta.graph import Graph
from providers.meta.usage import ADS_MANAGEMENT
from providers.records import Edit, Stream
from providers.values import Row, Values

ENDPOINT = "activities"
PAGE_ROWS = 500  # the newest: whoever changed more at once changed all of it
FIELDS = "event_time,event_type,object_id,object_type,actor_id,application_name,extra_data"
STREAMS = {"CAMPAIGN_GROUP": Stream.CAMPAIGNS, "CAMPAIGN": Stream.AD_GROUPS, "ADGROUP": Stream.ADS}
NOBODY = "0"  # the actor where Meta did it by itself
# The fields of ours that an event is about, by what its type ends with.
EVENTS = {
    "_name": ("name",),
    "_run_status": ("status",),
    "_budget": ("daily_budget", "lifetime_budget"),
    "_bidding": ("bid_amount",),
    "_bid_info": ("bid_amount",),
    "_bid_strategy": ("bid_strategy",),
    "_schedule": ("start_time", "end_time"),
    "_duration": ("start_time", "end_time"),
    "_spend_cap": ("spend_cap",),
    "_creative": ("creative",),
    "_target_spec": ("targeting",),
}

Pseudonym = Callable[[str], str]


def between(
    graph: Graph, account_id: str, since: datetime, until: datetime, pseudonym: Pseudonym
) -> Iterator[Edit]:
    """The changes from `since` to `until`, the oldest first, by one call: the newest 500 of them."""
    since = since.replace(microsecond=0)  # Meta tells whole seconds
    params = {
        "fields": FIELDS,
        "limit": str(PAGE_ROWS),
        "since": str(int(since.timestamp())),
        "until": str(int(until.timestamp()) + 1),
    }
    body = graph.get(f"{account_id}/activities", params, endpoint=ENDPOINT, use_case=ADS_MANAGEMENT)
    read = Values()
    with reading("Meta"):
        edits = [_edit(read.row(row), read, pseudonym) for row in reversed(body["data"])]
    read.tell("meta", ENDPOINT)
    yield from (edit for edit in edits if edit is not None and since <= edit.at <= until)


def _edit(row: Row, read: Values, pseudonym: Pseudonym) -> Edit | None:
    """None for what is about no campaign, ad set or ad."""
    stream = STREAMS.get(str(row.get("object_type", "")))
    external_id = read.id(row.get("object_id", ""))
    at = read.moment(row.get("event_time"), _moment)
    if stream is None or not external_id or at is None:
        return None
    event, actor = read.text(row.get("event_type", "")), read.id(row.get("actor_id", ""))
    return Edit(
        stream=stream,
        external_id=external_id,
        at=at,
        by="" if actor == NOBODY else pseudonym(actor),
        through=read.text(row.get("application_name", "")),
        operation=_operation(event, row.get("extra_data")),
        fields=next((fields for ending, fields in EVENTS.items() if event.endswith(ending)), ()),
    )


def _operation(event: str, extra: object) -> str:
    """Nothing is deleted by an event of its own: its status becomes that."""
    if event.startswith("create_"):
        return "created"
    try:
        told = orjson.loads(extra) if isinstance(extra, str) else extra
    except orjson.JSONDecodeError:
        told = None
    gone = event.endswith("_run_status") and isinstance(told, dict) and told.get("new_value") == "Deleted"
    return "removed" if gone else "changed"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
