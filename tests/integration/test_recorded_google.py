"""Every field of the recorded Google customer arrives, with its value, its unit and its time."""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from providers.base import Selection
from providers.google.client import GoogleClient
from providers.records import (
    AdGroupRecord,
    AdRecord,
    CampaignRecord,
    InsightRecord,
    InsightSlice,
    Level,
    Stream,
)
from providers.sandbox.constants import RECORDED_GOOGLE_CUSTOMER
from providers.sandbox.google_stats import FOLDER
from providers.sandbox.process import Sandbox
from tests.integration.client_callers import google_client

pytest_plugins = "tests.integration.sandbox_fixtures"

ZONE = ZoneInfo("America/Los_Angeles")
FILES = {Stream.CAMPAIGNS: "google_campaigns", Stream.AD_GROUPS: "google_ad_groups", Stream.ADS: "google_ads"}
STATUSES = {"active": "ENABLED", "paused": "PAUSED", "removed": "REMOVED"}
STATS: dict[Level, tuple[str, Callable[[dict[str, str]], str]]] = {
    Level.ACCOUNT: ("google_account_stats", lambda row: row["customer_id"]),
    Level.CAMPAIGN: ("google_campaign_stats", lambda row: row["id"]),
    Level.AD_GROUP: ("google_ad_group_stats", lambda row: row["id"]),
    Level.AD: ("google_ad_stats", lambda row: f"{row['ad_group'].rpartition('/')[2]}~{row['ad_id']}"),
}
WHOLE = (date(2020, 12, 1), date(2021, 9, 30))
NO_END = "2037-12-30"


def recording(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[GoogleClient]:
    """In the autumn of 2021."""
    sandbox.control("settings", today="2021-10-01")
    autumn = datetime(2021, 10, 1, 12, tzinfo=ZONE).timestamp()
    yield google_client(
        sandbox, RECORDED_GOOGLE_CUSTOMER, currency="", time_zone=str(ZONE), clock=lambda: autumn
    )
    sandbox.control("settings", today="")


def local_day(moment: datetime | None) -> str:
    return NO_END if moment is None else f"{moment.astimezone(ZONE):%Y-%m-%d}"


def columns(record: Any) -> dict[str, str]:
    """A record in the recording's own columns, but for those that only its table has."""
    same = {"name": record.name, "status": STATUSES[record.status]}
    match record:
        case CampaignRecord():
            return same | {
                "id": record.external_id,
                "advertising_channel_type": record.objective,
                "start_date": local_day(record.starts_at),
                "end_date": local_day(record.ends_at),
            }
        case AdGroupRecord():
            return same | {"id": record.external_id, "campaign_id": record.campaign_external_id}
        case AdRecord():
            urls = record.raw["adGroupAd"]["ad"].get("finalUrls", [])
            group, _, number = record.external_id.partition("~")
            return same | {"id": number, "ad_group_id": group, "final_urls": f"[{','.join(urls)}]"}
    raise TypeError(record)


def test_every_recorded_version_of_every_entity_arrives(sandbox: Sandbox, client: GoogleClient) -> None:
    missing = {stream: recording(name) for stream, name in FILES.items()}
    left = 1
    while left:
        for stream, versions in missing.items():
            for page in client.pages(stream, selection=Selection()):
                for record in page.records:
                    told = columns(record)
                    versions[:] = [one for one in versions if told.items() - one.items()]
        left = sandbox.control("history", platform="google", account=RECORDED_GOOGLE_CUSTOMER, steps=1)[
            "applied"
        ]

    assert missing == {stream: [] for stream in Stream}


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


@pytest.mark.parametrize("level", list(Level))
def test_every_recorded_day_arrives_and_no_other(client: GoogleClient, level: Level) -> None:
    name, id_of = STATS[level]
    rows = recording(name)
    found = {
        (record.external_id, str(record.day)): record
        for page in client.insights(InsightSlice(level, *WHOLE))
        for record in page.records
    }

    assert found.keys() == {(id_of(row), row["date"]) for row in rows}
    for metric in METRICS.keys() & rows[0].keys():
        sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in rows:  # devices and networks are added up
            sums[id_of(row), row["date"]] += Decimal(row[metric])
        assert {key: METRICS[metric](record) for key, record in found.items()} == sums, metric
    assert {(record.currency, record.reach) for record in found.values()} == {("USD", None)}
