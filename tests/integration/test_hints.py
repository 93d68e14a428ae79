"""Hints: no more than there are slots, none that a person waits for, and none whose loss matters."""

import itertools
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from adtiger.embedded.ports import free_port
from providers.sandbox.process import Sandbox
from sync import alive
from sync.engine.drain import drain
from sync.engine.platform import budget_store
from sync.ledger import broker, nudge
from sync.ledger.nudge import REST_SECONDS, nudge_at
from sync.ledger.request import request_sync
from sync.models import Account, Connection, Queue, SyncRun
from sync.models.choices import DeferReason, Outcome, Provider, RunState, Trigger
from sync.schedule.tick import tick
from tests.factories import make_account, make_connection, make_run
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.platforms import addresses, connect
from tests.processes import beat, eventually, worker

QUEUE = "sync.meta"
BOOT_SECONDS = 40
ROOMY = {"META_CONNECTION_WINDOWS": "100000/60"}


def waiting(queue: str = QUEUE) -> int:
    return broker.messages([queue])[queue]


def ask(connection: Connection) -> SyncRun:
    return request_sync(connection.account, [connection], trigger=Trigger.MANUAL, source="api").runs[0]


def succeeded(run: SyncRun) -> bool:
    run.refresh_from_db()
    return run.state == RunState.SUCCEEDED


def test_no_more_hints_wait_than_the_queue_has_slots(account: Account) -> None:
    for _ in range(5):
        make_run(make_connection(account))
    Queue.objects.update(concurrency=2)

    assert [tick().nudged for _ in range(4)] == [1, 1, 0, 0]
    assert waiting() == 2


def test_a_lost_hint_is_replaced_by_the_next_tick(account: Account) -> None:
    make_run(make_connection(account, Provider.GOOGLE))  # one slot, so one hint
    assert [tick().nudged for _ in range(2)] == [1, 0]

    redis.Redis.from_url(settings.REDIS_URL).flushdb()

    assert tick().nudged == 1


def test_a_run_that_is_due_soon_is_told_of_by_one_hint_for_its_moment(account: Account) -> None:
    now = timezone.now()
    for _ in range(3):
        make_run(make_connection(account), state=RunState.DEFERRED, available_at=now + timedelta(seconds=2))
    make_run(make_connection(account), state=RunState.DEFERRED, available_at=now + timedelta(minutes=1))

    tick()

    assert waiting() == 1
    assert not nudge_at("meta", "default", now - timedelta(seconds=1))  # due already: the tick's own hint


def test_a_drain_tells_of_the_run_that_it_leaves_for_soon(connection: Connection, settings: Any) -> None:
    settings.META_GRAPH_URL = f"http://127.0.0.1:{free_port(0)}"
    run = make_run(connection)

    assert drain("meta", "default", worker="w") == 1

    run.refresh_from_db()
    assert run.defer_reason == DeferReason.RETRY
    assert waiting() == 1


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that accepts connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def use_broker(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", url)


def seconds_to(request: partial[SyncRun]) -> float:
    started = time.perf_counter()
    request()
    return time.perf_counter() - started


@pytest.mark.django_db(transaction=True)
def test_a_request_is_answered_at_once_while_the_broker_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (make_connection(make_account(name)) for name in ("Acme", "Globex"))
    use_broker(f"redis://127.0.0.1:{free_port(0)}/0", monkeypatch)

    assert seconds_to(partial(ask, first)) < 0.5
    assert seconds_to(partial(ask, second)) < 0.5
    assert SyncRun.objects.filter(state=RunState.QUEUED).count() == 2


@pytest.mark.django_db(transaction=True)
def test_one_request_waits_a_moment_for_a_broker_that_hangs_and_the_next_does_not(
    silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (make_connection(make_account(name)) for name in ("Acme", "Globex"))
    use_broker(silent, monkeypatch)

    assert broker.ANSWER_SECONDS <= seconds_to(partial(ask, first)) < broker.ANSWER_SECONDS + 1
    assert seconds_to(partial(ask, second)) < 0.5


def test_hints_go_out_again_soon_after_the_broker_is_back(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(connection)
    with monkeypatch.context() as patch:
        use_broker(f"redis://127.0.0.1:{free_port(0)}/0", patch)
        assert tick().nudged == 0
    assert tick().nudged == 0  # nobody asks it again so soon

    later = time.monotonic() + REST_SECONDS
    monkeypatch.setattr("sync.ledger.nudge.time.monotonic", lambda: later)

    assert tick().nudged == 1


def gaps(run: SyncRun) -> list[float]:
    """The seconds between the end of each attempt and the start of the next."""
    attempts = list(run.attempts.all())
    return [
        (later.started_at - earlier.ended_at).total_seconds()
        for earlier, later in itertools.pairwise(attempts)
        if earlier.ended_at
    ]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_retry_after_two_seconds_starts_on_time_and_not_at_a_tick(sandbox: Sandbox, tmp_path: Path) -> None:
    connection = connect(sandbox, make_account(), "meta", campaigns=1, ad_groups=1, ads=1)
    sandbox.fault("meta", "server_error", account=connection.external_id, times=1)
    budget_store().refill([])

    with worker(tmp_path / "worker.log", {**addresses(sandbox), **ROOMY}):
        eventually(lambda: bool(alive.workers()), seconds=BOOT_SECONDS, what="a worker")
        run = ask(connection)
        eventually(partial(succeeded, run), seconds=20, what="success")  # nobody ticks here

    assert [attempt.outcome for attempt in run.attempts.all()] == [Outcome.FAILED, Outcome.SUCCEEDED]
    [gap] = gaps(run)
    assert 2 <= gap < 2.5 + 0.25 + 0.5  # with its jitter, a step, and a busy machine


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_without_any_hint_a_run_starts_at_the_next_tick_and_a_deferred_one_when_it_is_due(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account()
    small = {"campaigns": 1, "ad_groups": 1, "ads": 1}
    asked, deferred = (connect(sandbox, account, "meta", **small) for _ in range(2))
    budget_store().refill([])
    overrides = {**addresses(sandbox), **ROOMY}

    with beat(tmp_path / "beat.log", overrides), worker(tmp_path / "worker.log", overrides):
        eventually(alive.tick_is_fresh, seconds=BOOT_SECONDS, what="a tick")
        monkeypatch.setattr(nudge, "_rests_until", time.monotonic() + 60)  # no hint leaves this process
        run = ask(asked)
        due = timezone.now() + timedelta(seconds=7)
        later = make_run(deferred, state=RunState.DEFERRED, available_at=due, defer_reason=DeferReason.BUDGET)
        for one in (run, later):
            eventually(partial(succeeded, one), seconds=30, what="success")

    assert run.started_at is not None
    assert (run.started_at - run.created_at).total_seconds() < 6
    assert later.started_at is not None
    assert timedelta(0) <= later.started_at - due < timedelta(seconds=1)
