"""A platform that is down for a while: nobody's attempt is used, and hardly anything is called."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database_connection

from providers.breaker import Circuits, breaker, circuits
from providers.breaker.circuits import FAILURES
from providers.budget import BudgetStore
from providers.sandbox.process import Sandbox
from sync import moments
from sync.engine import platform as engine_platform
from sync.engine.drain import drain
from sync.engine.platform import circuits as shared_circuits
from sync.ledger.request import request_sync
from sync.ledger.waiting import waiting_for
from sync.models import Account, Connection, Queue, SyncRun
from sync.models.choices import DeferReason, Kind, Outcome, RunState, Trigger
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.platforms import assert_equal_to_platform, connect, platform  # noqa: F401  (fixtures)
from tests.processes import eventually

BOTH = pytest.mark.parametrize("provider", ["meta", "google"])
ENDPOINT = {"meta": "campaigns", "google": "queries"}
SUBJECT = {"meta": "meta/app", "google": "google/project"}
SLOTS = 2
OUTAGE = 2.0  # seconds
PROBES = 3  # at 0.4 s, at 1.2 s, and where the dice are low just before its end


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Outages and retries that are waited for in tenths of seconds."""
    monkeypatch.setattr(circuits, "FIRST_SECONDS", 0.4)
    monkeypatch.setattr(circuits, "BESIDE_PROBE_SECONDS", 0.1)
    monkeypatch.setattr(breaker, "BESIDE_PROBE_SECONDS", 0.1)
    settings.RETRY_BASE = timedelta(seconds=0.1)


@pytest.fixture
def workers(request: pytest.FixtureRequest) -> Iterator[None]:
    """As many threads as the queue has slots, each a worker that is nudged again and again."""
    provider, over = request.getfixturevalue("provider"), threading.Event()

    def work(name: str) -> None:
        try:
            while not over.is_set():
                drain(provider, "default", worker=name)
                over.wait(0.02)
        finally:
            database_connection.close()

    with ThreadPoolExecutor(SLOTS) as pool:
        working = [pool.submit(work, f"worker {number}") for number in range(SLOTS)]
        yield
        over.set()
        for each in working:
            each.result()


def ask(connection: Connection, kind: Kind = Kind.CAMPAIGNS) -> SyncRun:
    asked = request_sync(connection.account, [connection], trigger=Trigger.MANUAL, source="api", kind=kind)
    run = asked.runs[0]
    Queue.objects.update(concurrency=SLOTS)
    return run


def run_once(connection: Connection, run: SyncRun) -> SyncRun:
    """One start of the run, however long it was to wait."""
    SyncRun.objects.filter(pk=run.pk, state=RunState.DEFERRED).update(
        state=RunState.QUEUED, available_at=None, defer_reason="", waiting_for=""
    )
    drain(connection.provider, connection.region, worker="test")
    run.refresh_from_db()
    return run


@BOTH
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "fault", [{"kind": "server_error", "status": 503}, {"kind": "cut"}, {"kind": "html"}]
)
def test_an_outage_costs_two_attempts_in_all_and_few_calls_and_all_syncs_succeed_after_it(
    platform: Sandbox, account: Account, provider: str, fault: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    connections = [connect(platform, account, provider, campaigns=2, ad_groups=4, ads=10) for _ in range(8)]
    platform.control("faults", platform=provider, times=None, **fault)
    runs = [ask(connection) for connection in connections]
    request.getfixturevalue("workers")

    eventually(lambda: len(shared_circuits().open()) == 1, seconds=10, what="an open circuit")
    (circuit,) = shared_circuits().open()
    eventually(lambda: time.time() > circuit.since + OUTAGE, seconds=10, what="a long outage")
    calls = platform.calls(platform=provider)["subjects"][SUBJECT[provider]]["calls"]
    platform.control("faults/clear")
    eventually(lambda: not SyncRun.objects.open().exists(), seconds=30, what="the end of all runs")

    assert (circuit.provider, circuit.endpoint) == (provider, ENDPOINT[provider])
    assert {run.state for run in SyncRun.objects.all()} == {RunState.SUCCEEDED}
    assert sum(run.failed_attempts for run in SyncRun.objects.all()) <= FAILURES - 1
    outcomes = {run.pk: {each.outcome for each in run.attempts.all()} for run in runs}
    assert sum(Outcome.FAILED in each for each in outcomes.values()) <= FAILURES - 1
    assert all(Outcome.DEFERRED in each for each in outcomes.values())
    assert calls <= FAILURES + SLOTS + PROBES
    assert shared_circuits().open() == []
    for connection in connections:
        assert_equal_to_platform(platform, connection)


@BOTH
def test_a_lone_run_outlives_any_number_of_failures_and_says_what_it_waits_for(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    platform.fault(provider, "server_error", status=503, times=None)
    run = ask(connection)

    for _ in range(FAILURES):
        run_once(connection, run)
    assert (run.state, run.defer_reason, run.failed_attempts) == (RunState.DEFERRED, DeferReason.OUTAGE, 2)
    name = {"meta": "Meta's campaigns", "google": "Google's queries"}[provider]
    words = waiting_for([run])[run.pk]
    assert run.available_at
    told = f"{name} do not answer; the next try is at {moments.told(run.available_at)}"
    assert words == f"the platform to answer: {told}"

    for _ in range(4):
        eventually(lambda: shared_circuits().open()[0].until < time.time(), seconds=5, what="half-open")
        run_once(connection, run)
        assert (run.defer_reason, run.failed_attempts) == (DeferReason.OUTAGE, 2)


def test_one_endpoint_that_is_down_stops_no_other(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuits, "FIRST_SECONDS", 60)
    connections = [connect(platform, account, "meta", campaigns=2, ad_groups=4, ads=10) for _ in range(3)]
    platform.fault("meta", "server_error", endpoint="ads", status=502, times=None)
    run = ask(connections[0])
    for _ in range(FAILURES):
        run_once(connections[0], run)

    second, third = (run_once(connection, ask(connection)) for connection in connections[1:])

    assert [(circuit.endpoint, circuit.only) for circuit in shared_circuits().open()] == [("ads", "")]
    assert (run.defer_reason, run.waiting_for) == (DeferReason.OUTAGE, "Meta's ads do not answer")
    for other in (second, third):
        assert (other.defer_reason, other.failed_attempts) == (DeferReason.OUTAGE, 0)
        assert (other.campaigns_count, other.ad_groups_count) == (2, 4)
    assert (second.calls, third.calls) == (3, 2)  # the second made sure that it is not the first one's alone


@BOTH
def test_an_ad_account_that_always_fails_holds_no_other_up_and_ends(
    platform: Sandbox, account: Account, provider: str
) -> None:
    bad, good = (connect(platform, account, provider, campaigns=2, ad_groups=4, ads=10) for _ in range(2))
    platform.fault(provider, "server_error", account=bad.external_id, times=None)
    run = ask(bad)
    for _ in range(FAILURES):
        run_once(bad, run)
    (circuit,) = shared_circuits().open()
    assert (circuit.only, run.defer_reason) == (bad.external_id, DeferReason.OUTAGE)

    other = run_once(good, ask(good))  # while the circuit is open
    assert (other.state, other.attempts.count()) == (RunState.SUCCEEDED, 1)
    assert shared_circuits().open() == []

    run.refresh_from_db()
    assert (run_once(bad, run).state, run.error_code) == (RunState.FAILED, "platform_fault")


def test_streams_that_break_after_a_good_beginning_open_nothing(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "google")
    platform.fault("google", "cut", account=connection.external_id, parts=1, times=None)
    run = ask(connection)

    for _ in range(FAILURES):
        run_once(connection, run)

    assert (run.state, run.failed_attempts, run.error_code) == (RunState.FAILED, FAILURES, "unreachable")
    assert shared_circuits().open() == []


def test_without_the_store_nothing_is_called_and_no_attempt_is_used(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(platform, account, "meta")
    run = ask(connection)
    away = BudgetStore.connect("redis://127.0.0.1:9/0")
    monkeypatch.setattr(engine_platform, "budget_store", lambda: away)
    monkeypatch.setattr(engine_platform, "circuits", lambda: Circuits(away.client))

    run_once(connection, run)

    assert (run.state, run.defer_reason, run.failed_attempts, run.calls) == ("deferred", "budget", 0, 0)
    assert platform.calls(platform="meta")["subjects"] == {}


@BOTH
def test_what_waits_behind_an_outage_keeps_its_place(
    platform: Sandbox, account: Account, provider: str
) -> None:
    runs = [ask(connect(platform, account, provider)) for _ in range(6)]
    platform.fault(provider, "server_error", status=503, times=None)

    assert drain(provider, "default", worker="test") == FAILURES + 1

    left = [SyncRun.objects.get(pk=run.pk) for run in runs]
    assert [run.failed_attempts for run in left] == [1] * (FAILURES - 1) + [0] * 4
    assert [run.defer_reason for run in left[FAILURES - 1 :]] == ["outage"] * 2 + [""] * 2


def test_an_endpoint_that_is_down_keeps_no_other_kind_waiting(platform: Sandbox, account: Account) -> None:
    ill = [ask(connect(platform, account, "meta"), Kind.INSIGHTS) for _ in range(6)]
    behind = ask(connect(platform, account, "meta"))
    platform.fault("meta", "server_error", endpoint="insights", status=503, times=None)

    drain("meta", "default", worker="test")

    behind.refresh_from_db()
    assert behind.state == RunState.SUCCEEDED
    assert not SyncRun.objects.filter(pk__in=[run.pk for run in ill], state=RunState.SUCCEEDED).exists()
