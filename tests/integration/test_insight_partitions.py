"""The months of the insights: made when they are needed, dropped when they are too old."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from sync.engine.insights.partitions import (
    add_months,
    drop_old_partitions,
    ensure_partitions,
    months,
    name_of,
    partitions,
)
from sync.models import Account, Connection, Insight, InsightDay
from sync.schedule.cleanup import clean_up
from sync.schedule.upkeep import keep_up
from tests.factories import make_account, make_connection


def add_insight(connection: Connection, day: date, **columns: Any) -> Insight:
    metrics = {"impressions": 10, "clicks": 1, "spend_micros": 5, "conversions": 0}
    words = {"level": "ad", "external_id": "7", "currency": "EUR", "attribution": "click_date"}
    json: dict[str, Any] = {"conversions_by_type": {}, "extra": {}, "conversion_value_micros": 0}
    told = {"run_id": uuid4(), "updated_at": datetime(2026, 11, 24, tzinfo=UTC)}
    owner = {"connection_id": connection.pk}
    return Insight.objects.create(day=day, **{**owner, **metrics, **words, **json, **told, **columns})


def test_months_of_a_range_are_all_that_it_touches() -> None:
    touched = list(months(date(2025, 11, 30), date(2026, 2, 1)))

    assert touched == [date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)]


def test_a_day_lies_in_its_months_partition(account: Account) -> None:
    connection = make_connection(account)
    ensure_partitions(date(2026, 10, 31), date(2026, 11, 1))

    add_insight(connection, date(2026, 10, 31))
    add_insight(connection, date(2026, 11, 1))

    assert partitions() == ["sync_insight_2026_10", "sync_insight_2026_11"]
    with database.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text, day FROM sync_insight ORDER BY day")
        assert cursor.fetchall() == [
            ("sync_insight_2026_10", date(2026, 10, 31)),
            ("sync_insight_2026_11", date(2026, 11, 1)),
        ]


def test_the_clean_up_drops_old_months_with_what_was_known_of_their_days(
    account: Account, settings: Any
) -> None:
    settings.INSIGHTS_MONTHS = 12
    connection = make_connection(account)
    kept = add_months(timezone.now().date(), -12)
    old = kept - timedelta(days=1)
    ensure_partitions(old, kept)
    for day in (old, kept):
        add_insight(connection, day)
        InsightDay.objects.create(
            connection=connection,
            level="ad",
            day=day,
            read_at=datetime(2026, 1, 1, tzinfo=UTC),
            rows=1,
            attribution="click_date",
            run_id=uuid4(),
        )

    done = clean_up()

    assert (done.partitions, done.insight_days) == (1, 1)
    assert partitions() == [name_of(kept)]
    assert Insight.objects.get().day == InsightDay.objects.get().day == kept


def test_the_upkeep_has_a_month_before_it_comes(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.schedule.upkeep.timezone.now", lambda: datetime(2026, 12, 27, tzinfo=UTC))

    keep_up()

    assert partitions() == ["sync_insight_2026_12", "sync_insight_2027_01"]


def test_a_deleted_connection_takes_its_insights_along(account: Account) -> None:
    kept, deleted = make_connection(account), make_connection(account)
    ensure_partitions(date(2026, 11, 1), date(2026, 11, 1))
    for connection in (kept, deleted):
        add_insight(connection, date(2026, 11, 1))

    deleted.delete()

    assert Insight.objects.get().connection == kept


def test_what_was_written_behind_a_deleted_connection_goes_with_the_clean_up(account: Account) -> None:
    kept, deleted = make_connection(account), make_connection(account)
    today = timezone.now().date()
    ensure_partitions(today - timedelta(days=40), today)
    pk = deleted.pk
    deleted.delete()
    for day in (today, today - timedelta(days=40)):
        add_insight(kept, day)
        add_insight(kept, day, connection_id=pk)

    assert clean_up().insights == 2
    assert {row.connection_id for row in Insight.objects.all()} == {kept.pk}
    assert clean_up().insights == 0


@pytest.fixture
def own_partitions(transactional_db: None) -> Iterator[None]:
    """Made and committed by the test: those of earlier tests are gone before it, its own behind it."""
    _drop_all()
    yield
    _drop_all()


def _drop_all() -> None:
    with database.cursor() as cursor:
        for name in partitions():
            cursor.execute(f"DROP TABLE {name}")


@pytest.mark.usefixtures("own_partitions")
def test_a_month_that_several_workers_need_at_once_is_made_once() -> None:
    start = Barrier(4)

    def worker(_: int) -> None:
        start.wait()
        try:
            ensure_partitions(date(2026, 11, 1), date(2026, 12, 31))
        finally:
            database.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(worker, range(4)))

    assert partitions() == ["sync_insight_2026_11", "sync_insight_2026_12"]


@pytest.mark.usefixtures("own_partitions")
def test_a_new_month_waits_for_no_reader_and_no_writer_and_a_drop_not_for_long(settings: Any) -> None:
    settings.INSIGHTS_MONTHS = 12
    connection = make_connection(make_account())
    ensure_partitions(date(2025, 10, 1), date(2025, 10, 1))

    def elsewhere(work: Any, *args: Any) -> Any:
        def close_after() -> Any:
            try:
                return work(*args)
            finally:
                database.close()

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(close_after).result(timeout=20)

    with transaction.atomic():
        add_insight(connection, date(2025, 10, 3))
        elsewhere(ensure_partitions, date(2026, 11, 1), date(2026, 11, 1))
        assert elsewhere(drop_old_partitions, date(2026, 11, 24)) == []

    assert partitions() == ["sync_insight_2025_10", "sync_insight_2026_11"]
    assert drop_old_partitions(date(2026, 11, 24)) == ["sync_insight_2025_10"]
