"""Every field of the recorded Meta account arrives, with its value, its unit and its time."""

from collections.abc import Iterator
from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest

from providers.meta.client import MetaClient
from providers.records import (
    AdGroupRecord,
    AdRecord,
    CampaignRecord,
    InsightRecord,
    InsightSlice,
    Level,
)
from providers.sandbox.constants import RECORDED_META_ACCOUNT
from providers.sandbox.process import Sandbox
from tests.integration.client_callers import meta_client
from tests.integration.recordings import META_DAYS, assert_every_version, assert_metas_ads, by_type, recording

pytest_plugins = "tests.integration.sandbox_fixtures"

ACCOUNT = f"act_{RECORDED_META_ACCOUNT}"
DECEMBER = InsightSlice(Level.AD, *META_DAYS)

Insights = dict[tuple[str, str], InsightRecord]


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[MetaClient]:
    sandbox.control("settings", today="2021-01-15")
    yield meta_client(sandbox, ACCOUNT)
    sandbox.control("settings", today="")


@pytest.fixture
def insights(client: MetaClient) -> Insights:
    records = [record for page in client.insights(DECEMBER) for record in page.records]
    return {(record.external_id, record.day.isoformat()): record for record in records}


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
    assert_every_version(sandbox, client, columns, platform="meta", account=ACCOUNT)


def test_every_recorded_day_action_and_value_arrives_and_nothing_else(insights: Insights) -> None:
    assert_metas_ads(insights.values())
    assert "23856469955990536" in {external_id for external_id, _ in insights}  # a deleted one's


@pytest.mark.parametrize(("attribution", "column"), [("7d_click", "_7_d_click"), ("1d_click", "")])
def test_each_window_counts_what_was_recorded_in_it(
    client: MetaClient, attribution: str, column: str
) -> None:
    pages = client.insights(DECEMBER, attribution=attribution)
    insights = {(one.external_id, one.day.isoformat()): one for page in pages for one in page.records}

    for row in recording("meta_actions"):
        told = by_type(insights[row["ad_id"], row["date"]], row)
        assert Decimal(told["count"]) == Decimal(row.get(column) or 0)
