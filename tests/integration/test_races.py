"""Real threads and processes race over one ledger; at the end every promise is counted."""

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.db import connection as database
from django.utils import timezone
from pytest_django import Settings

from providers.sandbox.process import Sandbox
from sync.errors import AlreadySyncing
from sync.ledger import finish
from sync.ledger.cancel import cancel
from sync.ledger.claim import claim, slots_free
from sync.ledger.finish import Failure, Success
from sync.ledger.lease import Lease, LeaseLost
from sync.ledger.position import positions
from sync.ledger.request import request_sync
from sync.models import Account, Connection, Queue, SyncAttempt, SyncRequest, SyncRun
from sync.models.choices import ENDED, OPEN, DeferReason, Outcome, RunState, Trigger
from sync.schedule.hourly import Scheduled, request_due, request_hour
from sync.schedule.tick import tick
from tests.factories import make_account, make_connection
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.integration.test_boot_races import at_once
from tests.platforms import addresses, connect
from tests.processes import eventually, worker

pytestmark = [pytest.mark.django_db(transaction=True)]

SECONDS = 6.0  # long enough for some thousand steps
_hours = itertools.count(1)
BUSY = Failure("NETWORK_ERROR", "unreachable", "Meta could not be reached.", is_retryable=True)


class Race:
    """Threads that do something again and again until the time is up; whatever they raise fails the test."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self._failures: list[BaseException] = []
        self._ends_at = time.monotonic() + SECONDS
        self._threads: list[threading.Thread] = []

    def start(self, step: Callable[[random.Random], str], number: int = 1) -> None:
        for index in range(number):
            dice = random.Random(f"{step.__name__} {index}")  # noqa: S311  (repeatable)
            self._threads.append(threading.Thread(target=self._run, args=(step, dice)))

    def _run(self, step: Callable[[random.Random], str], dice: random.Random) -> None:
        try:
            while time.monotonic() < self._ends_at and not self._failures:
                self.done[step(dice)] += 1
        except BaseException as exc:  # noqa: BLE001  (raised again by the main thread)
            self._failures.append(exc)
        finally:
            database.close()

    def finish(self) -> None:
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]


def ask(dice: random.Random) -> str:
    account = dice.choice(list(Account.objects.all()))
    chosen = dice.sample(list(account.connections.all()), k=dice.randint(1, 3))
    trigger = dice.choice([Trigger.MANUAL, Trigger.SCHEDULED])
    with suppress(AlreadySyncing):
        request_sync(account, chosen, trigger=trigger, source="api")
        return "asked"
    return "joined nothing"


def work(dice: random.Random) -> str:
    """Claim a run and leave it in one of all ways, dying included."""
    run = claim("meta", "default", worker="racer")
    if run is None:
        return "nothing to claim"
    lease = Lease.of(run)
    way = dice.choice(["succeed", "succeed", "fail", "defer", "give back", "die"])
    try:
        match way:
            case "succeed":
                finish.succeed(lease, Success(calls=1))
            case "fail":
                finish.fail(lease, BUSY, calls=1)
            case "defer":
                until = timezone.now() + timedelta(milliseconds=dice.randint(0, 200))
                finish.defer(lease, until=until, reason=DeferReason.BUDGET, waiting_for="a call", calls=1)
            case "give back":
                finish.give_back(lease, message="Its worker was stopped.", calls=1)
    except LeaseLost:
        return "lease lost"
    return way


def schedule(_: random.Random) -> str:
    """All connections are due again at each step, for an hour is over."""
    request_due(timezone.now() + next(_hours) * timedelta(hours=1))
    time.sleep(0.02)
    return "scheduled"


def stop(dice: random.Random) -> str:
    ids = list(SyncRun.objects.filter(state__in=OPEN).values_list("pk", flat=True)[:20])
    cancel(SyncRun.objects.filter(pk__in=dice.sample(ids, k=min(2, len(ids)))), by="racer")
    time.sleep(0.02)  # a person is not that quick
    return "cancelled"


def heal(_: random.Random) -> str:
    tick()
    time.sleep(0.01)
    return "ticked"


def look(_: random.Random) -> str:
    """What anybody may see at any moment."""
    queue = Queue.objects.get()
    running = list(SyncRun.objects.running().values_list("connection_id", flat=True))
    assert len(running) <= queue.concurrency
    assert len(running) == len(set(running))
    assert slots_free(queue) >= 0
    places = positions(SyncRun.objects.filter(state=RunState.QUEUED)[:50])
    assert all(place >= 1 for place in places.values())
    return "looked"


@pytest.mark.slow
def test_requests_claims_ends_cancels_and_ticks_that_race_keep_every_promise(settings: Settings) -> None:
    settings.LEASE = timedelta(seconds=0.3)
    settings.RETRY_BASE = timedelta(seconds=0.05)
    settings.MAX_STARTS_WITHOUT_PROGRESS = 3
    for name in ("Acme", "Globex", "Initech"):
        account = make_account(name)
        for _ in range(4):
            make_connection(account)
    ask(random.Random(1))  # noqa: S311  (repeatable)
    race = Race()
    for step, number in ((ask, 2), (schedule, 2), (work, 3), (stop, 1), (heal, 2), (look, 1)):
        race.start(step, number)

    race.finish()

    for happened in (
        "asked",
        "scheduled",
        "succeed",
        "fail",
        "defer",
        "give back",
        "die",
        "cancelled",
        "ticked",
        "looked",
    ):
        assert race.done[happened], race.done
    eventually(drained, seconds=60, what="an empty ledger")
    told = promises_broken()
    assert told == {}, (told, race.done)


def drained() -> bool:
    """Nobody dies any more, so all that is open comes to its end."""
    tick()
    while run := claim("meta", "default", worker="last"):
        finish.succeed(Lease.of(run), Success(calls=0))
    return not SyncRun.objects.filter(state__in=OPEN).exists()


def promises_broken() -> dict[str, int]:
    """The counts that must be zero, without those that are."""
    runs, attempts = SyncRun.objects.all(), SyncAttempt.objects.all()
    empty = [one for one in SyncRequest.objects.all() if not SyncRun.objects.of_request(one).exists()]
    failed = Counter(attempts.filter(outcome=Outcome.FAILED).values_list("run_id", flat=True))
    ends = (Outcome.SUCCEEDED, Outcome.CANCELLED)
    ended = Counter(attempts.filter(outcome__in=ends).values_list("run_id", flat=True))
    counts = {
        "not ended": runs.exclude(state__in=ENDED).count(),
        "leased after the end": runs.exclude(lease_token=None).count(),
        "attempts without an end": attempts.filter(ended_at=None).count(),
        "requests without a run": len(empty),
        "ended twice": sum(number > 1 for number in ended.values()),
        "failed attempts miscounted": sum(run.failed_attempts != failed[run.pk] for run in runs),
        "succeeded without an attempt": sum(
            not ended[run.pk] for run in runs.filter(state=RunState.SUCCEEDED)
        ),
    }
    return {name: count for name, count in counts.items() if count}


def test_two_schedulers_and_two_external_crons_ask_once_for_each_connection() -> None:
    for name in ("Acme", "Globex"):
        account = make_account(name)
        for _ in range(5):
            make_connection(account, next_sync_at=timezone.now() - timedelta(seconds=1))
    now = timezone.now()
    callers = itertools.cycle([partial(request_due, now), partial(request_hour, now)])
    lock = threading.Lock()

    def call() -> Scheduled:
        with lock:
            caller = next(callers)
        return caller()

    at_once(call, 4)

    assert SyncRequest.objects.count() == Connection.objects.count() == 10
    assert SyncRun.objects.count() == 20


@pytest.mark.slow
def test_four_worker_processes_share_the_work_without_doing_any_twice(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    account = make_account()
    small = {"campaigns": 1, "ad_groups": 2, "ads": 3}
    connections = [connect(sandbox, account, "meta", **small) for _ in range(12)]
    overrides = {**addresses(sandbox), "META_CONNECTION_WINDOWS": "100000/60", "META_CONCURRENCY": "3"}

    with (
        worker(tmp_path / "1.log", overrides, concurrency=1),
        worker(tmp_path / "2.log", overrides, concurrency=1),
        worker(tmp_path / "3.log", overrides, concurrency=1),
        worker(tmp_path / "4.log", overrides, concurrency=1),
    ):
        request_sync(account, connections, trigger=Trigger.MANUAL, source="api")
        eventually(
            lambda: bool(tick()) and not SyncRun.objects.filter(state__in=OPEN).exists(),
            seconds=90,
            what="the end of all",
        )

    assert SyncRun.objects.filter(state=RunState.SUCCEEDED).count() == 12
    assert SyncAttempt.objects.exclude(outcome=Outcome.DEFERRED).count() == 12
    assert promises_broken() == {}
