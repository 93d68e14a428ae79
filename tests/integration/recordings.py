"""The recorded accounts' daily metrics, and whether what arrived is them: every field, and nothing else."""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from providers.base import Client, Selection
from providers.records import InsightRecord, Level, Stream
from providers.sandbox.process import Sandbox
from providers.sandbox.recorded import FOLDER

ZONE = ZoneInfo("America/Los_Angeles")  # of both accounts
META_DAYS = (date(2020, 12, 1), date(2020, 12, 31))
GOOGLE_DAYS = (date(2020, 12, 1), date(2021, 9, 30))

FILES = {
    "meta": {Stream.CAMPAIGNS: "campaigns", Stream.AD_GROUPS: "ad_sets", Stream.ADS: "ads"},
    "google": {Stream.CAMPAIGNS: "campaigns", Stream.AD_GROUPS: "ad_groups", Stream.ADS: "ads"},
}
Row = dict[str, str]


def recording(name: str) -> list[Row]:
    """The rows of one file."""
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def assert_every_version(
    sandbox: Sandbox, client: Client, columns: Callable[[Any], Row], *, platform: str, account: str
) -> None:
    """Each version that was recorded of each entity arrives in its time, as `columns` tells a record."""
    missing = {stream: recording(f"{platform}_{name}") for stream, name in FILES[platform].items()}
    left = 1
    while left:
        for stream, versions in missing.items():
            for page in client.pages(stream, selection=Selection()):
                for record in page.records:
                    told = columns(record)
                    versions[:] = [one for one in versions if told.items() - one.items()]
        left = sandbox.control("history", platform=platform, account=account, steps=1)["applied"]

    assert missing == {stream: [] for stream in Stream}


def assert_metas_ads(found: Iterable[InsightRecord]) -> None:
    """December of the recorded ads, counted as Meta does by default."""
    insights = {(record.external_id, str(record.day)): record for record in found}
    files = [recording(name) for name in ("meta_insights", "meta_actions", "meta_action_values")]
    assert insights.keys() == {(row["ad_id"], row["date"]) for rows in files for row in rows}
    delivered, actions, values = files
    for row in delivered:
        record = insights[row["ad_id"], row["date"]]
        assert record.impressions == int(row["impressions"])
        assert record.extra["inline_link_clicks"] == int(row["inline_link_clicks"])
        assert record.spend_micros == Decimal(row["spend"]) * 1_000_000
        assert record.reach == int(row["reach"])
    for row in actions:
        told = by_type(insights[row["ad_id"], row["date"]], row)
        assert Decimal(told["count"]) == Decimal(row["value"])
    for row in values:
        told = by_type(insights[row["ad_id"], row["date"]], row)
        assert told["value_micros"] == Decimal(row["value"]) * 1_000_000
    assert {record.currency for record in insights.values()} == {"USD"}
    assert sum(record.spend_micros for record in insights.values()) == 643_630_000


def by_type(record: InsightRecord, row: Row) -> dict[str, Any]:
    """What arrived of an action's row."""
    told: dict[str, Any] = (record.conversions_by_type or {})[row["action_type"]]
    return told


# Google's files by level, and how an entity is named in them.
STATS: dict[Level, tuple[str, Callable[[Row], str]]] = {
    Level.ACCOUNT: ("google_account_stats", lambda row: row["customer_id"]),
    Level.CAMPAIGN: ("google_campaign_stats", lambda row: row["id"]),
    Level.AD_GROUP: ("google_ad_group_stats", lambda row: row["id"]),
    Level.AD: ("google_ad_stats", lambda row: f"{row['ad_group'].rpartition('/')[2]}~{row['ad_id']}"),
}
# By the recording's own names: how a record tells them.
METRICS: dict[str, Callable[[InsightRecord], Decimal]] = {
    "impressions": lambda record: Decimal(record.impressions),
    "clicks": lambda record: Decimal(record.clicks),
    "cost_micros": lambda record: Decimal(record.spend_micros),
    "conversions": lambda record: record.conversions,
    "conversions_value": lambda record: Decimal(record.conversion_value_micros) / 1_000_000,
    "interactions": lambda record: Decimal(record.extra["interactions"]),
    "view_through_conversions": lambda record: Decimal(record.extra["view_through_conversions"]),
}


def assert_googles(level: Level, records: Iterable[InsightRecord]) -> None:
    """All recorded days of a level."""
    name, id_of = STATS[level]
    rows = recording(name)
    found = {(record.external_id, str(record.day)): record for record in records}
    assert found.keys() == {(id_of(row), row["date"]) for row in rows}
    for metric in METRICS.keys() & rows[0].keys():
        sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in rows:  # devices and networks are added up
            sums[id_of(row), row["date"]] += Decimal(row[metric])
        assert {key: METRICS[metric](record) for key, record in found.items()} == sums, metric
    assert {(record.currency, record.reach) for record in found.values()} == {("USD", None)}
