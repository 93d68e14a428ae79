"""Which of the asked days are complete, per ad account: sums over a gap are too small, and say so."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db import connection as database
from rest_framework.serializers import BooleanField, DateField, DateTimeField, UUIDField

from sync.api.data.period import Days
from sync.api.serializers import Answer
from sync.engine.insights.plan import attribution_of
from sync.models import Connection

DAY = timedelta(days=1)
READ = """
    SELECT c.id, datemultirange(daterange(%(since)s, %(until)s, '[]'))
               - coalesce(range_agg(daterange(day, day, '[]')) FILTER (WHERE day IS NOT NULL), '{}'),
           min(read_at), coalesce(bool_and(is_final), false)
    FROM unnest(%(connections)s::uuid[], %(attributions)s::text[]) AS c (id, attribution)
    LEFT JOIN sync_insightday d ON d.connection_id = c.id AND d.level = %(level)s
        AND d.attribution = c.attribution AND d.day BETWEEN %(since)s AND %(until)s
    GROUP BY c.id ORDER BY c.id
"""


def _gap() -> type[Answer]:
    days = {"from": DateField(), "to": DateField(), "__doc__": "Days that were not read to their end."}
    return type("GapSerializer", (Answer,), days)


class CompletenessSerializer(Answer):
    """How much of the days is there, for the level that is asked for."""

    connectionId = UUIDField()
    completeUntil = DateField(allow_null=True, help_text="The last day before the first gap.")
    gaps = _gap()(many=True)
    readAt = DateTimeField(allow_null=True, help_text="When the day that was read longest ago was read.")
    isFinal = BooleanField(help_text="No gap, and all read when nothing moves any more.")


def completeness(connections: Collection[Connection], level: str, days: Days) -> list[dict[str, Any]]:
    """Per ad account. A day that was read under another attribution than the one that is set is a gap."""
    since, until = days
    values: dict[str, Any] = {
        "connections": [one.pk for one in connections],
        "attributions": [attribution_of(one) for one in connections],
        "level": level,
        "since": since,
        "until": until,
    }
    with database.cursor() as cursor:
        cursor.execute(READ, values)
        return [_told(row, days) for row in cursor.fetchall()]


def _told(row: tuple[Any, ...], days: Days) -> dict[str, Any]:
    (connection, missing, read_at, is_final), (since, until) = row, days
    gaps = [{"from": gap.lower, "to": gap.upper - DAY} for gap in missing]
    complete = gaps[0]["from"] - DAY if gaps else until
    return {
        "connectionId": connection,
        "completeUntil": complete if complete >= since else None,
        "gaps": gaps,
        "readAt": read_at,
        "isFinal": is_final and not gaps,
    }
