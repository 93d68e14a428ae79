"""People pause, resume, cancel, replay and resolve while threads ask, work and die: every promise holds."""

import random
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
from pytest_django import Settings

from sync.ledger import finish
from sync.ledger.cancel import cancel
from sync.ledger.claim import claim
from sync.ledger.dead_letters import resolve
from sync.ledger.finish import Failure
from sync.ledger.lease import Lease, LeaseLost
from sync.ledger.pause import PausableRow, pause, resume
from sync.ledger.replay import replay_many
from sync.models import Account, Connection, Intervention, Queue, SyncRun
from sync.models.choices import RunState
from tests.factories import make_account, make_connection
from tests.integration.test_races import Race, ask, drained, heal, look, promises_broken, work
from tests.processes import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

WRONG = Failure("VALIDATION_ERROR", "invalid_request", "Wrong.", is_retryable=False, platform_code="100")

HAPPENINGS = ("asked", "succeed", "dead letter", "replayed", "joined", "paused", "resumed", "cancelled")


def fail_for_good(_: random.Random) -> str:
    run = claim("meta", "default", worker="racer")
    if run is not None:
        with suppress(LeaseLost):
            finish.fail(Lease.of(run), WRONG, calls=1)
            return "dead letter"
    time.sleep(0.01)
    return "nothing to claim"


def send_back(dice: random.Random) -> str:
    done = replay_many(SyncRun.objects.all(), by="racer", per_minute=dice.choice([600, 6_000]))
    time.sleep(0.02)
    return "replayed" if done.sent else "joined" if done.joined else "nothing to replay"


def be_done(dice: random.Random) -> str:
    time.sleep(0.3)  # seldom, or nothing is left to replay
    account = dice.choice(list(Account.objects.all()))
    return "resolved" if resolve(SyncRun.objects.filter(account=account), by="racer") else "none to resolve"


def hold(dice: random.Random) -> str:
    rows: list[PausableRow] = [*Account.objects.all(), *Connection.objects.all(), *Queue.objects.all()]
    time.sleep(0.01)
    if dice.random() < 0.4:
        return "paused" if pause(dice.choice(rows), by="racer") else "was paused"
    return "resumed" if sum(resume(row, by="racer") for row in rows) else "was not paused"


def stop_all(dice: random.Random) -> str:
    time.sleep(dice.choice([0.3, 0.5]))  # seldom, or nothing comes to another end
    return "cancelled" if cancel(SyncRun.objects.filter(provider="meta"), by="racer") else "none to cancel"


def _raced(done: "Counter[str]") -> bool:
    """One round; whether by now all has happened, for a busy machine may need several."""
    race = Race()
    steps = ((ask, 2), (work, 2), (fail_for_good, 1), (heal, 1), (look, 1))
    for step, number in (*steps, (send_back, 2), (be_done, 1), (hold, 2), (stop_all, 1)):
        race.start(step, number)
    race.finish()
    done.update(race.done)
    return all(done[happened] for happened in HAPPENINGS)


def test_what_people_do_amid_the_work_breaks_no_promise(settings: Settings) -> None:
    settings.LEASE = timedelta(seconds=0.3)
    settings.RETRY_BASE = timedelta(seconds=0.05)
    for name in ("Acme", "Globex", "Initech"):
        account = make_account(name)
        for _ in range(4):
            make_connection(account)
    ask(random.Random(1))  # noqa: S311  (repeatable)
    done: Counter[str] = Counter()
    eventually(lambda: _raced(done), seconds=90, what=f"one of {HAPPENINGS}")
    for row in (*Account.objects.all(), *Connection.objects.all(), *Queue.objects.all()):
        resume(row, by="racer")
    eventually(drained, seconds=60, what="an empty ledger")
    told = promises_broken()
    told.pop("failed attempts miscounted", None)  # a replay counts them anew
    assert told == {}, (told, done)
    assert not SyncRun.objects.exclude(state=RunState.FAILED).exclude(resolved_at=None).exists()
    assert Intervention.objects.filter(action="replayed").count() >= done["replayed"]
