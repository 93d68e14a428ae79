"""`manage.py queue`: what runs and waits, why, and how many at once."""

from datetime import datetime, timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from sync import alive
from sync.engine.platform import circuits
from sync.ledger.claim import claim
from sync.ledger.pause import pause
from sync.ledger.request import request_sync
from sync.management.command import WrongUse
from sync.models import Account, Connection, Queue
from sync.models.choices import RunState, Trigger
from tests.commands import run, run_json
from tests.factories import make_account, make_connection, make_run
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.integration.test_command_start import manage
from tests.platforms import connect, platform  # noqa: F401  (fixtures)


def test_queue_shows_what_runs_waits_and_why(account: Account) -> None:
    make_run(make_connection(account), trigger=Trigger.MANUAL)
    claim("meta", "default", worker="w")
    make_run(make_connection(account))
    paused = make_connection(account)
    pause(paused, by="carol", reason="holiday")
    make_run(paused)
    make_run(
        make_connection(account), state=RunState.DEFERRED, waiting_for="act_1 may make 10 calls a minute"
    )

    (queue,) = run_json("queue")["queues"]

    assert (queue["running"], queue["queued"], queue["deferred"], queue["slots"]) == (1, 2, 1, 2)
    words = " | ".join(waiting["waiting_for"] for waiting in queue["runs"])
    assert "holiday" in words
    assert "act_1 may make 10 calls a minute, until" in words
    assert [waiting["position"] for waiting in queue["runs"]] == [None, 1, None, None]
    assert [waiting["available_at"] is None for waiting in queue["runs"]] == [True, True, True, False]
    assert "1 of 2 slots busy" in run("queue", "--provider", "meta")


def test_queue_tells_whether_anybody_serves_it(connection: Connection) -> None:
    make_run(connection)
    assert "No worker serves the queue sync.meta." in run("queue")

    alive.record("w1@host", started_at=timezone.now(), queues=("sync.meta",), concurrency=2)

    assert "No worker" not in run("queue")
    assert [queue["workers"] for queue in run_json("queue")["queues"]] == [1]


def test_queue_lists_runs_in_the_order_of_starting(account: Account) -> None:
    scheduled = make_run(make_connection(account))
    person = make_run(make_connection(account), trigger=Trigger.MANUAL)

    (queue,) = run_json("queue")["queues"]

    assert [waiting["id"] for waiting in queue["runs"]] == [str(person.pk), str(scheduled.pk)]
    assert queue["oldest_wait_seconds"] > 0


def test_queue_tells_due_times_to_people(account: Account) -> None:
    deferred = make_run(make_connection(account), state=RunState.DEFERRED)

    assert f"{deferred.available_at:%Y-%m-%d %H:%M:%S}" in run("queue")


def test_queue_tells_which_endpoint_is_down_since_when_and_when_it_is_tried(account: Account) -> None:
    make_run(make_connection(account))
    for who in ("act_1", "act_2", "act_1"):
        circuits().failed("meta:campaigns", "ticket", who, "Meta failed for a moment (Meta's code 2)")

    (outage,) = run_json("queue")["queues"][0]["outages"]

    assert (outage["endpoint"], outage["is_tried"], outage["only"]) == ("campaigns", False, "")
    since, then = (datetime.fromisoformat(outage[name]) for name in ("since", "next_try_at"))
    assert timedelta(seconds=10) <= then - since <= timedelta(seconds=12.1)
    words = run("queue")
    assert f"Meta's campaigns do not answer since {since:%Y-%m-%d %H:%M:%S}" in words
    assert f"the next try is at {then:%H:%M:%S} UTC. Meta failed for a moment (Meta's code 2)" in words


def test_queue_of_a_provider_that_is_not_there_is_wrong_use(db: None) -> None:
    with pytest.raises(CommandError, match="invalid choice: 'metaa'"):
        run("queue", "--provider", "metaa")


@pytest.mark.django_db(transaction=True)
def test_queue_counts_the_brokers_messages() -> None:
    connection = make_connection(make_account())
    request_sync(connection.account, [connection], trigger=Trigger.MANUAL, source="api")

    broker = run_json("queue", "--broker")["broker"]

    assert broker["messages"] == {"sync.meta": 1, "maintenance": 0}
    assert broker["ping_ms"] > 0


def test_the_broker_is_asked_even_if_nothing_was_asked_for_yet(db: None) -> None:
    assert "The broker answers in " in run("queue", "--broker")


def test_a_broker_that_is_away_is_told(connection: Connection) -> None:
    make_run(connection)

    done = manage("queue", "--broker", CELERY_BROKER_URL="redis://:pa55word@127.0.0.1:9/0")

    assert done.returncode == 1
    assert (
        done.stderr
        == "CommandError: The broker does not answer: check CELERY_BROKER_URL, and that it runs.\n"
    )


def test_an_empty_queue_says_so(db: None) -> None:
    assert "No sync was asked for yet" in run("queue")


def test_the_slots_of_a_provider_are_set_for_all_workers(connection: Connection) -> None:
    make_run(connection)

    assert "0 of 5 slots busy" in run("queue", "--provider", "meta", "--slots", "5")

    assert Queue.objects.get().concurrency == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--slots", "5"], "--slots needs --provider"),
        (["--slots", "0", "--provider", "meta"], "from 1 to 32767, not 0. To start nothing, pause the queue"),
        (
            ["--slots", "2", "--provider", "meta", "--region", "eu"],
            "--region: meta has no queue in 'eu'. Give one of default",
        ),
    ],
)
def test_wrong_slots_are_explained(connection: Connection, arguments: list[str], message: str) -> None:
    make_run(connection)

    with pytest.raises(WrongUse, match=message):
        run("queue", *arguments)

    assert Queue.objects.get().concurrency == 2
