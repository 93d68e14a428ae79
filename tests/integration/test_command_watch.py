"""queue, workers, history, limits, sandbox: what an operator sees."""

import io
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from providers.base import Reading, Usage
from providers.errors import Scope
from providers.sandbox.process import Sandbox
from sync import alive
from sync.engine.platform import budget_store, circuits, gate_for
from sync.ledger.claim import claim
from sync.ledger.pause import pause
from sync.ledger.request import request_sync
from sync.management.command import WrongUse
from sync.models import Account, Change, Connection, Pulse, Queue, SyncAttempt
from sync.models.choices import RunState, Trigger
from tests.factories import make_account, make_connection, make_run
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401
from tests.integration.test_command_start import manage
from tests.platforms import connect, platform  # noqa: F401


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


def run_json(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


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


def test_workers_tells_who_is_at_work_and_fails_when_a_queue_is_served_by_nobody(
    connection: Connection,
) -> None:
    make_run(connection)
    alive.record("w1@host", started_at=timezone.now(), queues=("sync.meta",), concurrency=2)
    claim("meta", "default", worker="w1@host")
    out = io.StringIO()

    with pytest.raises(SystemExit):
        call_command("workers", stdout=out)

    assert f"{connection.external_id} 0 %, started 0 s ago" in out.getvalue()
    assert "Nobody serves maintenance: start `manage.py worker maintenance`" in out.getvalue()
    assert "Nobody serves sync.meta" not in out.getvalue()

    alive.record("w2@host", started_at=timezone.now(), queues=("maintenance",), concurrency=1)
    alive.record_tick()
    told = run_json("workers")
    assert told["unserved"] == []
    assert [(queue["queue"], queue["workers"]) for queue in told["queues"]] == [
        ("maintenance", 1),
        ("sync.meta", 1),
    ]
    assert [one["alive"] for one in told["workers"]] == [True, True]
    assert told["workers"][0]["runs"][0]["since"].endswith("Z")


def test_workers_tells_how_to_serve_a_queue_of_another_region(account: Account) -> None:
    make_run(make_connection(account, "google", region="eu"))
    out = io.StringIO()

    with pytest.raises(SystemExit) as caught:
        call_command("workers", stdout=out)

    assert caught.value.code == 1
    assert "Nobody serves sync.google.eu: start `manage.py worker google --region eu`." in out.getvalue()


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
    [(["--run", "x"], "--run: there is no run 'x'"), (["--limit", "0"], "--limit: must be from 1")],
)
def test_wrong_use_of_history_is_explained(db: None, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("history", *arguments)


def test_names_at_the_platform_are_printed_as_they_are(connection: Connection) -> None:
    done = make_run(connection, state=RunState.SUCCEEDED)
    Change.objects.create(
        connection=connection,
        run_id=done.pk,
        entity="campaign",
        external_id="9",
        action="updated",
        field="name",
        old="[/b] :tiger:",
        new="[bold]Sale[/]",
    )

    story = run("history", "--run", str(done.pk))

    assert "[/b] :tiger:" in story
    assert "[bold]Sale[/]" in story


def test_the_story_of_a_waiting_run_says_what_it_waits_for(connection: Connection) -> None:
    waiting = make_run(connection)

    told = run_json("history", "--run", str(waiting.pk))

    assert (told["waiting_for"], told["took_seconds"]) == ("a worker to take it", None)
    assert told["source"] == "beat"


def test_of_two_connections_to_one_ad_account_the_options_choose(
    account: Account, other_account: Account
) -> None:
    ours = make_connection(account, external_id="act_77")
    theirs = make_connection(other_account, external_id="act_77")

    with pytest.raises(CommandError, match=f"'77' names 2. Give one's id: {ours.pk}, {theirs.pk}"):
        run("limits", "--connection", "77")
    (told,) = run_json("limits", "--connection", "77", "--account", "Globex")["connections"]

    assert told["id"] == str(theirs.pk)


def test_limits_shows_use_and_probes(platform: Sandbox, account: Account, settings: Any) -> None:
    connection = connect(platform, account, "meta")
    settings.CONNECTION_WINDOWS = {"meta": ((10, 60.0),), "google": ()}

    (told,) = run_json("limits", "--connection", connection.external_id, "--probe")["connections"]

    assert told["windows"][0] == {
        "budget": connection.external_id,
        "used": 1,
        "limit": 10,
        "seconds": 60.0,
        "source": "the setting META_CONNECTION_WINDOWS",
        "free_at": None,
        "parked_until": None,
        "parked_because": "",
        "background_until": None,
        "background_because": "",
    }
    assert [(window["limit"], window["source"]) for window in told["windows"][1:]] == [
        (9_000, "the tier standard_access"),
        (100_000, "the tier standard_access"),
        (190_000, "the tier standard_access"),
    ]
    assert (told["may_call_at"], told["background_may_call_at"]) == (None, None)
    assert told["probe"]["error"] == ""
    assert 0 <= told["probe"]["percent"] <= 100
    assert "% used." in run("limits", "--account", "Acme", "--provider", "meta", "--probe")


def test_limits_tells_what_the_platform_said_last_and_how_many_calls_failed(
    platform: Sandbox, account: Account
) -> None:
    connection = connect(platform, account, "meta")
    platform.control("limits", platform="meta", account=[[10, 300]], only=connection.external_id)
    connection_arguments = ("limits", "--connection", connection.external_id)
    run(*connection_arguments, "--probe")
    platform.fault("meta", "platform_error", account=connection.external_id, code=2, status=500)
    with pytest.raises(SystemExit):
        run(*connection_arguments, "--probe")

    (told,) = run_json(*connection_arguments)["connections"]
    words = run(*connection_arguments)

    assert told["errors"] == {"calls": 2, "errors": 1, "retries_held_back": False}
    assert told["platform"]["tier"] == "standard_access"
    assert {"scope": "use_case", "use_case": "ads_management", "percent": 20.0, "regain_seconds": 0} in (
        told["platform"]["meters"]
    )
    assert "ad account 20 %" in words
    assert "ads_management 20 %. Access tier: standard_access." in words
    assert "Of the app's last 2 calls 1 failed." in words


def test_limits_tells_when_people_and_the_background_may_call_again(
    connection: Connection, settings: Any
) -> None:
    settings.CONNECTION_WINDOWS = {"meta": ((5, 600.0),), "google": ()}
    gate = gate_for(connection, background=False)
    for _ in range(4):
        gate.settle(gate.take(), Usage())

    (told,) = run_json("limits")["connections"]
    assert (told["may_call_at"], told["background_may_call_at"] is None) == (None, False)

    gate.settle(gate.take(), Usage((Reading(Scope.AD_ACCOUNT, 85, 60_000),)))
    words = run("limits")
    (told,) = run_json("limits")["connections"]

    assert told["windows"][0]["free_at"] == told["may_call_at"] < told["background_may_call_at"]
    assert "for background work: 85 % of the platform's limit is used" in words
    assert f"People may call again at {told['may_call_at'][11:19]} UTC." in words
    assert f"The background may call again at {told['background_may_call_at'][11:19]} UTC." in words


def test_a_probe_that_fails_is_told_and_fails(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "google")
    platform.fault("google", "access_denied", account=connection.external_id)
    out = io.StringIO()

    with pytest.raises(SystemExit) as caught:
        call_command("limits", "--probe", stdout=out)

    assert caught.value.code == 1
    assert "No answer: Google" in out.getvalue()


def test_a_parked_app_is_shown_though_it_has_no_window(connection: Connection) -> None:
    budget_store().park("provider:meta", 60, "the app's limit is used up")

    told = run_json("limits")["connections"][0]["windows"][-1]

    assert (told["budget"], told["used"], told["limit"]) == ("Meta", None, None)
    assert told["parked_because"] == "the app's limit is used up"


def test_limits_of_nothing_say_so(db: None) -> None:
    assert "No connection fits" in run("limits")


def test_sandbox_edits_arrive_as_asked(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "meta")

    out = run("sandbox", "--edit", "3", "--provider", "meta", "--account", connection.external_id)

    assert sum(len(ids) for ids in json.loads(out)["edited"].values()) == 3
    assert connection.external_id.removeprefix("act_") in run("sandbox", "--accounts")
    assert "subjects" in run("sandbox", "--calls")


def test_the_sandboxs_status_tells_its_accounts_faults_and_exceeded_limits(
    platform: Sandbox, account: Account
) -> None:
    connection = connect(platform, account, "google")
    platform.fault("google", "html", account=connection.external_id)

    told = json.loads(run("sandbox", "--status"))

    assert connection.external_id in {one["id"] for one in told["accounts"]}
    assert [fault["kind"] for fault in told["faults"]] == ["html"]
    assert (told["exceeded"], told["url"]) == ([], platform.url)


def test_the_sandbox_is_made_to_fail_slow_and_whole_again(platform: Sandbox, account: Account) -> None:
    external_id = connect(platform, account, "meta").external_id
    where = ("--provider", "meta", "--account", external_id)

    run("sandbox", "--fault", "html", *where, "--with", "status=503", "--with", "probability=0.5")
    run("sandbox", "--latency", "lognormal:1-2", "--provider", "meta")

    (rule,) = platform.ask("faults")["faults"]
    assert (rule["account"], rule["probability"]) == (external_id.removeprefix("act_"), 0.5)
    assert rule["details"] == {"status": 503}
    assert platform.control("settings")["latency"] == {"meta": "lognormal:1-2", "google": "0-0"}
    assert json.loads(run("sandbox", "--clear-faults")) == {"faults": 0}
    run("sandbox", "--reset")
    assert platform.control("settings")["latency"]["meta"] == "0-0"
    assert json.loads(run("sandbox", "--referee"))["exceeded"] == 0


def test_a_fault_without_a_platform_or_a_value_is_wrong_use(platform: Sandbox) -> None:
    with pytest.raises(CommandError, match="--port runs a sandbox, --clear-faults acts on the running one"):
        run("sandbox", "--port", "8090", "--clear-faults")
    with pytest.raises(CommandError, match="--fault needs --provider"):
        run("sandbox", "--fault", "html")
    with pytest.raises(CommandError, match="give it as NAME=VALUE"):
        run("sandbox", "--fault", "html", "--with", "status")


def test_what_the_sandbox_refuses_is_told(platform: Sandbox) -> None:
    with pytest.raises(CommandError, match=r"The sandbox refused: .*no meta account act_404"):
        run("sandbox", "--edit", "1", "--provider", "meta", "--account", "act_404")


def test_a_platform_is_never_taken_for_a_sandbox(settings: Any) -> None:
    settings.META_GRAPH_URL = "https://graph.facebook.com"

    with pytest.raises(CommandError, match=r"points at graph\.facebook\.com, which is no sandbox"):
        run("sandbox", "--status")


def test_a_sandbox_that_is_not_there_is_told(settings: Any) -> None:
    settings.META_GRAPH_URL = "http://127.0.0.1:9/meta"

    with pytest.raises(CommandError, match=r"No sandbox answers at http://127\.0\.0\.1:9\."):
        run("sandbox", "--accounts")
    with pytest.raises(CommandError, match="--edit needs --provider and --account"):
        run("sandbox", "--edit", "3")


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
            "Name one region of meta with --region. It has: default",
        ),
        (["--slots", "2", "--provider", "google"], "It has: none"),
    ],
)
def test_wrong_slots_are_explained(connection: Connection, arguments: list[str], message: str) -> None:
    make_run(connection)

    with pytest.raises(WrongUse, match=message):
        run("queue", *arguments)

    assert Queue.objects.get().concurrency == 2
