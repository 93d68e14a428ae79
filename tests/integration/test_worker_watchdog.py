"""A worker that is deaf or without its database ends itself; a busy or a waiting one is left alone."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from celery.worker import state as celery_state
from django.conf import settings
from django.db import connection as database
from pytest_django import Settings

from providers.sandbox.process import Sandbox
from sync import alive
from sync.ledger import broker
from sync.ledger.request import request_sync
from sync.models import Connection, SyncRun
from sync.models.choices import RunState, Trigger
from sync.schedule.tick import tick
from sync.worker.watchdog import LONGEST_LOOK, Watchdog
from tests.factories import make_account, make_run
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.platforms import addresses, connect
from tests.processes import Process, environment, eventually, worker
from tests.relay import Relay

BOOT_SECONDS = 40
QUEUE = "sync.meta"
ROOMY = {"META_CONNECTION_WINDOWS": "100000/60"}


@pytest.fixture
def to_broker() -> Iterator[Relay]:
    url = urlsplit(settings.REDIS_URL)
    relay = Relay(str(url.hostname), int(url.port or 0))
    relay.mend()
    yield relay
    relay.close()


@pytest.fixture
def to_database() -> Iterator[Relay]:
    relay = Relay(database.settings_dict["HOST"], int(database.settings_dict["PORT"]))
    relay.mend()
    yield relay
    relay.close()


def through(relay: Relay, name: str) -> dict[str, str]:
    """The setting under which a worker reaches a server through the relay."""
    if name == "DATABASE_URL":
        port = database.settings_dict["PORT"]
        return {name: environment()[name].replace(f":{port}/", f":{relay.port}/")}
    return {name: f"redis://127.0.0.1:{relay.port}/{settings.REDIS_URL.rsplit('/', 1)[1]}"}


def said(process: Process, words: str) -> bool:
    return words in process.log.read_text()


def ready(process: Process) -> None:
    eventually(lambda: said(process, " ready."), seconds=BOOT_SECONDS, what="the worker's start")
    eventually(lambda: bool(alive.served_queues()), seconds=10, what="its first pulse")


def succeeded(run: SyncRun) -> bool:
    run.refresh_from_db()
    return run.state == RunState.SUCCEEDED


def ask(connection: Connection) -> SyncRun:
    return request_sync(connection.account, [connection], trigger=Trigger.MANUAL, source="api").runs[0]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_deaf_worker_ends_itself_and_the_next_one_does_the_work(
    sandbox: Sandbox, to_broker: Relay, tmp_path: Path
) -> None:
    connection = connect(sandbox, make_account(), "meta")
    overrides = {**addresses(sandbox), **ROOMY, **through(to_broker, "CELERY_BROKER_URL")}
    with worker(tmp_path / "deaf.log", {**overrides, "WATCHDOG_DEAF_SECONDS": "5"}) as process:
        ready(process)
        to_broker.stall()
        run = ask(connection)

        # the half-open connection swallows the first hint; the tick's next one waits
        eventually(lambda: bool(tick()) and process.process.poll() is not None, seconds=60, what="its end")
        assert process.process.returncode == os.EX_SOFTWARE
        assert said(process, '"event": "worker ends itself"')
        assert said(process, "it is deaf")
    assert not succeeded(run)

    with worker(tmp_path / "next.log", overrides):  # as its supervisor would
        eventually(lambda: bool(tick()) and succeeded(run), seconds=60, what="success")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_worker_whose_broker_was_away_connects_again_by_itself(
    sandbox: Sandbox, to_broker: Relay, tmp_path: Path
) -> None:
    connection = connect(sandbox, make_account(), "meta")
    overrides = {**addresses(sandbox), **ROOMY, **through(to_broker, "CELERY_BROKER_URL")}
    with worker(tmp_path / "worker.log", {**overrides, "WATCHDOG_DEAF_SECONDS": "12"}) as process:
        ready(process)
        to_broker.cut()
        run = ask(connection)
        eventually(lambda: said(process, "again in 8.00 seconds"), seconds=60, what="a fourth try")
        to_broker.mend()

        eventually(lambda: bool(tick()) and succeeded(run), seconds=40, what="success")
        assert process.process.poll() is None


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_worker_without_its_database_ends_itself(to_database: Relay, tmp_path: Path) -> None:
    overrides = {
        **through(to_database, "DATABASE_URL"),
        "WATCHDOG_DATABASE_SECONDS": "8",
        "STOP_SECONDS": "5",
    }
    with worker(tmp_path / "worker.log", overrides) as process:
        ready(process)
        to_database.cut()

        assert process.process.wait(timeout=60) == os.EX_SOFTWARE
        assert said(process, "the database has not answered for")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_database_that_restarts_ends_no_worker(
    sandbox: Sandbox, to_database: Relay, tmp_path: Path
) -> None:
    connection = connect(sandbox, make_account(), "meta")
    overrides = {**addresses(sandbox), **ROOMY, **through(to_database, "DATABASE_URL")}
    with worker(tmp_path / "worker.log", {**overrides, "WATCHDOG_DATABASE_SECONDS": "20"}) as process:
        ready(process)
        to_database.cut()
        eventually(lambda: said(process, "pulse not written"), seconds=20, what="a missed pulse")
        to_database.mend()

        run = ask(connection)
        eventually(lambda: bool(tick()) and succeeded(run), seconds=40, what="success")
        assert process.process.poll() is None


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("sync.worker.watchdog.time.monotonic", clock)
    return clock


@pytest.fixture
def waiting(connection: Connection) -> None:
    """A message waits for a worker of the queue."""
    make_run(connection)
    assert tick().nudged == 1


def looks(watchdog: Watchdog, clock: Clock, number: int, *, every: float = 5, **found: bool) -> list[str]:
    reasons = []
    for _ in range(number):
        clock.now += every
        reasons.append(watchdog.look(**{"database_answers": True, **found}))
    return reasons


def test_messages_that_wait_for_a_minute_beside_a_free_child_mean_deaf(waiting: None, clock: Clock) -> None:
    watchdog = Watchdog((QUEUE,), 1)

    *before, reason = looks(watchdog, clock, 13)  # at the first it learns the count

    assert set(before) == {""}
    assert reason.startswith("it is deaf: for 60 s")


def test_a_worker_that_takes_tasks_is_not_deaf(
    waiting: None, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    watchdog = Watchdog((QUEUE,), 1)
    monkeypatch.setattr(celery_state, "all_total_count", [0])

    for _ in range(5):
        assert set(looks(watchdog, clock, 10)) == {""}
        celery_state.all_total_count[0] += 1


def test_a_worker_whose_children_are_busy_is_not_deaf(waiting: None, clock: Clock) -> None:
    class Request:
        """What Celery keeps of a task in work."""

    request = Request()
    celery_state.reserved_requests.add(request)

    assert set(looks(Watchdog((QUEUE,), 1), clock, 100)) == {""}
    assert looks(Watchdog((QUEUE,), 2), clock, 100)[-1] != ""  # one of two is free


def test_an_empty_queue_and_a_broker_that_is_away_mean_nothing(
    waiting: None, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(looks(Watchdog(("sync.google",), 1), clock, 100)) == {""}

    def away(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(broker, "messages", away)
    assert set(looks(Watchdog((QUEUE,), 1), clock, 100)) == {""}


def test_a_machine_that_was_suspended_is_not_deaf(waiting: None, clock: Clock) -> None:
    watchdog = Watchdog((QUEUE,), 1)
    looks(watchdog, clock, 2)

    assert looks(watchdog, clock, 1, every=10_000) == [""]
    assert LONGEST_LOOK < 60


def test_a_database_that_is_away_is_waited_for_as_long_as_the_setting_says(
    db: None, clock: Clock, settings: Settings
) -> None:
    settings.WATCHDOG_DATABASE_SECONDS = 30
    watchdog = Watchdog((QUEUE,), 1)

    assert set(looks(watchdog, clock, 5, database_answers=False)) == {""}
    assert looks(watchdog, clock, 1) == [""]
    assert looks(watchdog, clock, 6, database_answers=False)[-1].startswith("the database has not answered")
