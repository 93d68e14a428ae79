"""pause, resume, cancel: what an operator stops and starts by hand."""

import getpass

import pytest
from django.core.management import CommandError

from sync.models import Account, Connection, Queue
from sync.models.choices import RunState
from tests.commands import run, run_json
from tests.factories import make_account, make_connection, make_request, make_run


def test_a_connection_is_paused_and_resumed_by_the_platforms_id(account: Account) -> None:
    connection = make_connection(account)
    make_run(connection, state=RunState.RUNNING)
    make_run(connection)

    told = run("pause", "connection", connection.external_id, "--reason", "The shop moves")

    connection.refresh_from_db()
    assert connection.paused_by == f"{getpass.getuser()} at the command line"
    assert connection.pause_reason == "The shop moves"
    assert told == f"Paused {connection}: 1 running, to their end; 1 waiting, until it is resumed.\n"

    assert run("resume", "connection", connection.external_id) == (
        f"Resumed {connection}: 1 waiting, for their turn.\n"
    )
    connection.refresh_from_db()
    assert connection.paused_at is None


def test_several_are_paused_at_once(account: Account) -> None:
    first, second, other = (make_connection(account) for _ in range(3))

    told = run_json("pause", "connection", str(first.pk), second.external_id)["paused"]

    assert [each["id"] for each in told] == [str(first.pk), str(second.pk)]
    assert [each["changed"] for each in told] == [True, True]
    assert list(Connection.objects.filter(paused_at=None)) == [other]


def test_an_account_is_paused_by_its_name(account: Account, other_account: Account) -> None:
    run("pause", "account", "Acme")

    account.refresh_from_db()
    other_account.refresh_from_db()
    assert account.paused_at is not None
    assert other_account.paused_at is None


def test_a_provider_is_paused_before_anything_was_asked_for(db: None) -> None:
    (told,) = run_json("pause", "provider", "google", "--reason", "Not yet")["paused"]

    queue = Queue.objects.get(paused_at__isnull=False)
    assert (queue.provider, queue.pause_reason) == ("google", "Not yet")
    assert (told["subject"], told["id"], told["reason"]) == ("provider", "sync.google", "Not yet")


def test_a_provider_is_paused_in_all_regions_or_in_one(db: None) -> None:
    for region in ("default", "eu"):
        Queue.objects.create(provider="meta", region=region, concurrency=1)

    run("pause", "provider", "meta", "--region", "eu")
    assert Queue.objects.get(paused_at=None).region == "default"

    run("pause", "provider", "meta")
    assert not Queue.objects.filter(paused_at=None).exists()


def test_the_queue_tells_who_paused_it_and_why(connection: Connection) -> None:
    make_run(connection)
    run("pause", "provider", "meta", "--reason", "Not now")

    assert f"PAUSED by {getpass.getuser()} at the command line: Not now" in run("queue")


def test_the_history_of_a_run_tells_who_cancelled_it(connection: Connection) -> None:
    waiting = make_run(connection)
    run("cancel", str(waiting.pk), "--reason", "Wrong shop")

    (done,) = run_json("history", "--run", str(waiting.pk))["interventions"]

    assert (done["action"], done["reason"]) == ("cancelled", "Wrong shop")
    assert "Wrong shop" in run("history", "--run", str(waiting.pk))


def test_what_is_paused_already_keeps_its_reason_and_that_is_no_error(connection: Connection) -> None:
    run("pause", "connection", connection.external_id, "--reason", "First")

    told = run("pause", "connection", connection.external_id, "--reason", "Second")

    assert told.startswith(f"Nothing changed: {connection} is paused since ")
    assert told.endswith(": First.\n")
    assert run_json("pause", "connection", connection.external_id)["paused"][0]["changed"] is False


def test_resuming_what_is_not_paused_is_no_error(connection: Connection) -> None:
    assert run("resume", "connection", connection.external_id) == (
        f"Nothing changed: {connection} is not paused.\n"
    )
    assert run_json("resume", "connection", connection.external_id)["resumed"][0]["changed"] is False


@pytest.mark.parametrize("command", ["pause", "resume"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["provider", "tiktok"], "provider: there is no 'tiktok'. Give one of meta, google."),
        (["provider", "meta", "--region", "mars"], "--region: meta has no queue in 'mars'"),
        (["account", "Nobody"], "account: there is no 'Nobody'"),
        (["connection", "act_1"], "connection: there is no 'act_1'"),
        (["account", "Acme", "--region", "eu"], "--region: only a provider has regions"),
        (["account", "Acme", "--reason", "x" * 201], "at most 200 characters, not 201"),
        (["planet", "Mars"], "invalid choice: 'planet'"),
    ],
)
def test_a_wrong_name_changes_nothing_and_says_what_to_do(
    account: Account, command: str, arguments: list[str], words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        run(command, *arguments)

    account.refresh_from_db()
    assert account.paused_at is None


def test_one_wrong_name_among_right_ones_changes_nothing(account: Account) -> None:
    connection = make_connection(account)

    with pytest.raises(CommandError, match="there is no 'act_1'"):
        run("pause", "connection", connection.external_id, "act_1")

    connection.refresh_from_db()
    assert connection.paused_at is None


def test_an_ad_account_of_two_tenants_is_asked_for_by_id(account: Account) -> None:
    for tenant in (account, make_account("Globex")):
        make_connection(tenant, external_id="act_77")

    with pytest.raises(CommandError, match=r"'act_77' names 2\. Give one's id") as caught:
        run("pause", "connection", "act_77")

    assert caught.value.returncode == 2


def outcomes(*arguments: str) -> dict[str, str]:
    return {each["id"]: each["outcome"] for each in run_json("cancel", *arguments)["runs"]}


def test_runs_are_cancelled_by_id_and_each_is_told(account: Account) -> None:
    waiting, running, ended, other = (
        make_run(make_connection(account), state=state)
        for state in (RunState.QUEUED, RunState.RUNNING, RunState.SUCCEEDED, RunState.QUEUED)
    )

    told = run("cancel", *(str(one.pk) for one in (waiting, running, ended)), "--reason", "Wrong shop")

    for one in (waiting, running, ended, other):
        one.refresh_from_db()
    assert (waiting.state, running.state, ended.state, other.state) == (
        RunState.CANCELLED,
        RunState.RUNNING,
        RunState.SUCCEEDED,
        RunState.QUEUED,
    )
    assert running.cancel_requested_at is not None
    assert set(told.splitlines()) == {
        f"{waiting.connection}, run {waiting.pk}: cancelled",
        f"{running.connection}, run {running.pk}: is running; it ends when its page is stored",
        f"{ended.connection}, run {ended.pk}: had ended already",
    }
    assert waiting.interventions.get().reason == "Wrong shop"
    assert waiting.interventions.get().by == f"{getpass.getuser()} at the command line"
    assert not ended.interventions.exists()


def test_a_request_is_cancelled_with_its_runs(account: Account) -> None:
    request = make_request(account)
    mine = [make_run(make_connection(account), request=request) for _ in range(2)]
    make_run(make_connection(account))

    assert outcomes(str(request.pk)) == {str(one.pk): "cancelled" for one in mine}


def test_options_choose_together_what_is_cancelled(account: Account, other_account: Account) -> None:
    shop = make_connection(account)
    runs = {
        "shop": make_run(shop),
        "second": make_run(make_connection(account)),
        "google": make_run(make_connection(account, "google")),
        "other": make_run(make_connection(other_account)),
        "running": make_run(make_connection(other_account), state=RunState.RUNNING),
        "ended": make_run(shop, state=RunState.FAILED),
    }
    ids = {name: str(one.pk) for name, one in runs.items()}

    assert outcomes("--connection", shop.external_id) == {ids["shop"]: "cancelled"}
    assert outcomes("--account", "Acme", "--provider", "google") == {ids["google"]: "cancelled"}
    assert outcomes("--provider", "meta") == {
        ids["second"]: "cancelled",
        ids["other"]: "cancelled",
        ids["running"]: "stopping",
    }
    assert run("cancel", "--account", "Acme") == "Nothing was waiting or running.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Say what to cancel"),
        (["01a20dc0-ac9d-749e-b664-577b0df47475"], "There is no run or request '01a20dc0"),
        (["soon"], "There is no run or request 'soon'"),
        (["soon", "--provider", "meta"], "but not both"),
        (["--account", "Nobody"], "--account: there is no 'Nobody'"),
    ],
)
def test_a_wrong_choice_cancels_nothing(connection: Connection, arguments: list[str], words: str) -> None:
    waiting = make_run(connection)

    with pytest.raises(CommandError, match=words) as caught:
        run("cancel", *arguments)

    waiting.refresh_from_db()
    assert (waiting.state, caught.value.returncode) == (RunState.QUEUED, 2)
