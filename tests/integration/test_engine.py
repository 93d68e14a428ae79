"""A run from claim to end, against both platforms' sandbox: what arrives."""

from typing import Any

import pytest
from django.db import transaction

from providers.sandbox.process import Sandbox
from sync.ledger.scope import Scope
from sync.models import Account, Ad, AdGroup, Campaign, Change, SeenIds
from sync.models.choices import Kind, RunState
from tests.factories import make_connection
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.integration.syncing import BOTH, make_due, small_pages, sync, work
from tests.platforms import assert_equal_to_platform, connect, platform  # noqa: F401  (fixtures)


def row_versions() -> list[Any]:
    return [
        list(
            model.objects.extra(select={"v": "xmin::text || ctid::text"})
            .order_by("pk")
            .values_list("pk", "v")
        )
        for model in (Campaign, AdGroup, Ad)
    ]


@BOTH
def test_a_first_sync_copies_the_whole_account(platform: Sandbox, account: Account, provider: str) -> None:
    connection = connect(platform, account, provider)

    run = sync(connection)

    connection.refresh_from_db()
    assert (run.state, run.progress) == (RunState.SUCCEEDED, 100)
    assert (run.campaigns_count, run.ad_groups_count, run.ads_count) == (5, 20, 120)
    assert run.calls == run.attempts.get().calls == 3
    assert connection.last_full_sync_at is not None
    assert_equal_to_platform(platform, connection)
    assert not Change.objects.exists()  # all is new: nothing changed
    assert not SeenIds.objects.exists()


@BOTH
def test_a_second_sync_without_edits_writes_no_row(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    sync(connection)
    before = row_versions()

    run = sync(connection)

    assert (run.state, run.changes) == (RunState.SUCCEEDED, {})
    assert row_versions() == before


@BOTH
def test_edits_arrive_with_the_next_sync_as_changes(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    sync(connection)
    ad = Ad.objects.order_by("external_id")[0]
    where = {"platform": provider, "account": connection.external_id}
    platform.control("edit", **where, id=ad.external_id, name="Edited")
    platform.control("create", **where, kind="campaigns", name="Brand new")

    run = sync(connection)

    assert_equal_to_platform(platform, connection)
    told = {
        (change.entity, change.action, change.field, change.old, change.new)
        for change in Change.objects.all()
    }
    assert ("ad", "updated", "name", ad.name, "Edited") in told
    assert ("campaign", "created", "", None, None) in told
    assert {change.run_id for change in Change.objects.all()} == {run.pk}
    assert run.changes["created"] == 1


@BOTH
def test_what_is_gone_is_marked_and_returns(platform: Sandbox, account: Account, provider: str) -> None:
    connection = connect(platform, account, provider)
    sync(connection)
    ad = Ad.objects.order_by("external_id")[3]
    where = {"platform": provider, "account": connection.external_id, "id": ad.external_id}
    platform.control("remove", **where, vanish=True)

    run = sync(connection)

    ad.refresh_from_db()
    assert ad.removed_at is not None
    assert run.changes == {"removed": 1}
    assert_equal_to_platform(platform, connection)

    platform.control("return", **where)
    run = sync(connection)

    ad.refresh_from_db()
    assert ad.removed_at is None
    assert run.changes == {"returned": 1}


def test_a_row_that_a_page_hid_is_not_marked_removed(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "meta")
    sync(connection)
    platform.fault("meta", "hide_rows", account=connection.external_id, endpoint="ads", rows=5)

    run = sync(connection)

    assert (run.state, run.changes, run.ads_count) == (RunState.SUCCEEDED, {}, 115)
    assert not Ad.objects.exclude(removed_at=None).exists()


@BOTH
def test_a_choice_of_campaigns_is_read_alone_and_marks_nothing(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    sync(connection)
    chosen = AdGroup.objects.order_by("pk")[0].campaign_external_id

    run = sync(connection, kind=Kind.ADS, scope=Scope(campaign_ids=(chosen,)))

    assert (run.state, run.campaigns_count) == (RunState.SUCCEEDED, 1)
    assert run.ads_count == Ad.objects.filter(campaign_external_id=chosen).count() < 120
    assert not Ad.objects.exclude(removed_at=None).exists()


def test_meta_asking_for_less_data_gets_smaller_pages(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "meta")
    platform.fault("meta", "too_much_data", account=connection.external_id, endpoint="ads", rows=100)

    run = sync(connection)

    assert run.state == RunState.SUCCEEDED
    assert run.calls == 3 + 3 + 1  # 500, 250 and 125 are refused, 62 is not: two pages
    assert_equal_to_platform(platform, connection)


def test_a_forgotten_cursor_reads_the_stream_again(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_pages(monkeypatch)
    connection = connect(platform, account, "meta")
    platform.fault("meta", "expired_cursor", account=connection.external_id)

    run = sync(connection)
    assert (run.state, run.checkpoint["stream"], run.ads_count) == ("deferred", "ads", 0)
    assert "cursor" not in run.checkpoint
    make_due(run)
    work(connection)

    run.refresh_from_db()
    assert (run.state, run.ads_count) == (RunState.SUCCEEDED, 120)
    assert_equal_to_platform(platform, connection)


def test_the_recorded_meta_account_arrives_version_by_version(platform: Sandbox, account: Account) -> None:
    from providers.sandbox.constants import META_TOKEN, RECORDED_META_ACCOUNT

    external_id = f"act_{RECORDED_META_ACCOUNT}"
    connection = make_connection(account, external_id=external_id, currency="USD")
    connection.credential.secret = META_TOKEN
    connection.credential.save()
    sync(connection)
    with transaction.atomic():
        assert_equal_to_platform(platform, connection)

    applied = platform.control("history", platform="meta", account=RECORDED_META_ACCOUNT, steps="all")[
        "applied"
    ]
    sync(connection)

    assert applied > 0
    assert_equal_to_platform(platform, connection)
