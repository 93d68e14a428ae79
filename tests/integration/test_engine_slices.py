"""A full pass that the budget stretches over hours, at a platform that forgets its cursors meanwhile."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings

from providers.records import Page, Stream
from providers.sandbox.process import Sandbox
from sync.engine import copy as engine_copy
from sync.engine.plan import Plan
from sync.engine.slices import Slice
from sync.engine.turn import Turn
from sync.models import Account, SyncRun
from sync.models.choices import RunState, Trigger
from tests.integration.syncing import ask, make_due, small_pages, sync, work
from tests.platforms import assert_equal_to_platform, connect, platform  # noqa: F401  (fixtures)

HOUR = 3600.0
CURSOR_SECONDS = 1800.0
HOURLY = {"meta": ((200, HOUR),)}  # of which background work may use 160
ROOMY = {"meta": ((100_000, 60.0),)}
PAGE = 25


@pytest.fixture
def forgetful(platform: Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Small pages, so that a thousand calls read 25,000 rows; cursors live for half an hour."""
    small_pages(monkeypatch, PAGE)
    platform.control("settings", meta_cursor_seconds=CURSOR_SECONDS)
    settings.CONNECTION_WINDOWS = HOURLY
    yield platform
    platform.control("settings", meta_cursor_seconds=0, clock_ahead=0)
    platform.reset()


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many came with each page."""
    came: list[int] = []
    commit = engine_copy._commit

    def counting(turn: Turn, plan: Plan, stream: Stream, page: Page, slice: Slice | None) -> None:
        came.append(len(page.records))
        commit(turn, plan, stream, page, slice)

    monkeypatch.setattr(engine_copy, "_commit", counting)
    return came


def let_hours_pass(platform: Sandbox, hours: int) -> None:
    """For the budget's windows, and for the platform's cursors: so many since the test began."""
    server = redis.Redis.from_url(django_settings.REDIS_URL)
    for key in server.scan_iter("adtiger:budget:*:calls:*"):
        server.delete(key)
    platform.control("settings", clock_ahead=hours * HOUR)


def hours_of_work(platform: Sandbox, run: SyncRun) -> int:
    """Work until the run has ended, each time until the hour's budget is spent."""
    for hours in range(1, 20):
        work(run.connection)
        run.refresh_from_db()
        if run.state != RunState.DEFERRED:
            return hours
        assert run.defer_reason == "budget", run.waiting_for
        make_due(run)
        let_hours_pass(platform, hours)
    raise AssertionError("it does not end")


def test_a_thousand_calls_end_and_read_hardly_anything_twice(
    forgetful: Sandbox, account: Account, rows: list[int]
) -> None:
    connection = connect(forgetful, account, "meta", campaigns=100, ad_groups=1_000, ads=24_000)
    run = ask(connection, trigger=Trigger.SCHEDULED)

    hours = hours_of_work(forgetful, run)

    assert (run.state, run.failed_attempts) == (RunState.SUCCEEDED, 0)
    assert run.records_count == 100 + 1_000 + 24_000
    assert sum(rows) <= 1.1 * run.records_count
    assert run.calls <= 1.1 * run.records_count / PAGE
    assert hours == 7  # 160 calls each
    assert_equal_to_platform(forgetful, connection)


def test_what_is_known_of_its_size_makes_a_later_pass_begin_in_slices(
    forgetful: Sandbox, account: Account, settings: Any, rows: list[int]
) -> None:
    connection = connect(forgetful, account, "meta", campaigns=40, ad_groups=200, ads=6_000)
    settings.CONNECTION_WINDOWS = ROOMY
    whole = sync(connection)
    assert whole.calls == 2 + 8 + 240  # in one: nothing makes it wait
    settings.CONNECTION_WINDOWS = HOURLY
    let_hours_pass(forgetful, 0)
    rows.clear()
    run = ask(connection, trigger=Trigger.SCHEDULED)

    assert hours_of_work(forgetful, run) == 2

    assert (run.state, run.failed_attempts, run.changes) == (RunState.SUCCEEDED, 0, {})
    assert run.records_count == whole.records_count
    assert sum(rows) <= 1.1 * run.records_count


def test_a_campaign_that_is_too_large_is_read_by_its_ad_groups(
    forgetful: Sandbox, account: Account, rows: list[int]
) -> None:
    connection = connect(forgetful, account, "meta", campaigns=1, ad_groups=60, ads=6_000)
    run = ask(connection, trigger=Trigger.SCHEDULED)

    assert hours_of_work(forgetful, run) == 2

    assert (run.state, run.failed_attempts) == (RunState.SUCCEEDED, 0)
    assert run.records_count == 1 + 60 + 6_000
    assert sum(rows) <= 1.1 * run.records_count
    assert_equal_to_platform(forgetful, connection)


def test_a_pass_in_slices_tells_its_progress(forgetful: Sandbox, account: Account) -> None:
    connection = connect(forgetful, account, "meta", campaigns=1, ad_groups=60, ads=6_000)
    run = ask(connection, trigger=Trigger.SCHEDULED)

    work(connection)

    run.refresh_from_db()
    assert (run.state, run.stage) == (RunState.DEFERRED, "deferred")
    assert len(run.checkpoint["slice"]["ad_group_ids"]) == 2
    assert 66 < run.progress < 99
