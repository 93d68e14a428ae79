"""The dead letters' page: by cause, filtered, replayed and resolved singly or all that a filter finds."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sync.admin import replaying
from sync.admin.words import listing, page
from sync.ledger.dead_letters import by_cause
from sync.models import Account, Connection, DeadLetter, SyncRun
from sync.models.choices import RunState
from tests.factories import make_connection, make_run
from tests.integration.test_admin_actions import PRESSED, audit, choose, press, said

CAUSE = {
    "error_category": "API_ERROR",
    "error_code": "access_denied",
    "platform_code": "200/1",
    "error_message": "Not <b>yours</b>.",
    "trace_id": "AbTrace",
}


def dead(connection: Connection, **columns: Any) -> SyncRun:
    return make_run(connection, state=RunState.FAILED, **{**CAUSE, **columns})


def html(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return str(response.content.decode())


def shown(client: Client, **filters: str) -> set[str]:
    """The connections of the dead letters that are listed."""
    response = client.get(listing(DeadLetter, **filters))
    return {run.connection.name for run in response.context["cl"].result_list}


def test_causes_are_counted_and_lead_to_their_dead_letters(admin_client: Client, account: Account) -> None:
    dead(make_connection(account, name="Boots"))
    dead(make_connection(account, name="Hats"))
    dead(make_connection(account, name="Socks"), error_code="defect", platform_code="")
    first, second = by_cause(SyncRun.objects.all())

    overview = html(admin_client, listing(DeadLetter))

    for cause in (first, second):
        assert listing(DeadLetter, cause=cause.key).replace("&", "&amp;") in overview
    assert "access_denied 200/1" in overview
    assert "Not &lt;b&gt;yours&lt;/b&gt;." in overview
    assert "AbTrace" in overview
    assert shown(admin_client, cause=first.key) == {"Boots", "Hats"}
    assert shown(admin_client, cause=second.key) == {"Socks"}
    assert "Causes" in overview
    assert "Causes" not in html(admin_client, listing(DeadLetter, cause=first.key))


@pytest.mark.parametrize("cause", ["", "|", "a|b", "a|b|c|d", "nothing"])
def test_a_cause_that_is_none_finds_nothing_and_breaks_nothing(
    admin_client: Client, connection: Connection, cause: str
) -> None:
    dead(connection)

    assert len(shown(admin_client, cause=cause)) == (0 if cause else 1)


def test_only_dead_letters_are_listed(admin_client: Client, account: Account) -> None:
    for state in RunState:
        make_run(make_connection(account, name=state), state=state)
    dead(make_connection(account, name="Done with"), resolved_at=timezone.now())

    assert shown(admin_client) == {"failed"}


def test_one_is_replayed_with_a_reason(admin_client: Client, connection: Connection) -> None:
    letter = dead(connection)

    told = press(admin_client, letter, "replay", reason="Access is back")

    letter.refresh_from_db()
    assert letter.state == RunState.QUEUED
    assert "Sent back." in told
    assert page(letter) in told
    assert audit(letter) == ["Replayed. Access is back"]
    assert list(letter.interventions.values_list("action", "by", "reason")) == [
        ("replayed", "admin", "Access is back")
    ]
    assert "Access is back" in html(admin_client, page(letter))


def test_replayed_from_its_page_as_a_dead_letter_one_lands_on_its_run(
    admin_client: Client, connection: Connection
) -> None:
    letter = dead(connection)
    url = reverse("admin:sync_deadletter_replay", args=[letter.pk])

    response = admin_client.post(url, PRESSED, headers={"HX-Request": "true"})

    assert response["HX-Redirect"] == page(letter)
    assert admin_client.get(page(letter)).status_code == 200


def test_one_is_resolved_with_a_reason(admin_client: Client, connection: Connection) -> None:
    letter = dead(connection)

    told = press(admin_client, letter, "resolve", reason="The shop was sold")

    letter.refresh_from_db()
    assert (letter.state, letter.is_dead_letter) == (RunState.FAILED, False)
    assert "Resolved 1." in told
    assert audit(letter) == ["Resolved. The shop was sold"]


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        (RunState.FAILED, {"replay", "resolve"}),
        (RunState.QUEUED, {"cancel"}),
        (RunState.RUNNING, {"cancel"}),
        (RunState.SUCCEEDED, set()),
    ],
)
def test_a_page_offers_only_the_buttons_that_do_something(
    admin_client: Client, connection: Connection, state: RunState, buttons: set[str]
) -> None:
    content = html(admin_client, page(make_run(connection, state=state)))

    assert {one for one in ("cancel", "replay", "resolve") if f"/{one}/" in content} == buttons


def test_all_that_a_filter_finds_are_replayed_at_a_pace(admin_client: Client, account: Account) -> None:
    letters = [dead(make_connection(account)) for _ in range(3)]
    other = dead(make_connection(account), error_code="defect")
    url = listing(DeadLetter, cause=by_cause(SyncRun.objects.all())[0].key)
    chosen = {"action": "replay_selected", "_selected_action": str(letters[0].pk), "select_across": "1"}

    told = said(admin_client.post(url, chosen, follow=True))

    assert list(SyncRun.objects.dead_letters()) == [other]
    assert [SyncRun.objects.get(pk=letter.pk).state for letter in letters] == [
        RunState.QUEUED,
        RunState.DEFERRED,
        RunState.DEFERRED,
    ]
    assert "Sent back 3: 10 a minute of each provider, the last at " in told


def test_open_syncs_that_do_the_work_are_named(admin_client: Client, connection: Connection) -> None:
    letter, waiting = dead(connection), make_run(connection)

    told = choose(admin_client, SyncRun, "replay_selected", letter)

    assert "do the work of 1." in told
    assert page(waiting) in told


def test_what_is_no_dead_letter_is_told(admin_client: Client, connection: Connection) -> None:
    run = make_run(connection)

    assert "there was no dead letter" in choose(admin_client, SyncRun, "replay_selected", run)
    assert "There was no dead letter." in choose(admin_client, SyncRun, "resolve_selected", run)
    assert not LogEntry.objects.exists()


def test_several_are_resolved_at_once(admin_client: Client, account: Account) -> None:
    letters = [dead(make_connection(account)) for _ in range(2)]

    assert "Resolved 2." in choose(admin_client, DeadLetter, "resolve_selected", *letters)
    assert not SyncRun.objects.dead_letters().exists()


def test_too_many_at_once_are_left_to_the_command(
    admin_client: Client, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "AT_ONCE", 1)
    letters = [dead(make_connection(account)) for _ in range(2)]

    told = choose(admin_client, DeadLetter, "replay_selected", *letters)

    assert "2 are too many" in told
    assert "manage.py dead_letters replay" in told
    assert SyncRun.objects.dead_letters().count() == 2


def test_who_may_only_look_is_offered_no_button_and_refused(
    client: Client, alice: User, connection: Connection
) -> None:
    letter = dead(connection)
    alice.is_staff = True
    alice.save()
    client.force_login(alice)
    assert client.get(listing(DeadLetter)).status_code == 403

    alice.user_permissions.add(Permission.objects.get(codename="view_syncrun"))

    assert connection.name in html(client, listing(DeadLetter))
    assert "/replay/" not in html(client, page(letter))
    for button in ("replay", "resolve"):
        url = reverse(f"admin:sync_syncrun_{button}", args=[letter.pk])
        assert client.post(url, PRESSED).status_code in (302, 403)
    assert list(SyncRun.objects.dead_letters()) == [letter]
