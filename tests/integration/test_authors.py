"""By whom: asked of Google with one operation more, only where changes were found and the day allows it."""

from typing import Any

import pytest

from providers.pseudonym import pseudonym_of
from providers.sandbox.process import Sandbox
from sync.google.pace import measure
from sync.ledger.scope import Scope
from sync.models import Account, Campaign, Change, Connection, SyncRun
from sync.models.choices import Mode, RunState
from tests.commands import run_json
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.integration.syncing import sync
from tests.platforms import connect, platform  # noqa: F401  (fixtures)

ALICE = "alice@example.com"


@pytest.fixture
def connection(platform: Sandbox, account: Account, settings: Any) -> Connection:
    """Read once."""
    platform.control("settings", google_change_delay=0)
    settings.AUTHORS = {"google": "always"}
    connection = connect(platform, account, "google")
    sync(connection)
    connection.refresh_from_db()
    return connection


def rename(platform: Sandbox, connection: Connection) -> Campaign:
    campaign = Campaign.objects.filter(connection=connection, status="active").order_by("pk")[0]
    where = {"platform": "google", "account": connection.external_id}
    platform.control("edit", **where, id=campaign.external_id, name="Renamed", by=ALICE)
    return campaign


def incremental(connection: Connection) -> SyncRun:
    return sync(connection, scope=Scope(mode=Mode.INCREMENTAL))


def test_a_change_is_told_with_a_pseudonym_and_for_one_operation(
    platform: Sandbox, connection: Connection, settings: Any
) -> None:
    rename(platform, connection)
    run = incremental(connection)

    change = Change.objects.get(run_id=run.pk)
    secret, customer = settings.GOOGLE_CLIENT_SECRET, connection.external_id
    assert (run.state, change.field) == (RunState.SUCCEEDED, "name")
    assert change.by == pseudonym_of(ALICE, secret=secret, account_id=customer)
    assert "alice" not in change.by
    settings.AUTHORS = {"google": "never"}
    rename(platform, connection)
    assert incremental(connection).calls <= run.calls - 1
    told = run_json("changes", "--run", str(run.pk))["changes"]
    assert [line["by"] for line in told] == [change.by]


def test_meta_tells_it_for_one_call(platform: Sandbox, account: Account, settings: Any) -> None:
    connection = connect(platform, account, "meta")
    sync(connection)
    connection.refresh_from_db()
    campaign = Campaign.objects.filter(connection=connection, status="active").order_by("pk")[0]
    where = {"platform": "meta", "account": connection.external_id, "id": campaign.external_id}

    platform.control("edit", **where, daily_budget=77_700, name="Renamed", by=ALICE)
    run = incremental(connection)
    settings.AUTHORS = {"meta": "never"}
    platform.control("edit", **where, name="Renamed again", by=ALICE)
    unasked = incremental(connection)

    changes = Change.objects.filter(run_id=run.pk).exclude(field="platform_updated_at")
    assert {change.field for change in changes} == {"name", "daily_budget_micros"}
    (by,) = {change.by for change in changes}
    assert len(by) == 16
    assert unasked.calls == run.calls - 1


def test_meta_is_not_asked_where_one_call_would_not_tell_all(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.engine.authors.ONE_PAGE", 0)
    connection = connect(platform, account, "meta")
    sync(connection)
    campaign = Campaign.objects.filter(status="active").order_by("pk")[0]
    where = {"platform": "meta", "account": connection.external_id, "id": campaign.external_id}
    platform.control("edit", **where, name="Renamed", by=ALICE)

    run = incremental(connection)

    assert Change.objects.get(run_id=run.pk, field="name").by == ""


def test_nothing_is_asked_where_nothing_changed(connection: Connection, settings: Any) -> None:
    quiet = incremental(connection)
    settings.AUTHORS = {"google": "never"}

    assert incremental(connection).calls == quiet.calls


def test_a_full_sync_asks_too(platform: Sandbox, connection: Connection) -> None:
    rename(platform, connection)

    run = sync(connection)

    assert Change.objects.get(run_id=run.pk).by


@pytest.mark.parametrize("limit", [15_000, 50])
def test_by_default_only_a_day_that_suffices_is_asked(
    platform: Sandbox, connection: Connection, settings: Any, limit: int
) -> None:
    settings.AUTHORS = {"google": "auto"}
    settings.GOOGLE_DAILY_OPERATIONS = limit
    rename(platform, connection)
    measure()

    run = incremental(connection)

    assert bool(Change.objects.get(run_id=run.pk).by) == (limit == 15_000)


@pytest.mark.parametrize("error", ["rate_limit", "server_error", "access_denied"])
def test_what_goes_wrong_with_it_fails_no_sync(platform: Sandbox, connection: Connection, error: str) -> None:
    rename(platform, connection)
    platform.fault("google", error, account=connection.external_id, endpoint="search_stream:change_event")

    run = incremental(connection)

    assert (run.state, run.failed_attempts) == (RunState.SUCCEEDED, 0)
    assert Change.objects.get(run_id=run.pk).by == ""
