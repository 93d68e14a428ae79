"""The judge of chaos sees each promise that was broken, and none where all were kept."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from providers.sandbox.process import Sandbox
from sync.models import Account, Connection, SyncAttempt, SyncRun
from sync.models.choices import Outcome, RunState
from tests.chaos.journal import Event
from tests.chaos.judge import Case, Verdict, judge
from tests.chaos.tenants import Tenants
from tests.chaos.traffic import Told
from tests.factories import make_connection, make_request, make_run
from tests.integration.sandbox_callers import Graph

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """One whose copy equals the platform, as far as the judge is told, and that knows when it was synced."""
    Connection.objects.update(last_sync_at=timezone.now() + timedelta(hours=1))
    monkeypatch.setattr("tests.chaos.judge.compare", lambda *_: [])
    return connection


def verdict(connection: Connection, *, events: tuple[Event, ...] = (), **told: Any) -> Verdict:
    platform: Any = SimpleNamespace(url="", referee=lambda _: {"windows": []})
    tenants = Tenants([connection.account], [connection])
    explained = frozenset({"unreachable"})
    return judge(Case("test", tenants, Told(**told), list(events), platform, {}, explained))


def attempt(run: SyncRun, *, since: int, until: int | None, outcome: Outcome = Outcome.SUCCEEDED) -> None:
    """Seconds ago."""
    now = timezone.now()
    SyncAttempt.objects.create(
        run=run,
        lease_token=uuid4(),
        started_at=now - timedelta(seconds=since),
        ended_at=None if until is None else now - timedelta(seconds=until),
        outcome=outcome,
    )


def test_requests_that_ended_once_are_counted_and_nothing_else_is_said(connection: Connection) -> None:
    done = make_run(connection, state=RunState.SUCCEEDED)
    attempt(done, since=20, until=15, outcome=Outcome.LOST)
    attempt(done, since=10, until=5)
    stopped = make_run(connection, state=RunState.CANCELLED)
    make_run(connection, state=RunState.FAILED, error_code="unreachable")

    told = verdict(connection, requests={done.request_id}, cancelled={stopped.pk})

    assert (told.requested, told.succeeded, told.cancelled, told.dead_letters) == (
        3,
        1,
        1,
        {"unreachable": 1},
    )
    assert told.is_clean, told.breaches


def test_a_request_that_is_nowhere_or_has_no_run_is_lost(connection: Connection) -> None:
    make_request(connection.account)
    assert verdict(connection, requests={uuid4()}).count("lost") == 2


def test_a_run_that_has_not_ended_is_lost(connection: Connection) -> None:
    make_run(connection, state=RunState.QUEUED)
    assert verdict(connection).count("lost") == 1


def test_a_run_that_became_something_after_its_end_is_lost(connection: Connection) -> None:
    now = timezone.now()
    row = {"id": "1", "state": "queued", "lease_token": None, "starts_without_progress": 1}
    again = Event(1, now, now, now, "1", "sync_syncrun", row, {"state": "succeeded"})
    assert verdict(connection, events=(again,)).count("lost") == 1


def test_a_run_that_ended_as_nobody_asked_and_nothing_explains_is_lost(connection: Connection) -> None:
    make_run(connection, state=RunState.CANCELLED)
    make_run(connection, state=RunState.FAILED, error_code="defect")
    assert verdict(connection).count("lost") == 2


def test_an_innocent_run_that_ended_as_lost_worker_is_lost(connection: Connection) -> None:
    make_run(connection, state=RunState.FAILED, error_code="lost_worker")
    sentences = verdict(connection).breaches["lost"]
    assert any("after 0 starts without a page" in sentence for sentence in sentences)


def test_a_success_that_its_connection_does_not_know_of_is_lost(connection: Connection) -> None:
    make_run(connection, state=RunState.SUCCEEDED)
    Connection.objects.update(last_sync_at=timezone.now() - timedelta(minutes=5))
    assert verdict(connection).count("lost") == 1


def test_attempts_of_one_connection_that_overlap_are_doubled(connection: Connection) -> None:
    first, second = (make_run(connection, state=RunState.SUCCEEDED) for _ in range(2))
    attempt(first, since=20, until=10)
    attempt(second, since=11, until=5)
    assert verdict(connection).count("doubled") == 1


def test_a_run_that_was_done_twice_is_doubled(connection: Connection) -> None:
    run = make_run(connection, state=RunState.SUCCEEDED)
    attempt(run, since=20, until=15)
    attempt(run, since=10, until=5)
    assert verdict(connection).count("doubled") == 1


def test_what_a_late_worker_writes_is_doubled(connection: Connection) -> None:
    now = timezone.now()
    row = {"id": 1, "run_id": "1", "lease_token": "1", "state": None}
    late = Event(1, now, now, now, "1", "sync_syncattempt", row, {"ended_at": "2026-11-24"})
    assert verdict(connection, events=(late,)).count("doubled") == 1


def test_what_the_platform_counted_and_holds_is_told(sandbox: Sandbox, account: Account) -> None:
    opened = sandbox.control("accounts", platform="meta", campaigns=1, ad_groups=1, ads=1)["id"]
    connection = make_connection(account, external_id=f"act_{opened}")
    caller = Graph(sandbox)
    for _ in range(3):
        caller.get(f"act_{opened}/campaigns")
    windows = {"meta": {"account": [[2, 60]], "app": [[3, 60]]}}

    case = Case("test", Tenants([account], [connection]), Told(), [], sandbox, windows, frozenset())

    found = judge(case).breaches
    assert found["windows"] == [f"meta/{opened} had 3 calls; promised are 2 calls in 60 s"]
    assert len(found["catalog"]) == 3
