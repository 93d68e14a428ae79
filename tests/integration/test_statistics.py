"""The daily statistic: each day counted once, when it is over, and before its runs go."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from sync.models import Account, Connection, CountedDay, DailyStatistic, SyncRun
from sync.models.choices import Kind, RunState, Trigger
from sync.schedule.cleanup import clean_up
from sync.statistics import count_days, counted_until
from tests.factories import make_account, make_connection, make_run
from tests.locks import begin

DAY = date(2026, 3, 2)
NIGHT = datetime(2026, 3, 3, 0, 30, tzinfo=UTC)  # behind it


def ended(connection: Connection, hour: float = 12, **columns: Any) -> SyncRun:
    """A run that took a minute, and ended so many hours after the day's midnight."""
    finished_at = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hour)
    defaults = {
        "state": RunState.SUCCEEDED,
        "started_at": finished_at - timedelta(minutes=1),
        "finished_at": finished_at,
        "calls": 3,
    }
    return make_run(connection, **{**defaults, **columns})


def told(connection: Connection) -> list[tuple[Any, ...]]:
    rows = DailyStatistic.objects.filter(connection=connection).order_by("day", "kind")
    return list(rows.values_list("day", "kind", "succeeded", "failed", "cancelled", "calls", "seconds"))


def test_a_day_is_what_ended_between_its_midnights(connection: Connection) -> None:
    for hour in (-0.001, 0, 23.999, 24):
        ended(connection, hour)
    ended(connection, kind=Kind.INSIGHTS)
    ended(connection, state=RunState.CANCELLED, started_at=None, calls=0)
    for category in ("RATE_LIMIT", "RATE_LIMIT", "UNKNOWN"):
        ended(connection, state=RunState.FAILED, error_category=category)
    make_run(connection)

    assert count_days(NIGHT) == 2

    assert told(connection) == [
        (date(2026, 3, 1), "campaigns", 1, 0, 0, 3, 60.0),
        (DAY, "campaigns", 2, 3, 1, 15, 120.0),
        (DAY, "insights", 1, 0, 0, 3, 60.0),
    ]
    failed = DailyStatistic.objects.get(day=DAY, kind="campaigns")
    assert failed.error_categories == {"RATE_LIMIT": 2, "UNKNOWN": 1}
    assert counted_until() == datetime(2026, 3, 3, tzinfo=UTC)


def test_a_day_is_counted_once_and_when_it_is_over(connection: Connection) -> None:
    ended(connection)

    assert count_days(NIGHT - timedelta(minutes=25)) == 0  # what ended last may not be committed yet
    assert count_days(NIGHT) == 1
    before = told(connection)
    SyncRun.objects.all().delete()
    assert count_days(NIGHT) == 0

    assert told(connection) == before


def test_days_without_an_end_are_counted_as_well(connection: Connection) -> None:
    ended(connection)

    assert count_days(NIGHT + timedelta(days=5)) == 6

    assert CountedDay.objects.count() == 6
    assert len(told(connection)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_that_count_at_once_count_once() -> None:
    connection = make_connection(make_account())
    ended(connection)

    with transaction.atomic():
        count_days(NIGHT)
        other = begin(lambda: count_days(NIGHT))

    other.result(timeout=10)
    assert [row[2] for row in told(connection)] == [1]


def test_no_run_goes_before_it_is_counted(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    old = timezone.now() - timedelta(days=8)
    run = make_run(connection, state=RunState.SUCCEEDED, trigger=Trigger.SCHEDULED, finished_at=old)
    monkeypatch.setattr("sync.schedule.cleanup.count_days", lambda _: 0)

    assert clean_up().runs == 0
    CountedDay.objects.create(day=old.astimezone(UTC).date() - timedelta(days=1))
    assert clean_up().runs == 0
    monkeypatch.undo()

    cleaned = clean_up()

    assert (cleaned.runs, cleaned.days_counted) == (1, 8)
    assert not SyncRun.objects.filter(pk=run.pk).exists()
    assert DailyStatistic.objects.get().succeeded == 1


def test_the_statistic_has_a_retention_of_its_own(account: Account, settings: Settings) -> None:
    settings.STATISTIC_DAYS = 100
    connection = make_connection(account)
    for days in (99, 102):
        moment = timezone.now() - timedelta(days=days)
        make_run(connection, state=RunState.FAILED, finished_at=moment, resolved_at=moment)

    cleaned = clean_up()

    assert (cleaned.runs, cleaned.statistics) == (2, 1)
    assert DailyStatistic.objects.get().failed == 1
