"""sync: what is asked for, and how it is followed."""

import io
import signal
import subprocess
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from providers.sandbox.process import Sandbox
from sync.ledger.pause import pause
from sync.management.commands.sync import Command
from sync.management.follow import follow
from sync.models import Account, Connection, SyncRun
from sync.models.choices import Kind, Priority, RunState, Trigger
from tests import commands
from tests.factories import make_account, make_connection, make_run
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.platforms import addresses, connect
from tests.processes import ROOT, environment, eventually, worker

run, run_json = partial(commands.run, "sync"), partial(commands.run_json, "sync")

ROOMY = {"META_CONNECTION_WINDOWS": "100000/60", "GOOGLE_CONNECTION_WINDOWS": "100000/60"}


class Terminal(io.StringIO):
    """Output that somebody looks at."""

    def isatty(self) -> bool:
        return True


def give_up(out: io.StringIO, *arguments: str) -> str:
    """What is shown before the waiting is given up after one look."""
    with pytest.raises(SystemExit) as caught:
        call_command("sync", *arguments, "--wait", "--timeout", "0.01", stdout=out, stderr=out)
    assert caught.value.code == 1
    return out.getvalue()


def test_one_connection_is_asked_for_as_a_person_does(connection: Connection) -> None:
    out = run("--connection", connection.external_id)

    assert {run.kind for run in SyncRun.objects.all()} == {Kind.CAMPAIGNS, Kind.INSIGHTS}
    for made in SyncRun.objects.all():
        assert (made.trigger, made.priority) == (Trigger.MANUAL, Priority.MANUAL)
        assert made.request.source == "command"
        assert str(made.pk) in out
    assert "already" not in out


@pytest.mark.parametrize(
    ("arguments", "chosen", "priority"),
    [
        (["--all"], {"meta", "google", "other"}, Priority.SCHEDULED),
        (["--provider", "meta"], {"meta", "other"}, Priority.SCHEDULED),
        (["--all", "--provider", "google"], {"google"}, Priority.SCHEDULED),
        (["--account", "Acme"], {"meta", "google"}, Priority.MANUAL),
        (["--account", "Acme", "--provider", "google"], {"google"}, Priority.MANUAL),
    ],
)
def test_options_choose_together_and_what_names_nobody_is_scheduled_work(
    account: Account, other_account: Account, arguments: list[str], chosen: set[str], priority: Priority
) -> None:
    made = {
        "meta": make_connection(account),
        "google": make_connection(account, "google"),
        "other": make_connection(other_account),
    }

    told = run_json(*arguments)["runs"]

    assert {one["connection"] for one in told} == {made[name].external_id for name in chosen}
    assert set(SyncRun.objects.values_list("priority", flat=True)) == {priority}


def test_a_run_that_is_there_already_is_told_and_followed(connection: Connection) -> None:
    (first, _) = run_json("--connection", str(connection.pk))["runs"]
    (second, _) = run_json("--connection", str(connection.pk))["runs"]

    assert (first["already_syncing"], second["already_syncing"]) == (False, True)
    assert first["id"] == second["id"]
    assert f"already queued, run {first['id']}" in run("--connection", str(connection.pk))
    assert SyncRun.objects.count() == 2


def test_of_several_those_that_are_there_already_are_told(account: Account) -> None:
    busy, free = make_connection(account), make_connection(account)
    run("--connection", str(busy.pk))

    told = {one["connection"]: one["already_syncing"] for one in run_json("--account", "Acme")["runs"]}

    assert told == {busy.external_id: True, free.external_id: False}


def test_chosen_campaigns_are_asked_for(connection: Connection) -> None:
    run("--connection", connection.external_id, "--campaign", "8", "--campaign", "7", "--ad", "9")

    made = SyncRun.objects.get()
    assert (made.kind, made.campaign_ids, made.ad_group_ids, made.ad_ids) == ("ads", ["7", "8"], [], ["9"])


@pytest.mark.parametrize(
    ("arguments", "task"),
    [
        ([], "campaigns (incremental)"),
        (["--kind", "campaigns"], "campaigns (incremental)"),
        (["--mode", "full"], "campaigns (full)"),
        (["--kind", "insights"], "insights (what is due)"),
        (["--kind", "insights", "--level", "ad"], "insights (what is due, ad)"),
        (["--ad-group", "7"], "ads (1 chosen)"),
    ],
)
def test_options_say_what_is_read(connection: Connection, arguments: list[str], task: str) -> None:
    Connection.objects.update(last_full_sync_at=timezone.now())

    out = run("--connection", connection.external_id, *arguments)

    assert f", {task}: queued" in out
    assert task in [made.task for made in SyncRun.objects.all()]


def test_days_of_insights_are_asked_for(connection: Connection) -> None:
    until = timezone.now().date()
    since = until - timedelta(days=40)

    run("--connection", "act_" + connection.external_id[4:], "--kind", "insights",
        "--from", str(since), "--to", str(until))  # fmt: skip

    made = SyncRun.objects.get()
    assert (made.date_from, made.date_to) == (since, until)
    assert made.task == f"insights ({since} to {until})"


def test_an_ad_account_is_named_as_people_write_it(account: Account) -> None:
    google = make_connection(account, "google", external_id="1234567890")
    meta = make_connection(account, external_id="act_77")

    run("--connection", "123-456-7890")
    run("--connection", "77")

    assert {made.connection for made in SyncRun.objects.all()} == {google, meta}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Say what to sync"),
        (["--all", "--account", "Acme"], "--all means every connection"),
        (["--connection", "act_404"], "--connection: there is no 'act_404'"),
        (["--account", "Nobody"], "--account: there is no 'Nobody'"),
        (["--account", "Acme", "--campaign", "7"], "--campaign: say with --connection"),
        (["--account", "Acme", "--ad-group", "7"], "--ad-group: say with --connection"),
        (["--all", "--timeout", "3"], "--timeout ends the waiting: give --wait, too"),
    ],
)
def test_wrong_use_is_explained(account: Account, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        run(*arguments)

    assert caught.value.returncode == 2


TODAY = timezone.now().date()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kind", "ads"], "--kind ads: name what is to be read"),
        (["--kind", "insights", "--campaign", "7"], "--campaign: what is named by id is read by --kind ads"),
        (["--kind", "campaigns", "--ad", "7"], "--ad: what is named by id"),
        (["--mode", "full", "--ad", "7"], "--mode: only campaigns"),
        (["--mode", "full", "--kind", "insights"], "--mode: only campaigns"),
        (["--level", "ad"], "--level: days and levels are those of insights"),
        (["--kind", "campaigns", "--from", "2026-01-01"], "--from: days and levels"),
        (["--kind", "insights", "--from", str(TODAY)], "--to: say both"),
        (["--kind", "insights", "--to", str(TODAY)], "--from: say both"),
        (
            ["--kind", "insights", "--from", str(TODAY), "--to", str(TODAY - timedelta(days=1))],
            "--to: .* is before --from",
        ),
        (
            ["--kind", "insights", "--from", str(TODAY), "--to", str(TODAY + timedelta(days=2))],
            "--to: .* is yet to come",
        ),
        (["--kind", "insights", "--from", "2001-01-01", "--to", str(TODAY)], "--from: the platforms keep 37"),
        (["--kind", "insights", "--from", "yesterday", "--to", str(TODAY)], "'yesterday' is no day"),
        (["--kind", "keywords"], "--kind: invalid choice: 'keywords'"),
        (["--mode", "half"], "--mode: invalid choice"),
        (["--kind", "insights", "--level", "keyword"], "--level: invalid choice"),
        (["--campaign", "7x"], "--campaign: '7x' is no id at Meta. Write it as 123."),
        (["--ad", "7~8"], "--ad: '7~8' is no id at Meta"),
    ],
)
def test_what_does_not_go_together_is_explained(
    connection: Connection, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        run("--connection", connection.external_id, *arguments)

    assert not SyncRun.objects.exists()


def test_an_ad_at_google_is_named_with_its_ad_group(account: Account) -> None:
    google = make_connection(account, "google", external_id="1234567890")

    with pytest.raises(CommandError, match="Write it as 33~44: ad group and ad"):
        run("--connection", google.external_id, "--ad", "44")
    run("--connection", google.external_id, "--ad", "33~44")

    assert SyncRun.objects.get().ad_ids == ["33~44"]


@pytest.mark.parametrize("timeout", ["0", "-1", "nan", "inf", "soon"])
def test_a_time_that_can_not_pass_is_wrong_use(db: None, timeout: str) -> None:
    with pytest.raises(CommandError, match="--timeout"):
        run("--all", "--wait", f"--timeout={timeout}")


def test_nothing_to_sync_is_a_failure(account: Account) -> None:
    with pytest.raises(CommandError, match="No active connection fits") as caught:
        run("--all")

    assert caught.value.returncode == 1


def test_a_paused_connection_is_not_synced(connection: Connection) -> None:
    pause(connection, by="carol")

    with pytest.raises(CommandError, match="it is paused"):
        run("--connection", connection.external_id)


def test_waiting_has_an_end_and_tells_what_is_waited_for(connection: Connection) -> None:
    shown = give_up(io.StringIO(), "--connection", connection.external_id, "--kind", "campaigns")

    waiting = SyncRun.objects.get()
    assert "waits for a worker to take it" in shown
    assert (
        f"Still going after 0.01 s; the syncs go on. Follow them with `manage.py history --run {waiting}`"
        in shown
    )
    assert waiting.state == RunState.QUEUED


def test_a_terminal_shows_a_bar_per_run_with_what_it_waits_for(account: Account) -> None:
    connection = make_connection(account, name="[/b] Shop")
    make_run(
        connection,
        state=RunState.DEFERRED,
        trigger=Trigger.MANUAL,
        waiting_for="act_1 may make 10 calls a minute",
    )

    shown = give_up(Terminal(), "--connection", connection.external_id)

    assert "Meta [/b] Shop" in shown
    assert "━" in shown
    assert "waits for the call budget: act_1 may make" in " ".join(shown.split())


def test_of_many_runs_a_terminal_shows_those_that_run_and_a_total(account: Account) -> None:
    connections = [make_connection(account, name=f"Shop {number}.") for number in range(21)]
    make_run(connections[3], state=RunState.RUNNING, lease_token=uuid4())

    shown = give_up(Terminal(), "--account", "Acme")

    bars = shown.partition("All")[2]
    assert "0 of 42 ended" in bars
    assert "Meta Shop 3." in bars
    assert "Meta Shop 4." not in bars


def test_what_a_run_could_not_read_is_told_at_its_end(connection: Connection) -> None:
    done = make_run(connection, state=RunState.SUCCEEDED, access_issues=["Meta knows no campaign 7."])
    out = io.StringIO()

    follow([done.pk], Command(stdout=out))
    assert "succeeded, but: Meta knows no campaign 7, 0 records" in out.getvalue()

    SyncRun.objects.update(data_discrepancies=["Ads sum up to less."])
    follow([done.pk], Command(stdout=out))
    assert f"(and 1 more, see `history --run {done.pk}`)" in out.getvalue()


def test_a_run_that_was_deleted_did_not_succeed(connection: Connection) -> None:
    done = make_run(connection, state=RunState.SUCCEEDED)

    assert follow([done.pk], Command(stdout=io.StringIO()))
    assert not follow([done.pk, uuid4()], Command(stdout=io.StringIO()))


def _heed_ctrl_c() -> None:
    """What a suite in the background (`make test &`) starts would inherit that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_ends_the_waiting_and_not_the_sync(tmp_path: Path) -> None:
    connection = make_connection(make_account())
    told = tmp_path / "told"
    of_campaigns = ("--connection", connection.external_id, "--kind", "campaigns")
    with told.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "sync", *of_campaigns, "--wait"],
            cwd=ROOT,
            env=environment(),
            stdout=output,
            stderr=output,
            preexec_fn=_heed_ctrl_c,
        )
    try:
        eventually(lambda: "waits for" in told.read_text(), seconds=30, what="the waiting")
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=10)
    finally:
        process.kill()
        process.wait()

    waiting = SyncRun.objects.get()
    assert code == 1
    assert f"the syncs go on. Follow them with `manage.py history --run {waiting}`" in told.read_text()
    assert "Traceback" not in told.read_text()
    assert waiting.state == RunState.QUEUED


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_waiting_ends_with_the_syncs_and_tells_a_failure_by_its_exit_code(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    account = make_account()
    small = {"campaigns": 1, "ad_groups": 2, "ads": 3}  # whose metrics need no report
    good, bad = (connect(sandbox, account, provider, **small) for provider in ("meta", "google"))
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
    assert "campaigns (full): succeeded, 6 records" in codes[0].stdout
    assert "insights (what is due): succeeded" in codes[0].stdout
    assert "failed: Google" in codes[1].stdout
