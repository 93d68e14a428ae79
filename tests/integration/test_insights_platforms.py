"""Insights from claim to end against the sandbox's platforms: what arrives, and with how many calls."""

import time
from datetime import date
from typing import Any

from providers.records import Level
from providers.sandbox.process import Sandbox
from sync.engine.insights.plan import attribution_of
from sync.models import Account, Connection, Insight, InsightDay, SyncRun
from sync.models.choices import DeferReason, Kind, RunState
from tests.integration.insight_platform import days_ago
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.integration.syncing import BOTH, make_due, sync, work
from tests.platforms import connect, platform  # noqa: F401  (fixtures)

Figures = tuple[str, str, str, int, int, int]


def told(platform: Sandbox, connection: Connection, since: date, until: date) -> set[Figures]:
    """The platform's truth: level, day, entity, and figures."""
    figures = set()
    for level in Level:
        rows = platform.insights(
            connection.provider, connection.external_id, level.value, str(since), str(until)
        )
        for row in rows:
            if connection.provider == "google" and not (row["impressions"] or row["conversions"]):
                continue  # Google tells no row of nothing
            entity = row.get("id") or row["ids"].get(level.value, connection.external_id)
            spend = row["cost_micros"] if "cost_micros" in row else row["spend"] * 10_000
            figures.add((level.value, row["day"], entity, row["impressions"], row["clicks"], spend))
    return figures


def stored(connection: Connection) -> set[Figures]:
    """The same from the table."""
    rows = Insight.objects.filter(connection=connection)
    names = ("level", "day", "external_id", "impressions", "clicks", "spend_micros")
    found: list[Any] = list(rows.values_list(*names))
    return {(level, str(day), *rest) for level, day, *rest in found}


def versions() -> list[Any]:
    rows = Insight.objects.extra(select={"v": "xmin::text || ctid::text"})
    return sorted(rows.values_list("level", "day", "external_id", "v"))


def read(connection: Connection, **options: Any) -> SyncRun:
    return sync(connection, kind=Kind.INSIGHTS, **options)


@BOTH
def test_a_first_run_copies_the_first_days_of_every_level(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider, ads=60)
    sync(connection)

    run = read(connection)

    assert (run.state, run.progress) == (RunState.SUCCEEDED, 100)
    today = days_ago(connection, 0)
    truth = told(platform, connection, days_ago(connection, 29), today)
    assert stored(connection) == truth
    assert run.insights_count == len(truth) == run.changes["created"] > 0
    assert InsightDay.objects.filter(connection=connection).count() == 4 * 30
    rows = Insight.objects.filter(connection=connection)
    assert set(rows.values_list("currency", "attribution")) == {
        (connection.currency, attribution_of(connection))
    }


@BOTH
def test_a_second_run_writes_no_row_with_few_calls(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider, ads=60)
    sync(connection)
    read(connection)
    before = versions()

    run = read(connection)

    assert (run.state, run.changes) == (RunState.SUCCEEDED, {})
    assert versions() == before
    assert run.calls == {"meta": 4, "google": 2}[provider]


def test_metas_report_is_awaited_without_a_slot_and_read_when_it_is_ready(
    platform: Sandbox, account: Account
) -> None:
    connection = connect(platform, account, "meta", ads=120)
    sync(connection)
    platform.control("settings", meta_report_seconds=0.2)

    run = read(connection)

    assert (run.state, run.defer_reason) == ("deferred", DeferReason.REPORT)
    deadline = time.monotonic() + 20
    while run.state == RunState.DEFERRED and time.monotonic() < deadline:
        SyncRun.objects.filter(pk=run.pk).update(checkpoint=_ready(run))
        make_due(run)
        work(connection)
        run.refresh_from_db()
    assert (run.state, run.failed_attempts) == (RunState.SUCCEEDED, 0)
    assert stored(connection) == told(platform, connection, days_ago(connection, 29), days_ago(connection, 0))


def _ready(run: SyncRun) -> dict[str, Any]:
    """The run's checkpoint as it would be when all its reports are due."""
    begun = [{**one, "ready_at": 0} for one in run.checkpoint["begun"]]
    return {**run.checkpoint, "begun": begun}
