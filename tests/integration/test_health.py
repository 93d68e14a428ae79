"""Liveness, readiness, and who is at work; with real workers and a real beat where that is the point."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from adtiger.embedded.ports import free_port
from sync import alive
from sync.engine.platform import budget_store
from sync.ledger.pause import pause
from sync.models import Account, Connection, Pulse
from sync.models.choices import CredentialStatus, Provider, RunState
from tests.factories import make_connection, make_run
from tests.integration.api_callers import database_away
from tests.processes import Process, beat, eventually, worker

BOOT_SECONDS = 40  # a worker's start takes 2 s, on a machine with ten busy neighbours more
TICK_REASON = "beat, or the worker of maintenance, does not do its work"


def ready(client: Client) -> Any:
    response = client.get("/readyz")
    body = response.json()
    assert set(body) == {"ready", "reasons", "warnings", "queues"}
    assert response.status_code == (200 if body["ready"] else 503)
    assert body["ready"] is (body["reasons"] == [])
    assert "no-store" in response["Cache-Control"]
    return body


def at_work(*queues: str) -> None:
    """As if a worker of these queues and beat had just shown themselves."""
    alive.record("worker@here", started_at=timezone.now(), queues=queues, concurrency=2)
    alive.record_tick()


def age(**names: str) -> None:
    Pulse.objects.filter(**names).update(seen_at=timezone.now() - alive.SILENT - timedelta(seconds=1))


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_with_a_wrong_method_is_told_so(path: str) -> None:
    assert Client(enforce_csrf_checks=True).post(path).status_code == 405


def test_healthz_needs_no_database(client: Client) -> None:
    response = client.get("/healthz")  # a query would fail: this test has no database

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_only_look(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("host", ["10.1.2.3", "10.1.2.3:8000", "elsewhere.example", "-- no host --", ""])
def test_a_probe_is_answered_whatever_its_host(db: None, path: str, host: str, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["adtiger.example"]

    response = Client(headers={"host": host}).get(path)

    assert response.status_code in (200, 503)
    assert "status" in response.json() or "reasons" in response.json()
    assert host == "" or host.encode() not in response.content
    assert response["X-Content-Type-Options"] == "nosniff"


def test_a_foreign_host_reaches_nothing_but_the_probes(db: None, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["adtiger.example"]

    for path in ("/", "/admin/login/", "/api/connections/", "/healthz/", "/readyz/x"):
        assert Client(headers={"host": "10.1.2.3"}).get(path).status_code == 400, path


def test_readiness_tells_who_serves_each_queue_and_how_long_the_oldest_due_sync_waits(
    client: Client, account: Account
) -> None:
    make_run(make_connection(account), queued_at=timezone.now() - timedelta(seconds=40))
    make_run(make_connection(account, Provider.GOOGLE), state=RunState.DEFERRED)
    at_work("sync.meta", "maintenance")

    told = {
        queue["queue"]: (queue["workers"], queue["oldest_due_seconds"]) for queue in ready(client)["queues"]
    }

    assert told == {
        "maintenance": (1, None),
        "sync.google": (0, None),
        "sync.meta": (1, pytest.approx(40, abs=2)),
    }


def test_it_is_ready_when_everything_is_at_work(client: Client, connection: Connection) -> None:
    make_run(connection)
    at_work("sync.meta", "maintenance")

    told = ready(client)
    assert (told["ready"], told["reasons"], told["warnings"]) == (True, [], [])


def test_a_budget_server_that_evicts_is_warned_of(client: Client, db: None) -> None:
    at_work("maintenance")
    store = budget_store().client
    try:
        store.config_set("maxmemory-policy", "allkeys-lru")
        told = ready(client)
    finally:
        store.config_set("maxmemory-policy", "noeviction")

    assert told["ready"]
    assert told["warnings"] == [
        "The budgets' server may forget calls, for its maxmemory-policy is allkeys-lru: set it to noeviction."
    ]


def test_each_queue_without_a_living_worker_is_named(client: Client, account: Account) -> None:
    make_run(make_connection(account))
    make_run(make_connection(account, Provider.GOOGLE, region="asia"))
    at_work("maintenance")

    assert ready(client)["reasons"] == [
        "No worker serves the queue sync.google.asia.",
        "No worker serves the queue sync.meta.",
    ]


def test_turning_ready_or_not_is_logged_once(
    client: Client, db: None, caplog: pytest.LogCaptureFixture
) -> None:
    at_work("maintenance")
    ready(client)
    caplog.clear()
    Pulse.objects.all().delete()
    for _ in range(3):
        assert not ready(client)["ready"]
    at_work("maintenance")
    for _ in range(3):
        assert ready(client)["ready"]

    told: list[Any] = [record.msg for record in caplog.records if record.name == "adtiger.health"]
    assert [line["event"] for line in told] == ["not ready", "ready"]
    assert "No worker serves the queue maintenance." in told[0]["reasons"]


def test_a_silent_worker_serves_nothing(client: Client, db: None) -> None:
    at_work("maintenance")
    age(name="worker@here")

    assert ready(client)["reasons"] == ["No worker serves the queue maintenance."]


def test_a_tick_that_never_ran_is_told(client: Client, db: None) -> None:
    alive.record("worker@here", started_at=timezone.now(), queues=("maintenance",))

    assert ready(client)["reasons"] == [f"The tick has not run yet: {TICK_REASON}."]


def test_a_tick_that_stopped_is_told_with_its_time(client: Client, db: None) -> None:
    at_work("maintenance")
    age(name=alive.TICK)

    last = alive.last_tick()
    assert ready(client)["reasons"] == [
        f"The tick has not run since {last:%Y-%m-%d %H:%M:%S} UTC: {TICK_REASON}."
    ]


@pytest.mark.parametrize("held", ["busy", "paused", "reconnect"])
def test_a_run_that_can_not_start_is_no_fault(client: Client, account: Account, held: str) -> None:
    connection = make_connection(account)
    make_run(connection, queued_at=timezone.now() - timedelta(hours=1))
    if held == "busy":
        for _ in range(2):
            make_run(make_connection(account), state=RunState.RUNNING)
    elif held == "paused":
        pause(connection, by="carol")
    else:
        connection.credential.status = CredentialStatus.RECONNECT_NEEDED
        connection.credential.save()
    at_work("sync.meta", "maintenance")

    assert ready(client)["ready"] is True


def test_a_due_run_that_nobody_starts_is_told(client: Client, connection: Connection) -> None:
    make_run(connection, queued_at=timezone.now() - timedelta(minutes=2))
    at_work("sync.meta", "maintenance")

    [reason] = ready(client)["reasons"]
    assert reason.startswith("sync.meta: a sync has been due for 12")


def test_migrations_that_are_not_applied_are_told(client: Client, db: None) -> None:
    at_work("maintenance")
    last = MigrationRecorder.Migration.objects.filter(app="sync").order_by("pk").last()
    assert last is not None
    last.delete()

    assert ready(client)["reasons"] == ["1 migrations are not applied. Run: python manage.py migrate"]


def test_redis_that_is_away_is_told(client: Client, db: None, settings: Settings) -> None:
    at_work("maintenance")
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port(0)}/0"

    assert ready(client)["reasons"] == ["Redis does not answer: no call can be taken from a budget."]


def test_a_broker_that_is_away_is_told(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    at_work("maintenance")
    monkeypatch.setenv("CELERY_BROKER_URL", f"redis://127.0.0.1:{free_port(0)}/0")

    assert ready(client)["reasons"] == ["The broker does not answer: workers hear of nothing."]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_told(client: Client) -> None:
    with database_away():
        assert ready(client)["reasons"] == ["The database does not answer."]


def test_workers_are_listed_with_what_they_do(account: Account) -> None:
    at_work("sync.meta", "maintenance")
    alive.record("dead@here", started_at=timezone.now(), queues=("sync.google",))
    age(name="dead@here")
    run = make_run(make_connection(account), state=RunState.RUNNING, worker="worker@here")
    make_run(make_connection(account), state=RunState.RUNNING, worker="elsewhere")

    dead, living = alive.workers()

    assert (dead.name, dead.is_alive, dead.runs) == ("dead@here", False, ())
    assert (living.name, living.is_alive, living.runs) == ("worker@here", True, (run,))
    assert (living.queues, living.concurrency) == (("sync.meta", "maintenance"), 2)
    assert alive.served_queues() == {"sync.meta", "maintenance"}


@pytest.fixture
def running(transactional_db: None, tmp_path: Path) -> Iterator[Process]:
    """A real worker that has shown itself."""
    with worker(tmp_path / "worker.log", queues="sync.meta,maintenance") as process:
        eventually(lambda: bool(alive.served_queues()), seconds=BOOT_SECONDS, what="a pulse")
        yield process


def test_a_real_worker_shows_itself_and_leaves_when_it_is_stopped(running: Process) -> None:
    [shown] = alive.workers()
    assert set(shown.queues) == {"sync.meta", "maintenance"}
    assert (shown.is_alive, shown.concurrency) == (True, 2)
    eventually(lambda: alive.workers()[0].seen_at > shown.seen_at, seconds=20, what="a second pulse")

    running.process.terminate()
    running.process.wait(timeout=40)

    assert alive.workers() == []


def test_a_killed_worker_falls_silent(running: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    running.kill()
    monkeypatch.setattr(alive, "SILENT", timedelta(seconds=1))

    eventually(lambda: not alive.served_queues(), seconds=10, what="silence")

    assert [one.is_alive for one in alive.workers()] == [False]


@pytest.mark.slow
def test_readiness_follows_a_real_worker_and_beat(
    running: Process, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ready(client)["reasons"] == [f"The tick has not run yet: {TICK_REASON}."]

    with beat(tmp_path / "beat.log"):
        eventually(lambda: ready(client)["ready"], seconds=BOOT_SECONDS, what="readiness")

    monkeypatch.setattr(alive, "SILENT", timedelta(seconds=7))  # above the worker's 5, so that it stays alive
    eventually(lambda: not ready(client)["ready"], seconds=20, what="the tick's absence")
    [reason] = ready(client)["reasons"]
    assert reason.endswith(f"UTC: {TICK_REASON}.")
