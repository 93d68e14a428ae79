"""Every field of the recorded Meta account arrives, with its value, its unit and its time."""

import csv
from collections.abc import Iterator
from datetime import UTC, date
from decimal import Decimal
from typing import Any

import pytest

from providers.base import Selection
from providers.meta.client import MetaClient
from providers.records import (
    AdGroupRecord,
    AdRecord,
    CampaignRecord,
    InsightRecord,
    InsightSlice,
    Level,
    Stream,
)
from providers.sandbox.constants import RECORDED_META_ACCOUNT
from providers.sandbox.process import Sandbox
from providers.sandbox.recorded_insights import FOLDER
from tests.integration.client_callers import meta_client

pytest_plugins = "tests.integration.sandbox_fixtures"

ACCOUNT = f"act_{RECORDED_META_ACCOUNT}"
FILES = {Stream.CAMPAIGNS: "meta_campaigns", Stream.AD_GROUPS: "meta_ad_sets", Stream.ADS: "meta_ads"}
DECEMBER = InsightSlice(Level.AD, date(2020, 12, 1), date(2020, 12, 31))

Insights = dict[tuple[str, str], InsightRecord]


def recording(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[MetaClient]:
    sandbox.control("settings", today="2021-01-15")
    yield meta_client(sandbox, ACCOUNT)
    sandbox.control("settings", today="")


@pytest.fixture
def insights(client: MetaClient) -> Insights:
    records = [record for page in client.insights(DECEMBER) for record in page.records]
    return {(record.external_id, record.day.isoformat()): record for record in records}


def by_type(insights: Insights, row: dict[str, str]) -> dict[str, Any]:
    """What arrived of an action's row."""
    told: dict[str, Any] = (insights[row["ad_id"], row["date"]].conversions_by_type or {})[row["action_type"]]
    return told


def columns(record: Any) -> dict[str, str]:
    """A record in the recording's own columns, but for those that only its table has."""
    match record:
        case CampaignRecord():
            own = {}
        case AdGroupRecord():
            own = {"campaign_id": record.campaign_external_id}
        case AdRecord():
            own = {
                "campaign_id": record.campaign_external_id,
                "ad_set_id": record.ad_group_external_id,
                "creative_id": record.creative_external_id,
            }
    assert record.platform_updated_at.tzinfo is UTC
    updated = record.platform_updated_at.replace(tzinfo=None).isoformat()
    return {"id": record.external_id, "name": record.name, "updated_time": updated} | own


def test_every_recorded_version_of_every_entity_arrives_in_its_time(
    sandbox: Sandbox, client: MetaClient
) -> None:
    missing = {stream: recording(name) for stream, name in FILES.items()}
    left = 1
    while left:
        for stream, versions in missing.items():
            for page in client.pages(stream, selection=Selection()):
                for record in page.records:
                    told = columns(record)
                    versions[:] = [one for one in versions if told.items() - one.items()]
        left = sandbox.control("history", platform="meta", account=ACCOUNT, steps=1)["applied"]

    assert missing == {stream: [] for stream in Stream}


def test_every_recorded_day_arrives(insights: Insights) -> None:
    for row in recording("meta_insights"):
        record = insights[row["ad_id"], row["date"]]
        assert record.impressions == int(row["impressions"])
        assert record.extra["inline_link_clicks"] == int(row["inline_link_clicks"])
        assert record.spend_micros == Decimal(row["spend"]) * 1_000_000
        assert record.reach == int(row["reach"])
        assert record.currency == "USD"


def test_every_recorded_action_arrives(insights: Insights) -> None:
    for row in recording("meta_actions"):
        told = by_type(insights, row)
        assert Decimal(told["count"]) == Decimal(row["value"])


def test_every_recorded_value_arrives_in_micros(insights: Insights) -> None:
    for row in recording("meta_action_values"):
        told = by_type(insights, row)
        assert told["value_micros"] == Decimal(row["value"]) * 1_000_000


@pytest.mark.parametrize(("attribution", "column"), [("7d_click", "_7_d_click"), ("1d_click", "")])
def test_each_window_counts_what_was_recorded_in_it(
    client: MetaClient, attribution: str, column: str
) -> None:
    pages = client.insights(DECEMBER, attribution=attribution)
    insights = {(one.external_id, one.day.isoformat()): one for page in pages for one in page.records}

    for row in recording("meta_actions"):
        told = by_type(insights, row)
        assert Decimal(told["count"]) == Decimal(row.get(column) or 0)


def test_nothing_but_the_recording_arrives(insights: Insights) -> None:
    rows = [*recording("meta_insights"), *recording("meta_actions"), *recording("meta_action_values")]

    assert set(insights) == {(row["ad_id"], row["date"]) for row in rows}
    assert sum(record.spend_micros for record in insights.values()) == 643_630_000
    assert "23856469955990536" in {record.external_id for record in insights.values()}
