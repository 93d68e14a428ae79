"""Who changed what, out of `change_event`: each change of the last 30 days.

An e-mail address is never handed on: in its place stands a pseudonym, which is the same for the same person
of a customer as long as the application's secret is, and tells nobody who it is.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from providers.errors import TooMuchData
from providers.google import clock
from providers.google.stream import Row
from providers.http import reading
from providers.records import Edit, Stream

Ask = Callable[[str], Iterator[list[Row]]]

KEPT = timedelta(days=30)
MARGIN = timedelta(minutes=5)  # for clocks that differ
MOST = 10_000  # rows of one answer
STREAMS = {
    "AD": Stream.ADS,
    "AD_GROUP": Stream.AD_GROUPS,
    "AD_GROUP_AD": Stream.ADS,
    "CAMPAIGN": Stream.CAMPAIGNS,
    "CAMPAIGN_BUDGET": Stream.CAMPAIGNS,  # of the one that it belongs to
}
OPERATIONS = {"CREATE": "created", "UPDATE": "changed", "REMOVE": "removed"}


def between(
    since: datetime, until: datetime, now: datetime, ask: Ask, pseudonym: Callable[[str], str]
) -> Iterator[Edit]:
    """The changes from `since` to `until`, the oldest first, by one query; `now` is the customer's.

    Before 30 days ago Google knows none. Raises `TooMuchData` behind the oldest 10,000.
    """
    since = max(since.astimezone(UTC), now.astimezone(UTC) - KEPT + MARGIN)
    if since >= until:
        return
    told = 0
    for rows in ask(query(since, until, now)):
        told += len(rows)
        with reading("Google"):
            edits = [_edit(row["changeEvent"], now, pseudonym) for row in rows]
        yield from (edit for edit in edits if edit is not None and since <= edit.at <= until)
    if told >= MOST:
        raise TooMuchData(f"Google tells no more than {MOST:,} changes at once")


def query(since: datetime, until: datetime, now: datetime) -> str:
    """The end is an hour later than `until`, for the hour that comes twice."""
    end = until.astimezone(now.tzinfo) + timedelta(hours=1)
    return (
        "SELECT change_event.change_date_time, change_event.change_resource_type, "  # noqa: S608 - times
        "change_event.change_resource_name, change_event.resource_change_operation, "
        "change_event.changed_fields, change_event.client_type, change_event.user_email, "
        "change_event.campaign, change_event.ad_group FROM change_event "
        f"WHERE change_event.change_date_time >= '{clock.earliest(since, now)}' "
        f"AND change_event.change_date_time <= '{clock.text(end)}' "
        f"AND change_event.change_resource_type IN ({', '.join(STREAMS)}) "
        f"ORDER BY change_event.change_date_time LIMIT {MOST}"
    )


def _edit(event: Row, now: datetime, pseudonym: Callable[[str], str]) -> Edit | None:
    kind = event.get("changeResourceType", "")
    external_id = _whose(event, kind)
    if kind not in STREAMS or not external_id:
        return None
    return Edit(
        stream=STREAMS[kind],
        external_id=external_id,
        at=clock.moment(event["changeDateTime"], now.tzinfo),
        by=pseudonym(event.get("userEmail", "")),
        through=event.get("clientType", ""),
        operation=OPERATIONS.get(event.get("resourceChangeOperation", ""), "changed"),
        fields=tuple(_snake(name) for name in event.get("changedFields", "").split(",") if name),
    )


def _snake(name: str) -> str:
    """`ad.finalUrls` as queries write it: ad.final_urls."""
    return re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name)


def _whose(event: Row, kind: str) -> str:
    """The entity that was changed, as records name it. A budget that tells no campaign is nobody's."""
    own = event["changeResourceName"].rpartition("/")[2]
    match kind:
        case "CAMPAIGN_BUDGET":
            return str(event.get("campaign", "").rpartition("/")[2])
        case "AD":
            group = event.get("adGroup", "").rpartition("/")[2]
            return f"{group}~{own}" if group else ""
    return str(own)
