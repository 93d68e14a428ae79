"""GET /api/sync/status: the figures, what narrows them, and what they cost."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from sync.ledger.pause import pause
from sync.models import Account, Connection
from sync.models.choices import (
    Kind,
    Provider,
    RunState,
    Trigger,
)
from sync.schedule.cleanup import clean_up
from tests.factories import make_connection, make_run
from tests.integration.api_callers import MANUAL, STATUS, Caller, by_token, written
from tests.integration.test_api_status import EXPECTED_FAILURE, NUMBERS, make_ended, status


@pytest.fixture
def caller(bob: User, account: Account) -> Caller:
    return by_token(bob, account)


def test_queues_count_runs_by_kind_and_state(caller: Caller, account: Account) -> None:
    states = [RunState.QUEUED, RunState.RUNNING, RunState.SUCCEEDED, RunState.SUCCEEDED, RunState.FAILED]
    for state in [*states, RunState.DEFERRED, RunState.CANCELLED]:
        make_run(make_connection(account), state=state)
    make_run(make_connection(account), kind=Kind.INSIGHTS)

    body = status(caller)

    campaigns = {"waiting": 1, "active": 1, "completed": 2, "failed": 1, "delayed": 1, "total": 6}
    assert body["queues"]["campaign-sync"] == body["queueStatus"] == campaigns
    assert body["queues"]["ad-sync"] == dict.fromkeys(NUMBERS, 0)
    assert body["queues"]["insights-sync"] == {**dict.fromkeys(NUMBERS, 0), "waiting": 1, "total": 1}


@pytest.mark.parametrize("counted", [False, True])
def test_stats_are_those_of_the_days_in_which_history_is_kept(
    caller: Caller, connection: Connection, settings: Settings, counted: bool
) -> None:
    succeeded = [make_ended(connection, seconds) for seconds in (60, 90, 105)]
    failed = make_ended(connection, state=RunState.FAILED, error_category="RATE_LIMIT")
    make_ended(connection, state=RunState.CANCELLED)
    now = timezone.now()
    yesterday = now.replace(hour=0, minute=0) - timedelta(minutes=2)  # counted, and in the last 24 hours
    some_days, long_ago = (now - timedelta(days=days) for days in (8, settings.HISTORY_DAYS + 1))

    def until(ended: datetime) -> dict[str, Any]:
        return {"started_at": ended - timedelta(seconds=85), "finished_at": ended}

    make_ended(connection, state=RunState.CANCELLED, **until(yesterday))
    make_ended(connection, kind=Kind.INSIGHTS, trigger=Trigger.SCHEDULED, **until(some_days))
    make_ended(connection, state=RunState.FAILED, error_category="RATE_LIMIT", **until(some_days))
    make_ended(connection, state=RunState.FAILED, error_category="UNKNOWN", **until(long_ago))
    if counted:
        cleaned = clean_up()
        assert (cleaned.runs, cleaned.dead_letters) == (1, 1)

    stats = status(caller)["stats"]

    assert (stats["totalSyncs"], stats["successfulSyncs"], stats["failedSyncs"]) == (8, 4, 2)
    assert stats["successRate"] == "66.7%"
    assert (stats["avgDuration"], stats["avgDurationMs"]) == (85, 85_000)
    assert stats["avgDurationFormatted"] == "1m 25s"
    assert stats["errorCategories"] == {"RATE_LIMIT": 2}
    assert stats["lastSuccessfulSync"] == written(succeeded[-1].finished_at)
    assert stats["lastFailedSync"] == written(failed.finished_at)


def test_stats_count_the_manual_syncs_of_today(caller: Caller, account: Account, settings: Settings) -> None:
    settings.MAX_MANUAL_SYNCS_PER_DAY = 2
    make_connection(account)
    assert caller.post(MANUAL, {"provider": "meta"}).status == 202
    first = status(caller)["stats"]
    make_connection(account)
    assert caller.post(MANUAL, {"provider": "meta"}).status == 202
    second = status(caller)["stats"]

    assert (first["manualSyncsToday"], first["canSyncManually"]) == (1, True)
    assert first["maxManualSyncsPerDay"] == 2
    assert (second["manualSyncsToday"], second["canSyncManually"]) == (2, False)


def test_a_viewer_is_told_that_he_can_not_sync(
    victor: User, account: Account, connection: Connection
) -> None:
    assert status(by_token(victor, account))["stats"]["canSyncManually"] is False


def test_the_next_sync_is_the_first_of_the_active_connections(caller: Caller, account: Account) -> None:
    soon = timezone.now() + timedelta(minutes=10)
    pause(make_connection(account, next_sync_at=soon - timedelta(minutes=5)), by="carol")
    make_connection(account, Provider.GOOGLE, next_sync_at=soon)
    make_connection(account, next_sync_at=soon + timedelta(minutes=5))

    body = status(caller)

    assert body["nextSync"] == {"provider": "google", "scheduledAt": written(soon)}
    assert body["stats"]["nextScheduledSync"] == written(soon)


def test_a_provider_narrows_everything(caller: Caller, account: Account) -> None:
    meta, google = make_connection(account), make_connection(account, Provider.GOOGLE)
    make_ended(meta, state=RunState.FAILED, **EXPECTED_FAILURE)
    make_run(meta, state=RunState.RUNNING)
    done = make_ended(google)
    make_run(google, state=RunState.DEFERRED)

    body = status(caller, provider="google")

    assert [one["connection"]["id"] for one in body["providers"]] == [str(google.pk)]
    assert {run["provider"] for run in body["recentSyncs"]} == {"google"}
    assert body["lastSync"]["provider"] == body["nextSync"]["provider"] == done.provider
    assert (body["isRunning"], body["queue"]["isActive"], body["queue"]["isWaiting"]) == (False, False, True)
    assert (body["stats"]["totalSyncs"], body["stats"]["failedSyncs"], body["recentErrors"]) == (1, 0, 0)
    assert (body["queueStatus"]["active"], body["queueStatus"]["delayed"]) == (0, 1)


@pytest.mark.parametrize("provider", ["tiktok", "", "META"])
def test_an_unknown_provider_is_refused(caller: Caller, provider: str) -> None:
    answer = caller.get(STATUS, provider=provider)

    assert (answer.status, answer.body["error"]) == (400, "Validation error")
    assert [detail["field"] for detail in answer.body["details"]] == ["provider"]


def test_the_number_of_queries_does_not_grow(caller: Caller, account: Account) -> None:
    def fill(number: int) -> None:
        for _ in range(number):
            for provider in Provider.values:
                one = make_connection(account, provider)
                make_ended(one)
                make_ended(one, state=RunState.FAILED, **EXPECTED_FAILURE)
                make_run(one, state=RunState.DEFERRED)
                make_run(one, kind=Kind.INSIGHTS)
                make_run(one, state=RunState.RUNNING, kind=Kind.ADS)

    def queries() -> int:
        with CaptureQueriesContext(database) as captured:
            status(caller)
        # the limits that people set are read once in two seconds, whoever asks
        return sum("sync_calllimit" not in query["sql"] for query in captured)

    fill(1)
    few = queries()
    fill(10)

    assert queries() == few <= 32
