"""Real worker processes: killed in the middle, short of budget, and fed by a real beat."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection as database_connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from providers.sandbox.process import Sandbox
from sync.engine.platform import budget_store
from sync.ledger.request import request_sync
from sync.models import Ad, Connection, SyncRequest, SyncRun
from sync.models.choices import DeferReason, Kind, Outcome, RunState, Trigger
from sync.schedule.beat import ensure_rows
from sync.schedule.tick import tick
from tests.factories import make_account
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.platforms import addresses, assert_equal_to_platform, connect
from tests.processes import beat, environment, eventually, worker
from tests.relay import Relay

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ROOMY = {"META_CONNECTION_WINDOWS": "100000/60", "GOOGLE_CONNECTION_WINDOWS": "100000/60"}


def ask(connection: Connection, **options: Any) -> SyncRun:
    options = {"trigger": Trigger.MANUAL, "source": "api", **options}
    return request_sync(connection.account, [connection], **options).runs[0]


def state(run: SyncRun) -> str:
    run.refresh_from_db()
    return run.state


def succeeded(run: SyncRun) -> bool:
    return state(run) == RunState.SUCCEEDED


def test_a_hint_wakes_a_worker_which_syncs_both_platforms(sandbox: Sandbox, tmp_path: Path) -> None:
    account = make_account()
    connections = [connect(sandbox, account, provider) for provider in ("meta", "google")]
    budget_store().refill([])  # or one of the two would wait for the other's refill, and for a tick

    with worker(tmp_path / "worker.log", {**addresses(sandbox), **ROOMY}):
        runs = [ask(connection) for connection in connections]
        for run in runs:
            eventually(partial(succeeded, run), seconds=30, what="success")

    for connection in connections:
        assert_equal_to_platform(sandbox, connection)
    log = (tmp_path / "worker.log").read_text()
    for connection in connections:
        assert connection.credential.secret not in log


def test_a_worker_killed_in_the_middle_of_20_000_ads_loses_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    connection = connect(sandbox, make_account(), "meta", campaigns=50, ad_groups=500, ads=20_000)
    sandbox.control("settings", latency={"meta": 0.05})
    environment = {**addresses(sandbox), **ROOMY, "LEASE_SECONDS": "3"}

    with worker(tmp_path / "doomed.log", environment) as doomed:
        run = ask(connection)
        eventually(
            lambda: state(run) == RunState.RUNNING and run.ads_count >= 2000, seconds=30, what="page 4"
        )
        doomed.kill()
    assert state(run) == RunState.RUNNING
    copied = Ad.objects.count()
    assert 2000 <= copied < 20_000

    with worker(tmp_path / "heir.log", environment):
        eventually(lambda: bool(tick()) and state(run) == RunState.SUCCEEDED, seconds=60, what="success")

    assert [attempt.outcome for attempt in run.attempts.all()] == [Outcome.LOST, Outcome.SUCCEEDED]
    assert (run.failed_attempts, run.ads_count) == (0, 20_000)
    second = run.attempts.all()[1]
    assert second.calls <= (20_000 - copied) // 500 + 1  # it went on; it did not begin again
    assert_equal_to_platform(sandbox, connection)


def test_three_workers_finish_25_calls_at_10_a_window_with_the_slot_free_in_between(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    seconds = 4  # a shortened minute
    account = make_account()
    large = connect(sandbox, account, "meta", campaigns=10, ad_groups=100, ads=11_500)
    small = [connect(sandbox, account, "meta", campaigns=2, ad_groups=4, ads=10) for _ in range(3)]
    environment = {**addresses(sandbox), "META_CONNECTION_WINDOWS": f"10/{seconds}", "META_CONCURRENCY": "1"}

    with (
        worker(tmp_path / "1.log", environment, concurrency=1),
        worker(tmp_path / "2.log", environment, concurrency=1),
        worker(tmp_path / "3.log", environment, concurrency=1),
    ):
        run = ask(large)
        eventually(lambda: bool(tick()) and state(run) == RunState.DEFERRED, seconds=30, what="a deferral")
        assert run.defer_reason == DeferReason.BUDGET
        others = [ask(connection) for connection in small]
        for other in others:
            eventually(partial(succeeded, other), seconds=20, what="a free slot")
        assert state(run) != RunState.SUCCEEDED
        eventually(lambda: bool(tick()) and state(run) == RunState.SUCCEEDED, seconds=60, what="success")

    for connection in (large, *small):
        calls = sandbox.calls(platform="meta", account=connection.external_id, watch=f"10/{seconds}")
        assert calls["exceeded"] == []
    calls = sandbox.calls(platform="meta", account=large.external_id, watch=f"10/{seconds}")
    (report,) = calls["subjects"].values()
    assert report["windows"][-1]["highest"] == 10  # the budget was used to its limit, and not beyond
    assert (run.calls, report["calls"], report["refused"]) == (25, 25, 0)
    *deferrals, last = [attempt.outcome for attempt in run.attempts.all()]
    assert (set(deferrals), last) == ({Outcome.DEFERRED}, Outcome.SUCCEEDED)
    assert run.finished_at is not None
    assert (
        run.finished_at - run.created_at
    ).total_seconds() > 2 * seconds  # 10 + 10 + 5 calls: the third window
    assert run.failed_attempts == 0
    assert_equal_to_platform(sandbox, large)


def test_beat_and_a_worker_sync_a_due_connection_and_two_beats_do_it_once(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    connection = connect(sandbox, make_account(), "google")
    Connection.objects.update(next_sync_at=connection.created_at)
    ensure_rows()
    every_second = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.update(interval=every_second)  # a shortened minute
    environment = {**addresses(sandbox), **ROOMY}

    with (
        beat(tmp_path / "beat-1.log", environment),
        beat(tmp_path / "beat-2.log", environment),
        worker(tmp_path / "worker.log", environment),
    ):
        eventually(
            lambda: SyncRun.objects.filter(state=RunState.SUCCEEDED).count() == 2,
            seconds=90,
            what="a scheduled sync",
        )

    assert {(run.kind, run.trigger) for run in SyncRun.objects.all()} == {
        (Kind.CAMPAIGNS, Trigger.SCHEDULED),
        (Kind.INSIGHTS, Trigger.SCHEDULED),
    }
    assert SyncRequest.objects.count() == 1
    assert_equal_to_platform(sandbox, connection)


def test_a_request_made_while_nobody_works_and_the_broker_forgot_is_done_later(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    connection = connect(sandbox, make_account(), "meta")
    run = ask(connection)
    redis.Redis.from_url(settings.REDIS_URL).flushdb()

    with worker(tmp_path / "worker.log", {**addresses(sandbox), **ROOMY}):
        eventually(lambda: bool(tick()) and state(run) == RunState.SUCCEEDED, seconds=30, what="success")


def test_a_hint_that_meets_no_database_is_tried_again_when_it_is_back(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    database = database_connection.settings_dict
    relay = Relay(database["HOST"], int(database["PORT"]))
    url = environment()["DATABASE_URL"].replace(f":{database['PORT']}/", f":{relay.port}/")
    connection = connect(sandbox, make_account(), "meta")
    try:
        with worker(tmp_path / "worker.log", {**addresses(sandbox), **ROOMY, "DATABASE_URL": url}) as process:
            eventually(lambda: "ready." in process.log.read_text(), seconds=30, what="the worker's start")
            run = ask(connection)
            eventually(lambda: '"eta": "datetime' in process.log.read_text(), seconds=20, what="a retry")
            assert state(run) == RunState.QUEUED
            relay.mend()
            eventually(partial(succeeded, run), seconds=30, what="success")
    finally:
        relay.close()
