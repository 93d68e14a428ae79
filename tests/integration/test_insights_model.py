"""Whatever pages, reports, splits and deaths do: afterwards the rows are the truth, their days complete."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from providers.records import InsightSlice, Level
from sync.ledger.recover import take_back_lost
from sync.models import Account, Connection, InsightDay, SeenIds, SyncRun
from sync.models.choices import Kind, RunState, Trigger
from tests.factories import make_connection, noon
from tests.integration.insight_platform import Platform, days_ago, stored, use
from tests.integration.syncing import ask, make_due, work

DAYS, FRESH = 6, 2  # of history; of them read by every sync
STARTS = 200  # of one run: more than all that happens to it can cost

Rows = dict[tuple[Level, int, str], int]  # clicks by level, age in days and entity

levels, entities = st.sampled_from(list(Level)), st.sampled_from("abcdefgh")
first_rows = st.dictionaries(
    st.tuples(levels, st.integers(0, DAYS - 1), entities), st.integers(1, 9), min_size=20
)
edits = st.dictionaries(
    st.tuples(levels, st.integers(0, FRESH - 1), entities), st.none() | st.integers(1, 9), max_size=12
)


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


class Disturbed(Platform):
    """A platform with what one run meets there."""

    def disturb(self, data: st.DataObject) -> None:
        self.page_rows = data.draw(st.integers(1, 5), label="rows a page")
        self.too_many = data.draw(st.integers(1, 30), label="rows that are too many")
        slow = data.draw(st.sets(levels), label="levels that need a report")
        looks = data.draw(st.integers(1, 3), label="looks until it is ready")
        self.pending = lambda slice: looks if slice.level in slow else 0
        deaths = data.draw(st.sets(st.integers(1, 30), max_size=2), label="pages at which the worker dies")
        pages = iter(range(1, 10_000))

        def die(_: InsightSlice) -> None:
            if next(pages) in deaths:
                raise Killed

        self.before_page = die


def campaign_of(level: Level, entity: str) -> dict[str, Any]:
    """Two of the entities are in one campaign."""
    is_below = level in (Level.AD_GROUP, Level.AD)
    campaign = "abcdabcd"["abcdefgh".index(entity)] if is_below else entity
    return {"campaign_external_id": campaign}


def finish(run: SyncRun, connection: Connection, *, joined_after: int) -> None:
    """Start it again as often as it needs; a person joins it after so many starts."""
    for start in range(STARTS):
        if start == joined_after:
            ask(connection, kind=Kind.INSIGHTS)
        try:
            work(connection)
        except Killed:
            SyncRun.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
            take_back_lost()
        run.refresh_from_db()
        if run.state == RunState.SUCCEEDED:
            return
        begun = [{**one, "ready_at": one["ready_at"] and 1.0} for one in run.checkpoint.get("begun", [])]
        if begun:
            SyncRun.objects.filter(pk=run.pk).update(checkpoint={**run.checkpoint, "begun": begun})
        make_due(run)
    raise AssertionError(f"it has not ended after {STARTS} starts: {run.state}, {run.waiting_for}")


def assert_true(platform: Platform, connection: Connection) -> None:
    assert stored(connection) == platform.truth
    days = InsightDay.objects.filter(connection=connection)
    told = {(Level(day.level), day.day): day.rows for day in days}
    assert told == {
        (level, day): sum(key[:2] == (level, day) for key in platform.truth)
        for level in Level
        for day in (days_ago(connection, age) for age in range(DAYS))
    }
    assert not SeenIds.objects.exists()


SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
NO_SHRINKING = [Phase.explicit, Phase.reuse, Phase.generate]  # of examples that take a second each


@settings(max_examples=10, deadline=None, suppress_health_check=SLOW, phases=NO_SHRINKING)
@given(rows=first_rows, syncs=st.lists(edits, min_size=1, max_size=2), data=st.data())
def test_after_every_run_the_rows_are_the_truth(
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    django_settings: Any,
    rows: Rows,
    syncs: list[dict[tuple[Level, int, str], int | None]],
    data: st.DataObject,
) -> None:
    platform = Disturbed()
    use(platform, monkeypatch)
    connection = make_connection(account, "google", time_zone=noon())
    for (level, age, entity), clicks in rows.items():
        platform.tell(level, days_ago(connection, age), entity, clicks=clicks, **campaign_of(level, entity))
    for edit in [{}, *syncs]:
        for (level, age, entity), changed in edit.items():
            key = (level, days_ago(connection, age), entity)
            if changed is None:
                platform.truth.pop(key, None)
            else:
                platform.tell(*key, clicks=changed, **campaign_of(level, entity))
        platform.disturb(data)

        joined_after = data.draw(st.integers(1, 6), label="starts before a person joins")

        run = ask(connection, kind=Kind.INSIGHTS, trigger=Trigger.SCHEDULED)
        finish(run, connection, joined_after=joined_after)

        assert run.failed_attempts == 0
        assert_true(platform, connection)


@pytest.fixture
def django_settings(settings: Any) -> Any:
    settings.INSIGHTS_FIRST_DAYS, settings.INSIGHTS_FRESH_DAYS = DAYS, FRESH
    settings.INSIGHTS_HOURLY_LEVELS = {"google": list(Level)}
    return settings
