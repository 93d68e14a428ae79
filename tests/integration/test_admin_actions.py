"""What the admin's buttons do, who may press them, and that each press is written down."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sync.admin import start
from sync.admin.words import listing, page
from sync.ledger.pause import PausableRow, pause
from sync.models import Account, Connection, Intervention, Queue, SyncRequest, SyncRun
from sync.models.choices import ConnectionStatus, CredentialStatus, Kind, Priority, RunState, Trigger
from tests.factories import make_account, make_connection, make_run

PRESSED = {"_form_submitted": "on"}  # what the button of unfold's dialog sends


def press(client: Client, row: Model, button: str, **fields: str) -> str:
    """Press a button of a row's page; the messages that follow."""
    url = reverse(f"admin:sync_{row._meta.model_name}_{button}", args=[row.pk])
    return said(client.post(url, {**PRESSED, **fields}, follow=True))


def choose(client: Client, model: type[Model], action: str, *rows: Model, **fields: str) -> str:
    """Run an action of a list on some rows; the messages that follow."""
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows], **fields}
    return said(client.post(listing(model), chosen, follow=True))


def said(response: object) -> str:
    assert response.status_code == 200  # type: ignore[attr-defined]  # the test client's
    return " ".join(str(message) for message in response.context["messages"])  # type: ignore[attr-defined]  # the test client's


def audit(row: Model) -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.filter(object_id=str(row.pk))]


def test_sync_now_starts_a_manual_run_for_the_operator(
    admin_client: Client, admin_user: User, connection: Connection
) -> None:
    told = press(admin_client, connection, "sync_now")

    assert SyncRun.objects.count() == 2
    for run in SyncRun.objects.all():
        assert (run.connection, run.priority, run.trigger) == (connection, Priority.MANUAL, Trigger.MANUAL)
        assert (run.request.source, run.request.requested_by) == ("admin", admin_user)
    assert "Started 2 syncs." in told
    assert listing(SyncRun) in told
    assert audit(connection) == ["Asked for a sync."]


def test_sync_now_is_not_counted_against_the_manual_limit(admin_client: Client, account: Account) -> None:
    for _ in range(account.manual_syncs_per_hour + 1):
        press(admin_client, make_connection(account), "sync_now")

    assert SyncRequest.objects.count() == account.manual_syncs_per_hour + 1


def test_a_button_only_asks_until_its_dialog_is_confirmed(
    admin_client: Client, connection: Connection
) -> None:
    url = reverse("admin:sync_connection_sync_now", args=[connection.pk])

    response = admin_client.get(url)

    assert "Start the sync" in response.content.decode()
    assert not SyncRun.objects.exists()


def test_htmx_is_told_where_to_go(admin_client: Client, connection: Connection) -> None:
    url = reverse("admin:sync_connection_sync_now", args=[connection.pk])

    response = admin_client.post(url, PRESSED, headers={"HX-Request": "true"})

    assert response["HX-Redirect"] == page(connection)


def test_several_at_once_are_scheduled_class_and_one_request_per_account(admin_client: Client) -> None:
    first, second = make_account("First"), make_account("Second")
    connections = [make_connection(account) for account in (first, first, second)]

    told = choose(admin_client, Connection, "sync_selected", *connections)

    assert set(SyncRun.objects.values_list("priority", flat=True)) == {Priority.SCHEDULED}
    assert (SyncRequest.objects.count(), SyncRun.objects.count()) == (2, 6)
    assert "Started 6 syncs." in told
    assert listing(SyncRun) in told


def test_what_was_joined_and_what_is_under_way_is_told(admin_client: Client, account: Account) -> None:
    waiting, running, free = (make_connection(account) for _ in range(3))
    joined = make_run(waiting, priority=Priority.RETRY)
    make_run(running, state=RunState.RUNNING)

    told = choose(admin_client, Connection, "sync_selected", waiting, running, free)

    joined.refresh_from_db()
    assert joined.priority == Priority.SCHEDULED
    assert "Started 4 syncs. Joined one sync that waited already." in told
    assert "one sync that covers this is already waiting or running" in told
    assert audit(running) == ["Asked for a sync."]  # of its metrics


def test_a_second_press_points_at_the_first_run(admin_client: Client, connection: Connection) -> None:
    press(admin_client, connection, "sync_now")

    told = press(admin_client, connection, "sync_now")

    assert "already waiting or running" in told
    assert page(SyncRun.objects.get(kind=Kind.CAMPAIGNS)) in told


def test_what_stands_in_the_way_is_named(admin_client: Client, account: Account) -> None:
    paused = make_connection(account, name="Paused shop", paused_at=timezone.now())
    denied = make_connection(account, name="Lost shop", status=ConnectionStatus.ACCESS_DENIED)
    grantless = make_connection(account, name="Old shop")
    grantless.credential.status = CredentialStatus.RECONNECT_NEEDED
    grantless.credential.save()

    told = choose(admin_client, Connection, "sync_selected", paused, denied, grantless)

    assert not SyncRun.objects.exists()
    for expected in ("Paused shop (paused)", "Lost shop (access denied)", "Old shop (reconnect needed)"):
        assert expected in told


def test_a_paused_queue_is_mentioned(admin_client: Client, connection: Connection) -> None:
    Queue.objects.create(provider="meta", region="default", concurrency=2, paused_at=timezone.now())

    assert "The queue sync.meta is paused" in press(admin_client, connection, "sync_now")


def test_too_many_at_once_start_nothing(
    admin_client: Client, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "AT_ONCE", 1)
    connections = make_connection(account), make_connection(account)

    assert "2 are too many" in choose(admin_client, Connection, "sync_selected", *connections)
    assert not SyncRun.objects.exists()


@pytest.mark.parametrize("kind", ["connection", "account", "queue"])
def test_pause_and_resume(admin_client: Client, admin_user: User, connection: Connection, kind: str) -> None:
    queue = Queue.objects.create(provider="meta", region="default", concurrency=2)
    rows: dict[str, PausableRow] = {"connection": connection, "account": connection.account, "queue": queue}
    row = rows[kind]

    told = press(admin_client, row, "pause", reason="The shop moves")
    row.refresh_from_db()
    assert (row.paused_by, row.pause_reason) == (admin_user.username, "The shop moves")
    assert "Paused" in told

    press(admin_client, row, "resume", reason="It has moved")
    row.refresh_from_db()
    assert row.paused_at is None
    assert audit(row) == ["Resumed. It has moved", "Paused. The shop moves"]
    assert list(row.interventions.values_list("action", "by", "reason")) == [
        ("paused", admin_user.username, "The shop moves"),
        ("resumed", admin_user.username, "It has moved"),
    ]

    pause(make_connection(make_account("Globex")), by="carol", reason="Elsewhere")
    story = listing(Intervention, **{f"{kind}__id__exact": row.pk})
    assert f'href="{story}"' in admin_client.get(page(row)).content.decode()
    assert len(admin_client.get(story).context["cl"].result_list) == 2


def test_pausing_a_selection_leaves_earlier_pauses_alone(admin_client: Client, account: Account) -> None:
    earlier = make_connection(account, paused_at=timezone.now(), pause_reason="Earlier")
    other = make_connection(account)

    choose(admin_client, Connection, "pause_selected", earlier, other)

    earlier.refresh_from_db()
    assert earlier.pause_reason == "Earlier"
    assert Connection.objects.filter(paused_at=None).count() == 0
    assert (audit(earlier), audit(other)) == ([], ["Paused."])

    choose(admin_client, Connection, "resume_selected", earlier, other)
    assert Connection.objects.filter(paused_at=None).count() == 2


def test_an_action_of_a_list_keeps_the_reason_that_stands_beside_it(
    admin_client: Client, connection: Connection
) -> None:
    run = make_run(connection)
    for action in ("pause_selected", "resume_selected"):
        choose(admin_client, Connection, action, connection, reason=f"For {action}")
    choose(admin_client, SyncRun, "cancel_selected", run, reason="Twice")
    failed = make_run(connection, state=RunState.FAILED)
    choose(admin_client, SyncRun, "resolve_selected", failed, reason="Known")

    reasons = list(Intervention.objects.order_by("pk").values_list("reason", flat=True))
    assert reasons == ["For pause_selected", "For resume_selected", "Twice", "Known"]
    assert audit(connection) == ["Resumed. For resume_selected", "Paused. For pause_selected"]
    for model in (Connection, SyncRun):
        assert 'name="reason"' in admin_client.get(listing(model)).content.decode()


def test_resuming_what_runs_says_so(admin_client: Client, connection: Connection) -> None:
    assert "nothing to change" in choose(admin_client, Connection, "resume_selected", connection)


def test_a_page_offers_only_the_button_that_does_something(
    admin_client: Client, connection: Connection
) -> None:
    def offered() -> list[bool]:
        html = admin_client.get(page(connection)).content.decode()
        return [f"/{button}/" in html for button in ("pause", "resume")]

    assert offered() == [True, False]
    pause(connection, by="carol")
    assert offered() == [False, True]


def test_cancel_ends_what_waits_and_asks_what_runs(admin_client: Client, account: Account) -> None:
    waiting, running, ended = (
        make_run(make_connection(account), state=state)
        for state in (RunState.QUEUED, RunState.RUNNING, RunState.SUCCEEDED)
    )

    told = choose(admin_client, SyncRun, "cancel_selected", waiting, running, ended)

    waiting.refresh_from_db()
    running.refresh_from_db()
    assert waiting.state == RunState.CANCELLED
    assert running.cancel_requested_at is not None
    assert told == "Cancelled 1 that waited. 1 running: ending when the page is stored. 1 had ended already."
    assert [audit(run) for run in (waiting, running, ended)] == [["Cancelled."], ["Cancelled."], []]


def test_cancel_on_the_page_of_a_run(admin_client: Client, connection: Connection) -> None:
    run = make_run(connection)

    press(admin_client, run, "cancel")

    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert "/cancel/" not in admin_client.get(page(run)).content.decode()


def test_a_button_on_a_row_that_is_gone_is_not_found(admin_client: Client, db: None) -> None:
    for key in ("nonsense", "01900000-0000-7000-8000-000000000000"):
        url = reverse("admin:sync_connection_sync_now", args=[key])
        assert admin_client.post(url, PRESSED).status_code == 404


@pytest.fixture
def looker(client: Client, alice: User) -> Client:
    """Signed in as staff who may look at everything and change nothing."""
    alice.is_staff = True
    alice.save()
    alice.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(alice)
    return client


def test_staff_who_may_only_look_see_everything(looker: Client, connection: Connection) -> None:
    run = make_run(make_connection(make_account("Another tenant")))

    for url in (listing(Connection), listing(SyncRun), page(connection), page(run), reverse("admin:index")):
        html = looker.get(url).content.decode()
        assert not [
            button for button in ("sync_now", "/pause/", "/cancel/", "_selected") if button in html
        ], url


def test_staff_who_may_only_look_cannot_act(looker: Client, connection: Connection) -> None:
    run = make_run(connection)
    presses = ((connection, "sync_now"), (connection, "pause"), (connection, "resume"), (run, "cancel"))

    for row, button in presses:
        url = reverse(f"admin:sync_{row._meta.model_name}_{button}", args=[row.pk])
        assert looker.post(url, PRESSED).status_code == 403
    choose(looker, Connection, "sync_selected", connection)
    choose(looker, SyncRun, "cancel_selected", run)

    run.refresh_from_db()
    assert (run.state, SyncRun.objects.count()) == (RunState.QUEUED, 1)
    assert not LogEntry.objects.exists()


def test_editing_a_queue_keeps_what_workers_wrote_meanwhile(admin_client: Client, db: None) -> None:
    queue = Queue.objects.create(provider="meta", region="default", concurrency=2)
    Queue.objects.filter(pk=queue.pk).update(virtual_times=[42, 0, 0])

    admin_client.post(page(queue), {"concurrency": "5", "patience": "600", "manual_patience": "30"})

    queue.refresh_from_db()
    assert (queue.concurrency, queue.virtual_times) == (5, [42, 0, 0])


def test_a_queue_keeps_at_least_one_slot(admin_client: Client, db: None) -> None:
    queue = Queue.objects.create(provider="meta", region="default", concurrency=2)

    response = admin_client.post(page(queue), {"concurrency": "0"})

    assert "pause the queue" in response.content.decode()
    queue.refresh_from_db()
    assert queue.concurrency == 2
