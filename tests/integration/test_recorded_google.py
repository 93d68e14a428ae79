"""Every field of the recorded Google customer arrives, with its value, its unit and its time."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from providers.google.client import GoogleClient
from providers.records import (
    AdGroupRecord,
    AdRecord,
    CampaignRecord,
    InsightSlice,
    Level,
)
from providers.sandbox.constants import RECORDED_GOOGLE_CUSTOMER
from providers.sandbox.process import Sandbox
from tests.integration.client_callers import google_client
from tests.integration.recordings import GOOGLE_DAYS, ZONE, assert_every_version, assert_googles

pytest_plugins = "tests.integration.sandbox_fixtures"

STATUSES = {"active": "ENABLED", "paused": "PAUSED", "removed": "REMOVED"}
NO_END = "2037-12-30"


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
    account = RECORDED_GOOGLE_CUSTOMER
    assert_every_version(sandbox, client, columns, platform="google", account=account)


@pytest.mark.parametrize("level", list(Level))
def test_every_recorded_day_arrives_and_no_other(client: GoogleClient, level: Level) -> None:
    pages = client.insights(InsightSlice(level, *GOOGLE_DAYS))

    assert_googles(level, (record for page in pages for record in page.records))
