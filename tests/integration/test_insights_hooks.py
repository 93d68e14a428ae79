"""The platform tells of a report that ended, whenever it likes: its run looks then, once, and at no other."""

import time
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from providers.records import InsightSlice, Level
from providers.sandbox import constants
from providers.sandbox.process import Sandbox
from sync.ledger import finish
from sync.models import Account, Connection, SyncRun
from sync.models.choices import Kind, RunState
from tests.factories import make_connection, noon
from tests.integration.insight_platform import Platform, days_ago, stored, use
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.integration.syncing import ask, sync, work
from tests.integration.test_api_webhook import HOOK, SECRET, ended, post
from tests.platforms import connect, platform  # noqa: F401  (fixtures)


@pytest.fixture(autouse=True)
def _subscribed(settings: Any) -> None:
    settings.META_WEBHOOK_VERIFY_TOKEN = "the verify token"
    settings.META_APP_SECRET = SECRET
    settings.INSIGHTS_FIRST_DAYS = 3


@pytest.fixture
def connection(account: Account) -> Connection:
    return make_connection(account, "google", time_zone=noon())


@pytest.fixture
def told(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """A platform that prepares a report for every level; the first has the id 1."""
    platform = Platform(pending=lambda _: 1)
    for level in Level:
        platform.tell(level, days_ago(connection, 0), "a")
    use(platform, monkeypatch)
    return platform


def is_due(run: SyncRun) -> bool:
    run.refresh_from_db()
    return run.available_at is not None and run.available_at <= timezone.now()


def start(connection: Connection) -> SyncRun:
    run = ask(connection, kind=Kind.INSIGHTS)
    work(connection)
    run.refresh_from_db()
    return run


def test_each_of_its_reports_wakes_the_run_which_looks_at_that_one_only(
    connection: Connection, told: Platform
) -> None:
    run = start(connection)
    assert run.report_ids == ["1", "2", "3", "4"]

    for looked, report in enumerate(["3", "1", "4", "2"], start=1):
        assert not is_due(run)
        assert post(ended(report)).status_code == 200
        assert is_due(run)
        work(connection)
        run.refresh_from_db()
        assert told.polls[-1] == report
        assert len(told.polls) == looked

    assert run.state == RunState.SUCCEEDED
    assert stored(connection) == told.truth


def test_a_hook_that_comes_while_the_run_is_at_work_is_heeded_in_the_same_start(
    connection: Connection, told: Platform
) -> None:
    told.pending = lambda slice: slice.level in (Level.CAMPAIGN, Level.AD_GROUP)

    def tell(slice: InsightSlice) -> None:
        if slice.level is Level.AD:  # the reports were asked for before
            for report in ("2", "3"):
                assert post(ended(report)).status_code == 200

    told.before_page = tell

    run = start(connection)

    assert run.state == RunState.SUCCEEDED
    assert told.polls == ["2", "3"]


def test_a_hook_that_comes_while_the_run_is_just_deferred_is_not_lost(
    connection: Connection, told: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    defer = finish.defer

    def defer_late(*args: Any, **options: Any) -> None:
        if not told.polls:
            assert post(ended("2")).status_code == 200
        defer(*args, **options)

    monkeypatch.setattr(finish, "defer", defer_late)

    run = start(connection)

    assert told.polls == ["2"]  # it was due at once
    assert run.report_ids == ["1", "3", "4"]
    assert not is_due(run)


def test_a_hook_that_comes_too_early_costs_one_look(connection: Connection, told: Platform) -> None:
    told.pending = lambda _: 2
    run = start(connection)
    for _ in range(3):
        assert post(ended("1")).status_code == 200

    work(connection)

    assert told.polls == ["1"]
    assert not is_due(run)


@pytest.mark.django_db(transaction=True)
def test_metas_reports_are_read_as_its_hooks_tell_of_them(
    platform: Sandbox, account: Account, live_server: LiveServer, settings: Any
) -> None:
    settings.META_APP_SECRET = constants.META_APP_SECRET
    settings.INSIGHTS_FIRST_DAYS = 30
    connection = connect(platform, account, "meta", campaigns=60, ad_groups=120, ads=180)
    sync(connection)
    hook = {"meta_report_seconds": 0.3, "meta_webhook_url": f"{live_server.url}{HOOK}"}
    platform.control("settings", **hook)

    run = sync(connection, kind=Kind.INSIGHTS)

    assert (run.state, len(run.report_ids)) == (RunState.DEFERRED, 2)
    deadline = time.monotonic() + 10
    while run.state == RunState.DEFERRED and time.monotonic() < deadline:
        if is_due(run):
            work(connection)
        time.sleep(0.05)
        run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
    (counted,) = platform.calls(platform="meta", account=connection.external_id)["subjects"].values()
    assert counted["endpoints"]["report_run"] == counted["endpoints"]["insights_async"] == 2
