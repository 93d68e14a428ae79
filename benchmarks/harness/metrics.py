"""Fill the insights by the million: one row is written by the product's merge and multiplied in SQL.

All ad accounts but the first are alike and deliver every day of 37 months. The first one, the probe, is the
same however many others there are, so that answers about it can be compared. Rows come day by day, as syncs
bring them.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import uuid4

from django.conf import settings
from django.db import connection as database

from benchmarks.harness import rows
from benchmarks.harness.product import execute
from providers.records import InsightRecord, InsightSlice, Level
from sync.engine.insights.merge import merge_insights
from sync.engine.insights.partitions import ensure_partitions, months
from sync.engine.insights.plan import attribution_of, oldest_day
from sync.models import Connection, Insight, InsightDay

DAY = timedelta(days=1)
RECENT = 62  # days in which the probe's ads deliver; its campaigns always do
PER_TENANT = 4  # ad accounts
NEVER_USED = "never-used"
TEMPLATE = "template"  # whose name no entity has


class Delivering(NamedTuple):
    """How many entities of a level deliver on a day."""

    level: Level
    other: int  # of any other ad account
    recent: int  # of the probe
    past: int  # of the probe, longer ago


DELIVERING = (
    Delivering(Level.ACCOUNT, 1, 1, 1),
    Delivering(Level.CAMPAIGN, 2, 10, 10),
    Delivering(Level.AD_GROUP, 5, 20, 0),
    Delivering(Level.AD, 17, 200, 0),
)
_PLACES = """
    generate_series(%(since)s::date, %(until)s::date, interval '1 day') AS d
    CROSS JOIN sync_connection AS c
    CROSS JOIN unnest(%(levels)s::text[], %(others)s::int[], %(recent)s::int[], %(past)s::int[])
        AS told (level, other, recent, past)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN c.external_id <> %(probe)s THEN other WHEN d >= %(recent_since)s THEN recent
            ELSE past END AS many, substr(c.external_id, 5)::bigint * 1000000 AS base
    ) AS here
"""
_ENTITY = "(120000000000000000 + base + {})::text"
_PLACE = {"connection_id": "c.id", "level": "told.level", "day": "d::date"}
_ENTITIES = {
    "external_id": f"CASE told.level WHEN 'account' THEN c.external_id ELSE {_ENTITY.format('n')} END",
    "campaign_external_id": "CASE told.level WHEN 'account' THEN '' ELSE "
    f"{_ENTITY.format('1 + n %% 10')} END",
    "ad_group_external_id": "CASE WHEN told.level IN ('account', 'campaign') THEN '' ELSE "
    f"{_ENTITY.format('1 + n %% 20')} END",
    "impressions": "template.impressions + n",
    "spend_micros": "template.spend_micros + 10000 * n",
}


def probe() -> Connection:
    """The ad account that answers are compared of."""
    return Connection.objects.get(external_id="act_1")


def fill(*, insights: int, today: date) -> int:
    """Ad accounts whose rows of 37 months are about so many; returns how many rows there are."""
    since = oldest_day(today)
    days = (today - since).days + 1
    of_probe = sum(one.past * days + (one.recent - one.past) * RECENT for one in DELIVERING)
    others = max(1, (insights - of_probe) // (days * sum(one.other for one in DELIVERING)))
    _empty()
    ids = [f"act_{number}" for number in range(1, others + 2)]
    rows.connections(ids, tenants=max(1, len(ids) // PER_TENANT), secret=NEVER_USED)
    ensure_partitions(since, today)
    insight, complete = _templates(today)
    for month in months(since, today):
        part = max(month, since), min((month + 31 * DAY).replace(day=1) - DAY, today)
        _multiply(insight, complete, part, today)
    insight.delete()
    complete.delete()
    execute("VACUUM ANALYZE sync_insight, sync_insightday, sync_connection")
    return Insight.objects.count()


def some_of_probe(count: int) -> list[InsightRecord]:
    """Its newest rows of ads, of whole days."""
    newest = Insight.objects.filter(connection=probe(), level=Level.AD).order_by("-day", "external_id")
    return [InsightRecord(*row) for row in newest.values_list(*InsightRecord._fields)[:count]]


def slice_of(records: list[InsightRecord]) -> InsightSlice:
    """The ads' days that the records are of."""
    days = [record.day for record in records]
    return InsightSlice(Level.AD, min(days), max(days))


def sizes() -> Iterator[tuple[str, int]]:
    """Bytes of rows and of their key."""
    months = "FROM pg_inherits WHERE inhparent = 'sync_insight'::regclass"
    for what, function in (("rows", "pg_table_size"), ("key", "pg_indexes_size")):
        with database.cursor() as cursor:
            cursor.execute(f"SELECT sum({function}(inhrelid)) {months}")
            yield what, int(cursor.fetchone()[0])


def levels_of_key() -> int:
    """Pages to read from the root of a month's key to a row's entry, at most."""
    execute("CREATE EXTENSION IF NOT EXISTS pageinspect")
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT 1 + max((bt_metap(indexrelid::regclass::text)).level) FROM pg_index "
            "JOIN pg_inherits ON inhrelid = indrelid WHERE inhparent = 'sync_insight'::regclass"
        )
        return int(cursor.fetchone()[0])


def _empty() -> None:
    rows.empty(slots=1)
    execute("TRUNCATE sync_insight, sync_insightday")


def _templates(today: date) -> tuple[Insight, InsightDay]:
    """One row is written by the product's own merge, as a row of Meta's comes. The day is of no level."""
    owner, rule, run_id = probe(), attribution_of(probe()), uuid4()
    record = InsightRecord(
        external_id=TEMPLATE,
        day=today,
        campaign_external_id="",
        ad_group_external_id="",
        currency="EUR",
        attribution=rule,
        impressions=1_000,
        clicks=20,
        spend_micros=5_000_000,
        conversions=Decimal("2.5"),
        conversion_value_micros=40_000_000,
        conversions_by_type={
            "purchase": {"count": "2.5", "value_micros": 40_000_000},
            "link_click": {"count": "18", "value_micros": 0},
        },
        reach=800,
        video_views=None,
        extra={"frequency": "1.25", "inline_link_clicks": 18},
    )
    merge_insights(InsightSlice(Level.AD, today, today), [record], connection_id=owner.pk, run_id=run_id)
    day = InsightDay.objects.create(
        connection=owner,
        level="",
        day=today,
        read_at=datetime.now(UTC) - timedelta(minutes=30),
        rows=0,
        attribution=rule,
        run_id=run_id,
    )
    return Insight.objects.get(external_id=TEMPLATE), day


def _multiply(insight: Insight, complete: InsightDay, days: tuple[date, date], today: date) -> None:
    """The rows of these days, and the words that they are complete."""
    values = {
        "since": days[0],
        "until": days[1],
        "probe": probe().external_id,
        "recent_since": today - (RECENT - 1) * DAY,
        "final_before": today - settings.INSIGHTS_LATE_DAYS * DAY,
        "levels": [one.level.value for one in DELIVERING],
        "others": [one.other for one in DELIVERING],
        "recent": [one.recent for one in DELIVERING],
        "past": [one.past for one in DELIVERING],
    }
    each = f"{_PLACES} CROSS JOIN LATERAL generate_series(1, many) AS n"
    rows.multiply(insight, each, values, order="d, c.id, told.level", **_PLACE, **_ENTITIES)
    is_final = {"rows": "many", "is_final": "d < %(final_before)s"}
    rows.multiply(complete, _PLACES, values, order="d, c.id", **_PLACE, **is_final)
