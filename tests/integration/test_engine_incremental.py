"""An incremental run reads what changed, and nothing else; what it can't see is left to the full pass."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from providers.sandbox.process import Sandbox
from sync.engine.execute import execute
from sync.engine.plan import OVERLAP
from sync.ledger.claim import claim
from sync.ledger.request import request_sync
from sync.ledger.scope import Scope
from sync.models import Account, Ad, AdGroup, Campaign, Change, Connection, SeenIds, SyncRun
from sync.models.choices import Mode, RunState, Trigger
from tests.integration.syncing import BOTH, ask, make_due, small_pages, sync, work
from tests.platforms import assert_equal_to_platform, connect, platform  # noqa: F401  (fixtures)

CHANGES = Scope(Mode.INCREMENTAL)


@pytest.fixture(autouse=True)
def told_at_once(platform: Sandbox) -> None:
    platform.control("settings", google_change_delay=0)


@pytest.fixture
def connection(platform: Sandbox, account: Account, provider: str) -> Connection:
    """Of an account that was read as a whole, and is as it was long ago."""
    made = connect(platform, account, provider)
    sync(made)
    made.refresh_from_db()
    return made


def edit(platform: Sandbox, connection: Connection, external_id: str, **changes: Any) -> None:
    where = {"platform": connection.provider, "account": connection.external_id}
    platform.control("edit", **where, id=external_id, **changes)


@BOTH
def test_a_full_pass_is_what_an_incremental_run_builds_on(connection: Connection) -> None:
    assert connection.read_until is not None
    assert connection.last_full_sync_at is not None
    run = SyncRun.objects.get()
    assert run.started_at is not None
    began = connection.read_until + OVERLAP
    assert run.started_at - timedelta(seconds=1) < began < connection.last_full_sync_at


@BOTH
def test_an_idle_account_costs_its_few_calls_and_writes_no_row(connection: Connection, provider: str) -> None:
    before = list(Ad.objects.order_by("pk").extra(select={"v": "xmin::text"}).values_list("v"))

    run = sync(connection, scope=CHANGES)

    assert (run.state, run.mode, run.progress) == (RunState.SUCCEEDED, Mode.INCREMENTAL, 100)
    assert (run.changes, run.records_count) == ({}, 0)
    assert run.calls <= (3 if provider == "meta" else 1)
    assert before == list(Ad.objects.order_by("pk").extra(select={"v": "xmin::text"}).values_list("v"))
    assert not SeenIds.objects.exists()


@BOTH
def test_edits_arrive_alone_and_are_told_once(platform: Sandbox, connection: Connection) -> None:
    ad, group = Ad.objects.order_by("external_id")[0], AdGroup.objects.order_by("external_id")[0]
    edit(platform, connection, ad.external_id, name="Edited")
    edit(platform, connection, group.external_id, name="Edited, too")

    first = sync(connection, scope=CHANGES)
    again = sync(connection, scope=CHANGES)  # the overlap reads both a second time

    assert (first.state, first.mode, first.changes) == (RunState.SUCCEEDED, Mode.INCREMENTAL, {"updated": 2})
    assert first.records_count == again.records_count == 2
    assert again.changes == {}
    told = Change.objects.values_list("entity", "field", "old", "new").order_by("entity")
    assert list(told) == [("ad", "name", ad.name, "Edited"), ("ad_group", "name", group.name, "Edited, too")]
    assert_equal_to_platform(platform, connection)


@BOTH
def test_edits_cost_a_call_for_each_page_of_them_and_not_of_the_account(
    platform: Sandbox, connection: Connection, provider: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.AUTHORS = {provider: "never"}
    small_pages(monkeypatch, rows=10)
    for ad in Ad.objects.order_by("external_id")[:25]:
        edit(platform, connection, ad.external_id, name="Edited")

    run = sync(connection, scope=CHANGES)

    assert (run.ads_count, run.changes) == (25, {"updated": 25})
    listings = {"meta": 2 + 3, "google": 1 + 1}  # of ads 3 pages; or what changed, and one stream
    assert run.calls == listings[provider]


@BOTH
def test_what_is_new_arrives_too(platform: Sandbox, connection: Connection, provider: str) -> None:
    where = {"platform": provider, "account": connection.external_id}
    made = platform.control("create", **where, kind="campaigns", name="Brand new")

    run = sync(connection, scope=CHANGES)

    assert run.changes == {"created": 1}
    assert Campaign.objects.get(external_id=made["id"]).name == "Brand new"


@BOTH
def test_absence_removes_nothing_but_a_removal_that_is_told_arrives(
    platform: Sandbox, connection: Connection, provider: str
) -> None:
    vanished, removed = Ad.objects.filter(status="active").order_by("external_id")[:2]
    where = {"platform": provider, "account": connection.external_id}
    platform.control("remove", **where, id=vanished.external_id, vanish=True)
    platform.control("remove", **where, id=removed.external_id)

    sync(connection, scope=CHANGES)

    vanished.refresh_from_db()
    removed.refresh_from_db()
    assert vanished.removed_at is None
    assert removed.status == "removed"

    sync(connection)  # a full pass sees what is not there
    vanished.refresh_from_db()
    assert vanished.removed_at is not None
    assert_equal_to_platform(platform, connection)


@BOTH
def test_where_changes_are_not_told_all_is_read(connection: Connection, provider: str) -> None:
    """Never read, or with Google longer ago than it remembers."""
    long_ago = timezone.now() - timedelta(days=120) if provider == "google" else None
    Connection.objects.filter(pk=connection.pk).update(read_until=long_ago)

    run = sync(connection, scope=CHANGES)

    connection.refresh_from_db()
    assert (run.state, run.mode, run.ads_count) == (RunState.SUCCEEDED, Mode.FULL, 120)
    assert "full_because" in run.checkpoint["plan"]
    assert connection.read_until is not None
    assert connection.read_until > timezone.now() - timedelta(hours=1)


@BOTH
def test_what_was_read_only_moves_forward(connection: Connection) -> None:
    later = timezone.now() + timedelta(days=1)
    Connection.objects.filter(pk=connection.pk).update(read_until=later)

    sync(connection, scope=CHANGES)

    connection.refresh_from_db()
    assert connection.read_until == later


@BOTH
def test_a_deferral_keeps_the_plan_and_the_moment_at_which_it_began(
    platform: Sandbox, connection: Connection, provider: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUTHORS = {provider: "never"}
    ad = Ad.objects.order_by("external_id")[0]
    edit(platform, connection, ad.external_id, name="Edited")
    run = ask(connection, scope=CHANGES)
    with monkeypatch.context() as broken:
        broken.setattr("sync.engine.merge.Merging.merged", _fail)
        work(connection)
    run.refresh_from_db()
    assert run.state == RunState.DEFERRED
    hour_ago = timezone.now() - timedelta(hours=1)
    run.checkpoint["plan"]["began"] = hour_ago.isoformat()
    SyncRun.objects.filter(pk=run.pk).update(checkpoint=run.checkpoint, available_at=timezone.now())
    Connection.objects.filter(pk=connection.pk).update(read_until=None)  # it is asked no second time
    spent = run.calls

    work(connection)

    run.refresh_from_db()
    connection.refresh_from_db()
    assert (run.state, run.mode, run.changes) == (RunState.SUCCEEDED, Mode.INCREMENTAL, {"updated": 1})
    assert run.calls == spent + (3 if provider == "meta" else 1)
    assert connection.read_until == hour_ago - OVERLAP


@pytest.mark.parametrize("provider", ["meta"])
def test_a_forgotten_cursor_costs_an_incremental_run_its_stream_and_nothing_else(
    platform: Sandbox, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_pages(monkeypatch)
    edited = set(Ad.objects.order_by("external_id").values_list("external_id", flat=True)[:60])
    for external_id in edited:
        edit(platform, connection, external_id, name="Edited")
    platform.fault("meta", "expired_cursor", account=connection.external_id, endpoint="ads")

    run = sync(connection, scope=CHANGES)
    assert (run.state, run.checkpoint["stream"], run.ads_count) == (RunState.DEFERRED, "ads", 0)
    make_due(run)
    work(connection)

    run.refresh_from_db()
    assert (run.state, run.mode, run.ads_count) == (RunState.SUCCEEDED, Mode.INCREMENTAL, 60)
    assert set(Change.objects.values_list("external_id", flat=True)) == edited
    assert Change.objects.count() == 60  # what was read twice is told once
    assert not Ad.objects.exclude(removed_at=None).exists()


@BOTH
def test_a_person_who_joins_a_full_pass_gets_what_changed_meanwhile_and_the_pass_goes_on(
    platform: Sandbox, connection: Connection, provider: str, settings: Any
) -> None:
    settings.TURN_SECONDS = 0
    run = ask(connection, trigger=Trigger.SCHEDULED)
    claimed = claim(connection.provider, connection.region, worker="test")
    assert claimed is not None
    execute(claimed)  # the campaigns
    run.refresh_from_db()
    assert (run.state, run.checkpoint["stream"]) == (RunState.DEFERRED, "ad_groups")
    began = run.checkpoint["plan"]["began"]
    campaign = Campaign.objects.all()[0]
    edit(platform, connection, campaign.external_id, name="Edited meanwhile")
    settings.TURN_SECONDS = 300
    SyncRun.objects.filter(pk=run.pk).update(calls=100)  # an account as large as that

    joined = request_sync(
        connection.account,
        [connection],
        trigger=Trigger.MANUAL,
        source="api",
        scope=CHANGES,
    ).joined
    work(connection)

    run.refresh_from_db()
    connection.refresh_from_db()
    campaign.refresh_from_db()
    assert joined == [run]
    assert (run.state, run.mode, run.campaigns_count) == (RunState.SUCCEEDED, Mode.FULL, 5 + 1)
    assert campaign.name == "Edited meanwhile"
    assert connection.read_until == datetime.fromisoformat(began) - OVERLAP
    assert_equal_to_platform(platform, connection)


def _fail(*_: Any, **__: Any) -> None:
    raise RuntimeError("a defect")
