"""`manage.py history`: what was synced, and one run's story."""

from uuid import uuid4

import pytest
from django.core.management import CommandError
from django.utils import timezone

from sync.models import Account, Change, Connection, SyncAttempt
from sync.models.choices import RunState
from tests.commands import run, run_json
from tests.factories import make_connection, make_run
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.platforms import connect, platform  # noqa: F401  (fixtures)


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


def test_history_shows_kind_and_mode_and_chooses_by_them(connection: Connection) -> None:
    full = make_run(connection, state=RunState.SUCCEEDED)
    changed = make_run(connection, state=RunState.SUCCEEDED, mode="incremental")
    chosen = make_run(connection, state=RunState.SUCCEEDED, kind="ads", ad_ids=["7", "8"])

    def listed(*arguments: str) -> dict[str, str]:
        return {one["id"]: one["task"] for one in run_json("history", *arguments)["runs"]}

    assert listed("--kind", "campaigns", "--mode", "full") == {str(full.pk): "campaigns (full)"}
    assert listed("--mode", "incremental") == {str(changed.pk): "campaigns (incremental)"}
    assert listed("--kind", "ads") == {str(chosen.pk): "ads (2 chosen)"}


def test_a_run_that_had_to_read_all_tells_why(connection: Connection) -> None:
    plan = {"began": timezone.now().isoformat(), "full_because": "nothing was read yet"}
    done = make_run(connection, state=RunState.SUCCEEDED, checkpoint={"plan": plan})

    assert run_json("history", "--run", str(done.pk))["full_because"] == "nothing was read yet"


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
        old="[/b] :tiger:\x1b]0;mine\x07\x9b2J",
        new="[bold]Sale[/]",
    )

    story = run("history", "--run", str(done.pk))

    assert "[/b] :tiger:\ufffd]0;mine\ufffd\ufffd2J" in story  # nothing that a terminal obeys
    assert "[bold]Sale[/]" in story


def test_what_a_run_wrote_is_told_in_words(connection: Connection) -> None:
    first = make_run(connection, state=RunState.SUCCEEDED, changes={"created": 8856, "updated": 3})
    metrics = make_run(connection, state=RunState.SUCCEEDED, kind="insights", changes={"removed": 2})

    story = run("history", "--run", str(first.pk))

    assert "written  8,856 new, 3 changed" in story
    assert "The first sync of an ad account tells no changes" in story
    assert "Metrics are not told change by change" in run("history", "--run", str(metrics.pk))
    assert run_json("history", "--run", str(metrics.pk))["written"] == {"removed": 2}


def test_health_is_told_of_what_has_ended(connection: Connection) -> None:
    done, waiting = make_run(connection, state=RunState.SUCCEEDED), make_run(connection)

    told = [run_json("history", "--run", str(one.pk))["health"] for one in (done, waiting)]

    assert told == ["HEALTHY", ""]


def test_the_story_of_a_waiting_run_says_what_it_waits_for(connection: Connection) -> None:
    waiting = make_run(connection, started_at=timezone.now())  # and has given way

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
