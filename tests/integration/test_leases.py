"""Leases: work can't starve their renewal, and one that is lost all the same can write nothing more."""

import ctypes
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from providers.sandbox.process import Sandbox
from sync import alive
from sync.engine.chunk import chunk
from sync.engine.heartbeat import Heartbeat
from sync.ledger.claim import claim
from sync.ledger.lease import Lease, LeaseLost
from sync.ledger.request import request_sync
from sync.models import SyncRun
from sync.models.choices import Outcome, RunState, Trigger
from sync.schedule.tick import tick
from tests.factories import make_account, make_connection, make_run
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.platforms import addresses, connect
from tests.processes import ROOT, beat, environment, eventually, worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

LEASE = 3.0  # seconds; renewed every third of it
HEALER = """
import django; django.setup()
import time
from sync.schedule.tick import tick
print("ready", flush=True)
while not tick().taken_back:
    time.sleep(0.05)
"""


@pytest.fixture
def held(settings: Settings) -> SyncRun:
    """A run that this process has just claimed."""
    settings.LEASE = timedelta(seconds=LEASE)
    make_run(make_connection(make_account()))
    run = claim("meta", "default", worker="this")
    assert run is not None
    return run


def test_work_that_never_pauses_keeps_its_lease(held: SyncRun) -> None:
    lease = Lease.of(held)
    ends_at = time.monotonic() + 2 * LEASE

    with Heartbeat(lease):
        while time.monotonic() < ends_at:  # as parsing a large page would: busy, and in Python
            sum(range(1000))

    assert tick().taken_back == 0
    with chunk(held, lease, calls=1):
        pass  # it may still write


def test_work_that_holds_the_interpreter_past_its_lease_loses_it_and_writes_nothing_more(
    held: SyncRun,
) -> None:
    lease = Lease.of(held)
    with subprocess.Popen(
        [sys.executable, "-c", HEALER], cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True
    ) as healer:
        assert healer.stdout is not None
        assert healer.stdout.readline() == "ready\n"

        with Heartbeat(lease):
            # a call into C that keeps the interpreter's lock: no other thread of this process runs
            ctypes.PyDLL(None).usleep(int(2 * LEASE * 1_000_000))
            assert healer.wait(timeout=20) == 0
            with pytest.raises(LeaseLost), chunk(held, lease, calls=1):
                raise AssertionError("a late worker writes")

    held.refresh_from_db()
    assert (held.state, held.failed_attempts) == (RunState.QUEUED, 0)
    assert [attempt.outcome for attempt in held.attempts.all()] == [Outcome.LOST]


def test_a_run_of_a_killed_worker_starts_again_within_30_seconds_with_the_default_settings(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    connection = connect(sandbox, make_account(), "meta", campaigns=10, ad_groups=100, ads=5_000)
    sandbox.control("settings", latency={"meta": 0.4})
    overrides = {**addresses(sandbox), "META_CONNECTION_WINDOWS": "100000/60"}
    assert "LEASE_SECONDS" not in environment()

    with worker(tmp_path / "doomed.log", overrides, queues="sync.meta") as doomed:
        eventually(lambda: "sync.meta" in alive.served_queues(), seconds=40, what="a worker")
        run = request_sync(connection.account, [connection], trigger=Trigger.MANUAL, source="api").runs[0]
        eventually(lambda: copied(run) >= 1000, seconds=40, what="page 2")
        sandbox.control("settings", latency={"meta": 60})  # it is at its page when it is killed
        with beat(tmp_path / "beat.log", overrides), worker(tmp_path / "heir.log", overrides):
            eventually(alive.tick_is_fresh, seconds=40, what="a tick")
            doomed.kill()
            killed_at = time.monotonic()
            eventually(lambda: run.attempts.count() == 2, seconds=30, what="a second start")
            assert time.monotonic() - killed_at > 5  # it was not taken from a living worker

    assert next(iter(run.attempts.all())).outcome == Outcome.LOST


def copied(run: SyncRun) -> int:
    run.refresh_from_db()
    return run.ads_count
