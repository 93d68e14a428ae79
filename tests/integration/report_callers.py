"""Ask for metrics by report runs, and look at these."""

import time
from collections.abc import Iterator
from datetime import date

import pytest

from providers.errors import (
    ReportPending,
)
from providers.meta.client import MetaClient
from providers.records import InsightPage, InsightRecord, InsightSlice, Level
from providers.sandbox.process import Sandbox
from tests.integration.client_callers import meta_client

SLICE = InsightSlice(Level.AD, date(2026, 10, 12), date(2026, 11, 1))
MANY = 5_000  # rows: expected, so a report is asked for


@pytest.fixture(autouse=True)
def quick_reports(sandbox: Sandbox) -> Iterator[None]:
    sandbox.control("settings", today="2026-11-20", meta_report_seconds=0.05)
    yield
    sandbox.control("settings", meta_cursor_seconds=0)


@pytest.fixture
def client(sandbox: Sandbox, ad_account: str) -> MetaClient:
    return meta_client(sandbox, ad_account)


def submit(client: MetaClient) -> ReportPending:
    with pytest.raises(ReportPending) as caught:
        list(client.insights(SLICE, expected_rows=MANY))
    return caught.value


def look(client: MetaClient, cursor: str) -> ReportPending:
    """A look at a run that is not ready, or gives way to the next one."""
    with pytest.raises(ReportPending) as caught:
        list(client.insights(SLICE, cursor=cursor))
    return caught.value


def finish(client: MetaClient, cursor: str) -> list[InsightPage]:
    """Looks until it is ready, much more often than anybody should."""
    for _ in range(100):
        try:
            return list(client.insights(SLICE, cursor=cursor))
        except ReportPending as pending:
            cursor = pending.cursor
            time.sleep(0.05)
    raise AssertionError("the report never came")


def records(pages: list[InsightPage]) -> list[InsightRecord]:
    return [record for page in pages for record in page.records]


def at_once(client: MetaClient) -> list[InsightRecord]:
    return records(list(client.insights(SLICE)))


def runs(sandbox: Sandbox, account: str) -> int:
    """How many were submitted."""
    (counted,) = sandbox.calls(platform="meta", account=account)["subjects"].values()
    return int(counted["endpoints"].get("insights_async", 0))
