"""sync, queue, workers, history, limits, sandbox: what an operator sees and starts."""

import io
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from providers.sandbox.process import Sandbox
from sync import alive
from sync.ledger.claim import claim
from sync.ledger.request import request_sync
from sync.models import Account, Change, Connection, Pulse, SyncAttempt, SyncRun
from sync.models.choices import Priority, RunState, Trigger
from tests.factories import make_account, make_connection, make_run
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401
from tests.platforms import addresses, connect, platform  # noqa: F401
from tests.processes import ROOT, environment, worker

ROOMY = {"META_CONNECTION_WINDOWS": "100000/60", "GOOGLE_CONNECTION_WINDOWS": "100000/60"}


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


def run_json(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


def test_sync_asks_for_one_connection_as_a_person_does(connection: Connection) -> None:
    out = run("sync", "--connection", connection.external_id)

    made = SyncRun.objects.get()
    assert (made.trigger, made.priority, made.request.source) == (Trigger.MANUAL, Priority.MANUAL, "command")
    assert str(made.pk) in out


def test_sync_of_everything_is_scheduled_work(account: Account) -> None:
    make_connection(account)
    make_connection(make_account("Globex"), "google")

    told = run_json("sync", "--all")

    assert len(told["runs"]) == 2
    assert {made.priority for made in SyncRun.objects.all()} == {Priority.SCHEDULED}


def test_sync_follows_a_run_that_is_there_already(connection: Connection) -> None:
    first = run_json("sync", "--connection", str(connection.pk))
    second = run_json("sync", "--connection", str(connection.pk))

    assert first["runs"][0]["id"] == second["runs"][0]["id"]
    assert SyncRun.objects.count() == 1


def test_sync_of_chosen_campaigns(connection: Connection) -> None:
    run("sync", "--connection", connection.external_id, "--campaign", "7", "--campaign", "8")

    assert SyncRun.objects.get().campaign_ids == ["7", "8"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Say what to sync"),
        (["--all", "--provider", "meta"], "--all stands alone"),
        (["--connection", "act_404"], "--connection: there is no 'act_404'"),
        (["--account", "Nobody"], "--account: there is no 'Nobody'"),
        (["--all"], "No active connection fits"),
    ],
)
def test_wrong_use_of_sync_is_explained(account: Account, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("sync", *arguments)


def test_a_paused_connection_is_not_synced(connection: Connection) -> None:
    connection.pause(by=None)

    with pytest.raises(CommandError, match="it is paused"):
        run("sync", "--connection", connection.external_id)


def test_waiting_has_an_end_and_tells_what_is_waited_for(connection: Connection) -> None:
    out = io.StringIO()
    with pytest.raises(SystemExit) as caught:
        call_command(
            "sync",
            "--connection",
            connection.external_id,
            "--wait",
            "--timeout",
            "0.1",
            stdout=out,
            stderr=out,
        )

    assert caught.value.code == 1
    assert "waits for a worker to take it" in out.getvalue()
    assert "Still going after 0.1 s" in out.getvalue()
    assert SyncRun.objects.get().state == RunState.QUEUED


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_sync_and_wait_ends_with_the_syncs_and_tells_a_failure_by_its_exit_code(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    account = make_account()
    good, bad = connect(sandbox, account, "meta"), connect(sandbox, account, "google")
    sandbox.fault("google", "access_denied", account=bad.external_id)

    with worker(tmp_path / "worker.log", {**addresses(sandbox), **ROOMY}):
        codes = [
            subprocess.run(
                [sys.executable, "manage.py", "sync", "--connection", one.external_id, "--wait"],
                cwd=ROOT,
                env=environment(),
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            for one in (good, bad)
        ]

    assert [done.returncode for done in codes] == [0, 1], codes
    assert "succeeded, 145 records" in codes[0].stdout
    assert "failed: Google" in codes[1].stdout


def test_queue_shows_what_runs_waits_and_why(account: Account) -> None:
    make_run(make_connection(account), trigger=Trigger.MANUAL)
    claim("meta", "default", worker="w")
    make_run(make_connection(account))
    paused = make_connection(account)
    paused.pause(by=None, reason="holiday")
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
    assert "1 of 2 slots busy" in run("queue", "--provider", "meta")


@pytest.mark.django_db(transaction=True)
def test_queue_counts_the_brokers_messages() -> None:
    connection = make_connection(make_account())
    request_sync(connection.account, [connection], trigger=Trigger.MANUAL, source="api")

    assert run_json("queue", "--broker")["queues"][0]["messages"] == 1


def test_an_empty_queue_says_so(db: None) -> None:
    assert "No sync was asked for yet" in run("queue")


def test_workers_tells_who_is_at_work_and_fails_when_a_queue_is_served_by_nobody(
    connection: Connection,
) -> None:
    make_run(connection)
    alive.record("w1@host", started_at=timezone.now(), queues=("sync.meta",), concurrency=2)
    claim("meta", "default", worker="w1@host")
    out = io.StringIO()

    with pytest.raises(SystemExit):
        call_command("workers", stdout=out)

    assert f"{connection.external_id} 0 %" in out.getvalue()
    assert "Nobody serves maintenance" in out.getvalue()
    assert "Nobody serves sync.meta" not in out.getvalue()

    alive.record("w2@host", started_at=timezone.now(), queues=("maintenance",), concurrency=1)
    alive.record_tick()
    told = run_json("workers")
    assert told["unserved"] == []
    assert [one["alive"] for one in told["workers"]] == [True, True]


def test_a_silent_worker_is_shown_as_silent(db: None) -> None:
    alive.record("w1@host", started_at=timezone.now(), queues=("maintenance",), concurrency=2)
    Pulse.objects.update(seen_at=timezone.now() - timedelta(minutes=2))
    out = io.StringIO()

    with pytest.raises(SystemExit):
        call_command("workers", stdout=out)

    assert "SILENT" in out.getvalue()


def test_history_filters_and_tells_one_runs_story(account: Account) -> None:
    connection = make_connection(account)
    failed = make_run(
        connection,
        state=RunState.FAILED,
        error_category="NETWORK_ERROR",
        error_message="Meta could not be reached",
    )
    make_run(make_connection(account, "google"), state=RunState.SUCCEEDED)
    SyncAttempt.objects.create(
        run=failed,
        lease_token=uuid4(),
        worker="w",
        started_at=timezone.now(),
        outcome="failed",
        trace_id="Trace77",
    )
    Change.objects.create(
        connection=connection, run_id=failed.pk, entity="ad", external_id="9", action="updated", field="name"
    )

    chosen = ["--account", "Acme", "--provider", "meta", "--state", "failed", "--category", "NETWORK_ERROR"]
    listed = run_json("history", *chosen, "--since", "1")["runs"]
    story = run("history", "--run", str(failed.pk))

    assert [one["id"] for one in listed] == [str(failed.pk)]
    assert "Meta could not be reached" in run("history", "--connection", connection.external_id)
    assert "Trace77" in story
    assert "name" in story
    assert run_json("history", "--run", str(failed.pk))["attempts"][0]["trace_id"] == "Trace77"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--run", "x"], "--run: there is no run 'x'"), (["--limit", "0"], "--limit must be at least 1")],
)
def test_wrong_use_of_history_is_explained(db: None, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("history", *arguments)


def test_limits_shows_use_and_probes(platform: Sandbox, account: Account, settings: Any) -> None:
    connection = connect(platform, account, "meta")
    settings.CONNECTION_WINDOWS = {"meta": ((10, 60.0),), "google": ()}

    (told,) = run_json("limits", "--connection", connection.external_id, "--probe")["connections"]

    assert told["windows"] == [
        {
            "budget": connection.external_id,
            "used": 1,
            "limit": 10,
            "seconds": 60.0,
            "parked_until": None,
            "parked_because": "",
        }
    ]
    assert "% used" in told["platform"]
    assert "10" in run("limits", "--account", "Acme", "--provider", "meta")


def test_sandbox_edits_arrive_as_asked(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "meta")

    out = run("sandbox", "--edit", "3", "--provider", "meta", "--external-id", connection.external_id)

    assert sum(len(ids) for ids in json.loads(out)["edited"].values()) == 3
    assert connection.external_id.removeprefix("act_") in run("sandbox", "--accounts")
    assert "subjects" in run("sandbox", "--calls")


def test_a_sandbox_that_is_not_there_is_told(settings: Any) -> None:
    settings.META_GRAPH_URL = "http://127.0.0.1:9/meta"

    with pytest.raises(CommandError, match=r"No sandbox answers at 127\.0\.0\.1:9"):
        run("sandbox", "--accounts")
    with pytest.raises(CommandError, match="--edit needs --provider and --external-id"):
        run("sandbox", "--edit", "3")
