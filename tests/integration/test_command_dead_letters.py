"""dead_letters: by cause, as a list, one with its story; replayed and resolved by hand."""

import getpass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.management import CommandError
from django.utils import timezone

from sync.ledger import finish
from sync.ledger.claim import claim
from sync.ledger.finish import Failure
from sync.ledger.lease import Lease
from sync.ledger.replay import PER_MINUTE
from sync.models import Account, Connection, SyncRun
from sync.models.choices import RunState
from tests import commands
from tests.factories import make_connection, make_run

run, run_json = partial(commands.run, "dead_letters"), partial(commands.run_json, "dead_letters")

ME = f"{getpass.getuser()} at the command line"
DENIED = Failure(
    "API_ERROR", "access_denied", "Not yours.", is_retryable=False, platform_code="200", trace_id="T9"
)


def dead(connection: Connection, **columns: Any) -> SyncRun:
    cause = {
        "error_category": "API_ERROR",
        "error_code": "access_denied",
        "platform_code": "200",
        "error_message": "Not yours.",
    }
    return make_run(connection, state=RunState.FAILED, **{**cause, **columns})


def ids(*arguments: str) -> set[str]:
    return {letter["id"] for letter in run_json("list", *arguments)["dead_letters"]}


def test_dead_letters_are_grouped_by_cause(account: Account) -> None:
    make_run(make_connection(account))
    claimed = claim("meta", "default", worker="w")
    assert claimed is not None
    finish.fail(Lease.of(claimed), DENIED, calls=1)
    dead(make_connection(account), finished_at=timezone.now() - timedelta(days=2))
    dead(make_connection(account), error_category="UNKNOWN", error_code="defect", platform_code="")

    told = run_json()

    assert told["total"] == 3
    first = told["causes"][0]
    assert (first["number"], first["category"], first["code"]) == (2, "API_ERROR", "access_denied")
    assert (first["platform_code"], first["message"]) == ("200", "Not yours.")
    assert first["newest"] > first["oldest"]
    shown = run()
    assert "Dead letters: 3" in shown
    assert first["example"] in shown


def test_where_there_are_none_it_says_so(db: None) -> None:
    assert run() == run("list") == "No dead letter fits.\n"
    assert run("replay", "--all") == "No dead letter fits.\n"
    assert run("resolve", "--all") == "No dead letter fits.\n"


def test_filters_narrow_the_choice_together(account: Account, other_account: Account) -> None:
    shop = make_connection(account)
    letters = {
        "shop": dead(shop, platform_code="10"),
        "google": dead(make_connection(account, "google")),
        "other": dead(make_connection(other_account)),
        "old": dead(shop, finished_at=timezone.now() - timedelta(hours=5)),
    }
    named = {str(letter.pk): name for name, letter in letters.items()}

    def found(*arguments: str) -> set[str]:
        return {named[pk] for pk in ids(*arguments)}

    assert found() == set(letters)
    assert found("--cause", "10") == {"shop"}
    assert found("--cause", "access_denied", "--cause", "200") == {"google", "other", "old"}
    assert found("--provider", "google") == {"google"}
    assert found("--account", "Acme", "--since", "1") == {"shop", "google"}
    assert found("--connection", shop.external_id) == {"shop", "old"}
    assert len(ids("--limit", "1")) == 1
    assert str(letters["shop"].pk) in run("list")


def test_one_is_shown_with_its_attempts_and_what_the_platforms_support_asks_for(account: Account) -> None:
    make_run(make_connection(account))
    claimed = claim("meta", "default", worker="w")
    assert claimed is not None
    finish.fail(Lease.of(claimed), DENIED, calls=1)
    run("resolve", str(claimed.pk), "--reason", "The shop was sold")

    (letter,) = run_json("show", str(claimed.pk))["dead_letters"]

    assert (letter["trace_id"], letter["platform_code"]) == ("T9", "200")
    assert [attempt["trace_id"] for attempt in letter["attempts"]] == ["T9"]
    assert [(each["action"], each["by"], each["reason"]) for each in letter["interventions"]] == [
        ("resolved", ME, "The shop was sold")
    ]
    shown = run("show", str(claimed.pk))
    assert "T9" in shown
    assert "Nobody did anything to it." not in shown
    assert "The shop was sold" in shown


def test_one_is_replayed_by_its_id(connection: Connection) -> None:
    letter = dead(connection)

    assert "It never started.\nNobody did anything to it.\n" in run("show", str(letter.pk))
    told = run("replay", str(letter.pk), "--reason", "Access is back")

    letter.refresh_from_db()
    assert letter.state == RunState.QUEUED
    assert told == f"Sent back: {letter.pk} is in the queue.\n"
    assert list(letter.interventions.values_list("action", "by", "reason")) == [
        ("replayed", ME, "Access is back")
    ]


def test_many_are_replayed_by_filter_at_a_pace(account: Account) -> None:
    letters = [dead(make_connection(account)) for _ in range(3)]
    other = dead(make_connection(account), platform_code="10")

    told = run_json("replay", "--cause", "200", "--pace", "60")

    assert [each["id"] for each in told["sent"]] == [str(letter.pk) for letter in letters]
    assert told["sent"][0]["due_at"] is None
    assert told["sent"][2]["due_at"] == told["last_at"]
    assert list(SyncRun.objects.dead_letters()) == [other]


def test_people_are_told_the_pace_and_the_last_time(account: Account) -> None:
    letters = [dead(make_connection(account)) for _ in range(2)]

    told = run("replay", "--all")

    last = SyncRun.objects.get(pk=letters[1].pk).available_at
    until = f"the last is due at {last:%Y-%m-%d %H:%M:%S} UTC"
    assert told == f"Sent back 2, {PER_MINUTE} a minute of each provider: {until}.\n"


def test_what_an_open_sync_does_is_told(connection: Connection) -> None:
    letter, waiting = dead(connection), make_run(connection)

    told = run_json("replay", str(letter.pk))

    assert told == {
        "sent": [],
        "joined": [{"id": str(letter.pk), "answered_by": str(waiting.pk)}],
        "last_at": None,
    }
    second = dead(connection)
    assert run("replay", str(second.pk)) == f"Answered by an open sync: {second.pk} by {waiting.pk}.\n"


def test_the_resolved_are_counted_no_more(account: Account) -> None:
    letter, other = dead(make_connection(account)), dead(make_connection(account), platform_code="10")

    assert run_json("resolve", "--cause", "200") == {"resolved": [str(letter.pk)]}

    assert ids() == {str(other.pk)}
    assert run("resolve", "--all") == "Resolved 1.\n"
    assert run_json()["total"] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["replay"],
            "ids, --cause, --since, --connection, --account, --provider or --all",
        ),
        (["resolve"], "Say what to resolve"),
        (["show"], "Say which to show"),
        (["list", "x"], "list takes no ids"),
        (["replay", "x", "--all"], "only one of these"),
        (["replay", "--all", "--cause", "200"], "only one of these"),
        (["replay", "x"], "id: there is no run 'x'"),
        (["resolve", "--all", "--pace", "3"], "--pace is for replay only"),
        (["replay", "--all", "--pace", "0"], "argument --pace: must be"),
        (["bury"], "invalid choice: 'bury'"),
        (["replay", "--account", "Nobody"], "--account: there is no 'Nobody'"),
    ],
)
def test_wrong_use_changes_nothing_and_says_what_to_do(
    connection: Connection, arguments: list[str], words: str
) -> None:
    letter = dead(connection)

    with pytest.raises(CommandError, match=words) as caught:
        run(*arguments)

    assert list(SyncRun.objects.dead_letters()) == [letter]
    assert caught.value.returncode == 2 or "argument" in str(caught.value)  # argparse's own have it, too


def test_what_is_no_dead_letter_is_an_error_and_the_others_stay(connection: Connection) -> None:
    letter, waiting = dead(connection), make_run(connection)

    with pytest.raises(CommandError, match=r"it is queued\. Nothing was changed") as caught:
        run("replay", str(letter.pk), str(waiting.pk))

    assert caught.value.returncode == 1
    assert list(SyncRun.objects.dead_letters()) == [letter]
