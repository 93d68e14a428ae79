"""A worker that is told to stop ends its page, gives the run back, and is gone within its grace."""

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from providers.sandbox.process import Sandbox
from sync import alive
from sync.ledger.request import request_sync
from sync.models import SyncRun
from sync.models.choices import Outcome, RunState, Trigger
from sync.schedule.tick import tick
from tests.factories import make_account
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.platforms import addresses, assert_equal_to_platform, connect
from tests.processes import Process, eventually, worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PAGE = 0.4  # seconds that the platform takes for an answer
ADS = 8_000  # 16 pages
EXIT_SECONDS = 10  # a page, and what a busy machine needs to end three processes
ROOMY = {"META_CONNECTION_WINDOWS": "100000/60", "STOP_SECONDS": "40"}  # so that only a clean end is quick


class Case:
    """A worker in the middle of a long sync."""

    def __init__(self, sandbox: Sandbox, folder: Path, process: Process, run: SyncRun) -> None:
        self.sandbox, self.folder, self.process, self.run = sandbox, folder, process, run
        self.pid = process.process.pid

    def exit_code(self) -> int:
        return self.process.process.wait(timeout=EXIT_SECONDS)

    def outcomes(self) -> list[str]:
        self.run.refresh_from_db()
        return [attempt.outcome for attempt in self.run.attempts.all()]

    def stick(self) -> None:
        """The platform does not answer the next page; returns when the worker waits for it."""
        self.sandbox.control("settings", latency={"meta": 60})
        seen, since = -1, time.monotonic()

        def waits() -> bool:
            nonlocal seen, since
            self.run.refresh_from_db()
            if self.run.ads_count != seen:
                seen, since = self.run.ads_count, time.monotonic()
            return time.monotonic() - since > 3 * PAGE

        eventually(waits, seconds=20, what="a page without an answer")

    def finish(self) -> None:
        """Another worker goes on, and does not begin again."""
        copied = self.run.ads_count
        self.sandbox.control("settings", latency={"meta": 0})
        with worker(self.folder / "heir.log", {**addresses(self.sandbox), **ROOMY}):
            eventually(lambda: bool(tick()) and succeeded(self.run), seconds=60, what="success")
        last = self.run.attempts.last()
        assert last is not None
        assert last.calls <= (ADS - copied) // 500 + 2
        assert self.run.failed_attempts == 0
        assert_equal_to_platform(self.sandbox, self.run.connection)


def succeeded(run: SyncRun) -> bool:
    run.refresh_from_db()
    return run.state == RunState.SUCCEEDED


def has_copied(run: SyncRun, ads: int) -> bool:
    run.refresh_from_db()
    return run.ads_count >= ads


@pytest.fixture
def case(sandbox: Sandbox, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Case]:
    overrides = getattr(request, "param", {})
    connection = connect(sandbox, make_account(), "meta", campaigns=10, ad_groups=100, ads=ADS)
    sandbox.control("settings", latency={"meta": PAGE})
    with worker(tmp_path / "first.log", {**addresses(sandbox), **ROOMY, **overrides}) as process:
        run = request_sync(connection.account, [connection], trigger=Trigger.MANUAL, source="api").runs[0]
        eventually(partial(has_copied, run, 1000), seconds=40, what="page 2")
        yield Case(sandbox, tmp_path, process, run)


def test_sigterm_gives_the_run_back_after_its_page_and_loses_no_attempt(case: Case) -> None:
    os.kill(case.pid, signal.SIGTERM)

    assert case.exit_code() == 0
    assert case.outcomes() == [Outcome.DEFERRED]
    assert (case.run.state, case.run.lease_token) == (RunState.QUEUED, None)
    assert (case.run.failed_attempts, case.run.starts_without_progress) == (0, 0)
    assert 1000 <= case.run.ads_count < ADS
    assert alive.workers() == []
    case.finish()
    assert case.outcomes() == [Outcome.DEFERRED, Outcome.SUCCEEDED]


def test_a_second_sigterm_changes_nothing(case: Case) -> None:
    os.kill(case.pid, signal.SIGTERM)
    time.sleep(PAGE / 8)  # both within the page
    os.kill(case.pid, signal.SIGTERM)

    assert case.exit_code() == 0
    assert case.outcomes() == [Outcome.DEFERRED]


def test_ctrl_c_ends_the_page_and_a_second_one_ends_at_once_with_the_run_given_back(case: Case) -> None:
    case.stick()
    os.kill(case.pid, signal.SIGINT)
    eventually(
        lambda: "Hitting Ctrl+C again" in case.process.log.read_text(), seconds=5, what="Celery's words"
    )
    os.kill(case.pid, signal.SIGINT)

    case.exit_code()
    assert case.outcomes() == [Outcome.LOST]
    assert case.run.state == RunState.QUEUED
    case.finish()


@pytest.mark.parametrize("case", [{"STOP_SECONDS": "2"}], indirect=True)
def test_a_page_that_does_not_end_is_killed_in_time_and_its_run_given_back(case: Case) -> None:
    case.stick()
    os.kill(case.pid, signal.SIGTERM)

    assert case.exit_code() == os.EX_SOFTWARE
    assert case.outcomes() == [Outcome.LOST]
    assert case.run.state == RunState.QUEUED
    case.finish()


@pytest.mark.parametrize("case", [{"LEASE_SECONDS": "3"}], indirect=True)
def test_a_killed_child_is_replaced_and_its_run_goes_on_from_its_page(case: Case) -> None:
    for child in case.process.children:
        os.kill(child, signal.SIGKILL)

    case.sandbox.control("settings", latency={"meta": 0})
    eventually(lambda: bool(tick()) and succeeded(case.run), seconds=40, what="success")

    assert case.outcomes() == [Outcome.LOST, Outcome.SUCCEEDED]
    assert case.run.failed_attempts == 0
    assert case.process.process.poll() is None


def test_an_idle_worker_stops_at_once(tmp_path: Path) -> None:
    with worker(tmp_path / "idle.log", ROOMY) as process:
        eventually(lambda: bool(alive.workers()), seconds=40, what="a pulse")
        process.process.terminate()

        assert process.process.wait(timeout=EXIT_SECONDS) == 0
