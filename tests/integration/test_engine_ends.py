"""How a run leaves: its end and what its connection is told of it are one, and no way out is a dead end."""

import threading
from contextlib import suppress
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.db import connection as database
from django.utils import timezone

from providers.sandbox.process import Sandbox
from sync.engine import execute as engine
from sync.engine.execute import execute
from sync.engine.platform import open_client
from sync.engine.turn import Turn
from sync.ledger import finish
from sync.ledger.claim import claim
from sync.ledger.lease import Lease, LeaseLost
from sync.models import Account, Connection, SyncRun
from sync.models.choices import Priority, RunState
from tests.factories import make_account, make_run
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.platforms import connect, platform  # noqa: F401  (fixtures)
from tests.processes import eventually

WAITS = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


def started(connection: Connection) -> SyncRun:
    """A run that a worker has just claimed."""
    make_run(connection)
    run = claim(connection.provider, connection.region, worker="test")
    assert run is not None
    return run


@pytest.mark.parametrize("error", [LeaseLost("taken over"), OperationalError("the database went away")])
def test_a_sync_that_did_not_end_was_not_the_last_sync(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    run = started(connect(platform, account, "meta", campaigns=1, ad_groups=1, ads=1))

    def lost(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(finish, "succeed", lost)
    with suppress(OperationalError):  # the drain's to handle
        execute(run)

    connection = Connection.objects.get()
    assert (connection.last_sync_at, connection.last_full_sync_at) == (None, None)
    assert SyncRun.objects.get().state == RunState.RUNNING


@pytest.mark.django_db(transaction=True)
def test_an_end_and_a_request_never_lock_each_other(sandbox: Sandbox, settings: Any) -> None:
    connection = connect(sandbox, make_account(), "meta")
    run = started(connection)
    run.checkpoint = {"plan": {"began": timezone.now().isoformat()}}

    def end() -> None:
        try:
            engine._succeed(Turn(run, Lease.of(run), open_client(run)[0]), calls=0)
        finally:
            database.close()

    ending = threading.Thread(target=end)
    with transaction.atomic():  # as a request does: the connection's row, then its runs'
        Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        ending.start()
        eventually(_somebody_waits, seconds=10, what="the end's wait for the connection")
        SyncRun.objects.filter(pk=run.pk).update(priority=Priority.MANUAL)
    ending.join(timeout=10)

    assert SyncRun.objects.get().state == RunState.SUCCEEDED


def _somebody_waits() -> bool:
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # or a transaction sees what it saw first
        cursor.execute(WAITS)
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize("broken", ["leave", "defer", "_succeed"])
def test_a_defect_in_the_way_out_is_the_runs_and_not_a_lost_worker(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    run = started(connect(platform, account, "meta", campaigns=1, ad_groups=1, ads=1))
    if broken != "_succeed":
        kind = "platform_error" if broken == "leave" else "rate_limit"
        platform.fault("meta", kind, code=100 if broken == "leave" else 17)

    def defect(*_: Any, **__: Any) -> None:
        raise ValueError("secret-token")

    monkeypatch.setattr(engine, broken, defect)
    execute(run)

    run = SyncRun.objects.get()
    assert (run.state, run.error_code, run.failed_attempts) == (RunState.DEFERRED, "defect", 1)
    assert "secret" not in run.error_message
