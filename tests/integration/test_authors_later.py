"""By whom, asked by a later run: where a tick of Google has no operation to spare, or it is refused."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from providers.pseudonym import pseudonym_of
from providers.records import Stream
from providers.sandbox.process import Sandbox
from sync.engine.authors import FORGOTTEN, LONGEST_WAIT
from sync.ledger.scope import Scope
from sync.models import Account, Change, Connection, SyncRun
from sync.models.choices import Mode, RunState, Trigger
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401
from tests.integration.syncing import ask, make_due, sync, work
from tests.platforms import connect, platform  # noqa: F401

ALICE, BOB = "alice@example.com", "bob@example.com"
CHANGES = Scope(mode=Mode.INCREMENTAL)
LOG = "search_stream:change_event"


@pytest.fixture
def connection(
    platform: Sandbox, account: Account, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Connection:
    """Read once."""
    monkeypatch.setattr("providers.google.changes.DELAY", timedelta(0))
    platform.control("settings", google_change_delay=0, google_untold_budgets=False)
    settings.AUTHORS = {"google": "always"}
    connection = connect(platform, account, "google")
    sync(connection)
    pass_time(connection)
    return connection


def pass_time(connection: Connection) -> None:
    """What was changed just now is read, and is not within the next sync's overlap."""
    Connection.objects.filter(pk=connection.pk).update(read_until=timezone.now())


def rename(platform: Sandbox, connection: Connection, name: str, by: str, streams: int = 3) -> None:
    """The first campaign, the first ad group and the first ad."""
    truth = platform.truth("google", connection.external_id)
    for stream in list(Stream)[:streams]:
        where = {"platform": "google", "account": connection.external_id, "id": min(truth[stream])}
        platform.control("edit", **where, name=name, by=by)


def tick(connection: Connection, **options: Any) -> SyncRun:
    run = sync(connection, **{"scope": CHANGES, "trigger": Trigger.SCHEDULED, **options})
    assert (run.state, run.failed_attempts) == (RunState.SUCCEEDED, 0)
    pass_time(connection)
    return run


def authors(run: SyncRun) -> set[str]:
    return set(Change.objects.filter(run_id=run.pk).values_list("by", flat=True))


def pseudonym(connection: Connection, email: str, settings: Any) -> str:
    return pseudonym_of(email, secret=settings.GOOGLE_CLIENT_SECRET, account_id=connection.external_id)


def wait_longer(connection: Connection, wait: timedelta) -> None:
    Connection.objects.filter(pk=connection.pk).update(authors_since=timezone.now() - wait)


def test_each_change_of_a_field_gets_its_own_author_by_the_next_tick_with_room(
    platform: Sandbox, connection: Connection, settings: Any
) -> None:
    rename(platform, connection, "By Alice", ALICE)
    first = tick(connection)
    waiting = authors(first)
    rename(platform, connection, "By Bob", BOB)
    second = tick(connection)
    quiet = tick(connection)

    connection.refresh_from_db()
    assert (waiting, first.calls, second.calls, quiet.calls) == ({""}, 4, 4, 2)
    assert authors(first) == {pseudonym(connection, ALICE, settings)}
    assert authors(second) == {pseudonym(connection, BOB, settings)}
    assert connection.authors_since is None
    assert tick(connection).calls == 1


@pytest.mark.parametrize(
    "asks",
    [{"trigger": Trigger.MANUAL}, {"scope": Scope()}, {"trigger": Trigger.MANUAL, "scope": Scope()}],
    ids=["a person", "a full pass", "both"],
)
def test_what_waits_is_asked_with_who_asks_at_once(
    platform: Sandbox, connection: Connection, settings: Any, asks: dict[str, Any]
) -> None:
    rename(platform, connection, "By Alice", ALICE)
    waiting = tick(connection)
    rename(platform, connection, "By Bob", BOB)

    asking = tick(connection, **asks)

    assert authors(waiting) == {pseudonym(connection, ALICE, settings)}
    assert authors(asking) == {pseudonym(connection, BOB, settings)}


def test_nothing_waits_longer_than_a_day(platform: Sandbox, connection: Connection) -> None:
    rename(platform, connection, "By Alice", ALICE)
    waiting = tick(connection)
    wait_longer(connection, LONGEST_WAIT)
    rename(platform, connection, "By Bob", BOB)

    busy = tick(connection)

    assert busy.calls == 5
    assert "" not in authors(waiting) | authors(busy)


def test_a_bulk_edit_does_not_wait(
    platform: Sandbox, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.engine.authors.FEW", 2)
    rename(platform, connection, "By Alice", ALICE)

    busy = tick(connection)

    assert (busy.calls, "" in authors(busy)) == (5, False)


def test_a_run_that_was_interrupted_counts_what_it_cost_before(
    platform: Sandbox, connection: Connection, settings: Any
) -> None:
    settings.TURN_SECONDS = 0
    rename(platform, connection, "By Alice", ALICE)
    run = ask(connection, scope=CHANGES, trigger=Trigger.SCHEDULED)
    while run.state != RunState.SUCCEEDED:
        work(connection)
        make_due(run)
        run.refresh_from_db()
    pass_time(connection)

    assert run.attempts.count() > 1
    assert (run.calls, authors(run)) == (4, {""})
    assert tick(connection).calls == 2
    assert authors(run) == {pseudonym(connection, ALICE, settings)}


def test_what_can_not_be_asked_now_is_asked_by_the_next_run(
    platform: Sandbox, connection: Connection, settings: Any
) -> None:
    rename(platform, connection, "By Alice", ALICE, streams=1)
    platform.fault("google", "server_error", account=connection.external_id, endpoint=LOG)
    run = tick(connection)
    refused = authors(run)

    tick(connection)

    assert (refused, authors(run)) == ({""}, {pseudonym(connection, ALICE, settings)})


def test_what_a_cut_log_can_not_tell_has_no_author(
    platform: Sandbox, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last edit may be missing."""
    monkeypatch.setattr("providers.google.edits.MOST", 2)
    rename(platform, connection, "By Alice", ALICE)

    run = tick(connection, trigger=Trigger.MANUAL)

    assert authors(run) == {""}
    connection.refresh_from_db()
    assert connection.authors_since is None


def test_what_is_not_permitted_is_not_asked_again(platform: Sandbox, connection: Connection) -> None:
    rename(platform, connection, "By Alice", ALICE, streams=1)
    platform.fault("google", "access_denied", account=connection.external_id, endpoint=LOG)
    tick(connection)

    assert tick(connection).calls == 1


def test_what_could_not_be_asked_for_a_week_is_forgotten(
    platform: Sandbox, connection: Connection, settings: Any
) -> None:
    rename(platform, connection, "By Alice", ALICE)
    tick(connection)
    settings.AUTHORS = {"google": "never"}
    tick(connection)
    connection.refresh_from_db()
    kept = connection.authors_since
    wait_longer(connection, FORGOTTEN)
    settings.AUTHORS = {"google": "always"}

    assert kept is not None
    assert tick(connection).calls == 1
