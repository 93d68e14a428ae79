"""What a sync of a Google customer costs: operations, counted by the client and by the platform."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from providers.records import Level, Stream
from providers.sandbox.process import Sandbox
from sync.ledger.scope import Scope
from sync.models import Account, Change, Connection, Insight, InsightDay, SyncRun
from sync.models.choices import Kind, Mode, RunState, Trigger
from tests.integration.insight_platform import days_ago
from tests.integration.syncing import sync
from tests.platforms import assert_equal_to_platform, connect, platform  # noqa: F401  (fixtures)

CHANGES = Scope(Mode.INCREMENTAL)


@pytest.fixture(autouse=True)
def by_the_clock(platform: Sandbox) -> None:
    platform.control("settings", google_change_delay=0, google_untold_budgets=False, today="")


@pytest.fixture
def connection(platform: Sandbox, account: Account) -> Connection:
    return connect(platform, account, "google")


def operations(platform: Sandbox, connection: Connection) -> int:
    """As Google counted them."""
    subjects = platform.calls(platform="google", account=connection.external_id)["subjects"]
    return sum(report["calls"] for report in subjects.values())


def read(connection: Connection, **scope: Any) -> SyncRun:
    run = sync(connection, kind=Kind.INSIGHTS, scope=Scope(**scope))
    assert run.state == RunState.SUCCEEDED
    return run


def edit_of_each_kind(platform: Sandbox, connection: Connection, streams: int = 3) -> None:
    truth = platform.truth("google", connection.external_id)
    for stream in list(Stream)[:streams]:
        where = {"platform": "google", "account": connection.external_id, "by": "alice@example.com"}
        platform.control("edit", **where, id=min(truth[stream]), name=f"Edited {timezone.now()}")


def test_a_full_pass_is_one_operation_a_stream(platform: Sandbox, connection: Connection) -> None:
    run = sync(connection)

    assert run.calls == operations(platform, connection) <= 4  # and the account's own
    assert_equal_to_platform(platform, connection)


def test_a_full_pass_of_metrics_is_one_operation_a_level_and_one_for_types(
    platform: Sandbox, connection: Connection
) -> None:
    run = read(connection)

    assert run.calls == operations(platform, connection) == len(Level) + 1
    assert run.insights_count == Insight.objects.count() > 0


def test_an_idle_tick_is_one_operation_and_two_of_metrics(platform: Sandbox, connection: Connection) -> None:
    sync(connection)
    read(connection)
    before = operations(platform, connection)

    catalog, metrics = sync(connection, scope=CHANGES), read(connection)

    assert (catalog.calls, metrics.calls) == (1, 2)
    assert operations(platform, connection) - before == 3


@pytest.mark.parametrize(
    ("trigger", "authors", "of_catalog"),
    [("scheduled", "always", 4), ("manual", "never", 4), ("manual", "always", 5)],
)
def test_a_tick_with_edits_of_each_kind_is_six_operations_and_a_persons_sync_one_more_for_who_it_was(
    platform: Sandbox, connection: Connection, settings: Any, trigger: str, authors: str, of_catalog: int
) -> None:
    settings.AUTHORS = {"google": authors}
    sync(connection)
    read(connection)
    edit_of_each_kind(platform, connection)
    before = operations(platform, connection)

    catalog, metrics = sync(connection, scope=CHANGES, trigger=Trigger(trigger)), read(connection)

    assert catalog.changes == {"updated": 3}
    assert (catalog.calls, metrics.calls) == (of_catalog, 2)
    assert operations(platform, connection) - before == of_catalog + 2
    assert_equal_to_platform(platform, connection)


def test_no_tick_is_more_than_six_operations_and_each_change_has_its_author(
    platform: Sandbox, connection: Connection, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.google.changes.DELAY", timedelta(0))
    settings.AUTHORS = {"google": "always"}
    sync(connection)
    read(connection)
    costs = []
    for streams in (3, 3, 2, 1, 0):
        Connection.objects.update(read_until=timezone.now())  # an hour later no reading overlaps the last
        edit_of_each_kind(platform, connection, streams)
        before = operations(platform, connection)
        sync(connection, scope=CHANGES, trigger=Trigger.SCHEDULED)
        read(connection)
        costs.append(operations(platform, connection) - before)

    assert costs == [6, 6, 6, 5, 3]
    assert Change.objects.count() == 9
    assert not Change.objects.filter(by="").exists()


def test_the_metrics_are_the_platforms(platform: Sandbox, connection: Connection, settings: Any) -> None:
    read(connection)

    for level in Level:
        days = InsightDay.objects.filter(level=level).order_by("day").values_list("day", flat=True)
        since, until = days[0], days.reverse()[0]
        assert (until - since).days + 1 == len(days) == settings.INSIGHTS_FIRST_DAYS
        told = {
            (row["day"], row["id"]): row
            for row in platform.insights("google", connection.external_id, level, str(since), str(until))
            if row["impressions"] or row["conversions"]
        }
        rows = {(str(row.day), row.external_id): row for row in Insight.objects.filter(level=level)}
        assert rows.keys() == told.keys()
        for key, row in rows.items():
            assert (row.clicks, row.spend_micros) == (told[key]["clicks"], told[key]["cost_micros"])
            assert row.conversions == Decimal(str(told[key]["conversions"]))


def test_conversions_by_type_stay_where_a_tick_does_not_ask_for_them(
    platform: Sandbox, connection: Connection
) -> None:
    read(connection)
    daily = dict(Insight.objects.filter(level="campaign").values_list("pk", "conversions_by_type"))
    again = read(connection)
    later = days_ago(connection, -28)
    platform.control("settings", today=str(later))  # conversions are restated

    restated = read(connection)

    assert any(daily.values())
    assert again.changes == {}
    assert restated.changes["updated"] > 0
    assert dict(Insight.objects.filter(level="campaign").values_list("pk", "conversions_by_type")) == daily
