"""The ads queue: what somebody named by id is read at once, with what is below it."""

import pytest

from providers.sandbox.process import Sandbox
from sync.ledger.scope import Scope
from sync.models import Account, Ad, AdGroup, Campaign, Change, Connection, SeenIds, SyncRun
from sync.models.choices import Kind, RunState
from tests.integration.syncing import BOTH, sync
from tests.platforms import assert_equal_to_platform, connect, platform  # noqa: F401  (fixtures)


@pytest.fixture
def connection(platform: Sandbox, account: Account, provider: str) -> Connection:
    made = connect(platform, account, provider)
    sync(made)
    made.refresh_from_db()
    return made


def choose(connection: Connection, **ids: str) -> SyncRun:
    scope = Scope(**{f"{name}_ids": (external_id,) for name, external_id in ids.items()})  # type: ignore[arg-type]  # by name
    return sync(connection, kind=Kind.ADS, scope=scope)


def rename_all(platform: Sandbox, connection: Connection) -> None:
    where = {"platform": connection.provider, "account": connection.external_id}
    for model in (Campaign, AdGroup, Ad):
        for row in model.objects.all():
            platform.control("edit", **where, id=row.external_id, name="Renamed")


@BOTH
@pytest.mark.parametrize("named", ["campaign", "ad_group", "ad"])
def test_what_is_named_is_read_with_what_is_below_it(
    platform: Sandbox, connection: Connection, named: str
) -> None:
    rename_all(platform, connection)
    ad = Ad.objects.order_by("external_id")[0]
    campaign, group = {"campaign_external_id": ad.campaign_external_id}, ad.ad_group_external_id
    ads = Ad.objects.filter(
        **{
            "campaign": campaign,
            "ad_group": {"ad_group_external_id": group},
            "ad": {"external_id": ad.external_id},
        }[named]
    )
    groups = AdGroup.objects.filter(
        **{"campaign": campaign, "ad_group": {"external_id": group}}.get(named, {})
    )

    ids = {"campaign": ad.campaign_external_id, "ad_group": group, "ad": ad.external_id}
    run = choose(connection, **{named: ids[named]})

    assert run.state == RunState.SUCCEEDED
    assert run.campaigns_count == (named == "campaign")
    assert run.ad_groups_count == (0 if named == "ad" else groups.count())
    assert run.ads_count == ads.count()
    assert set(ads.values_list("name", flat=True)) == {"Renamed"}
    assert Ad.objects.filter(name="Renamed").count() == ads.count()
    assert not SeenIds.objects.exists()


@BOTH
def test_it_says_nothing_of_the_rest_of_the_account(connection: Connection) -> None:
    choose(connection, campaign=Campaign.objects.all()[0].external_id)

    read_until, full = connection.read_until, connection.last_full_sync_at
    connection.refresh_from_db()
    assert (connection.read_until, connection.last_full_sync_at) == (read_until, full)


@BOTH
def test_what_is_gone_is_confirmed_and_marked_with_what_was_below_it(
    platform: Sandbox,
    connection: Connection,
    provider: str,
) -> None:
    group = AdGroup.objects.filter(external_id__in=Ad.objects.values("ad_group_external_id"))[0]
    below = Ad.objects.filter(ad_group_external_id=group.external_id)
    ads = set(below.values_list("external_id", flat=True))
    where = {"platform": provider, "account": connection.external_id}
    platform.control("remove", **where, id=group.external_id, vanish=True)

    run = choose(connection, ad_group=group.external_id)

    assert (run.state, run.changes) == (RunState.SUCCEEDED, {"removed": 1 + len(ads)})
    assert run.access_issues == [f"{run.get_provider_display()} knows no ad group {group.external_id}."]
    told = {(change.entity, change.external_id, change.action) for change in Change.objects.all()}
    assert told == {("ad_group", group.external_id, "removed"), *(("ad", one, "removed") for one in ads)}
    assert_equal_to_platform(platform, connection)


@BOTH
def test_an_id_that_nobody_knows_is_told(connection: Connection) -> None:
    run = choose(connection, campaign="99")

    assert (run.state, run.changes, run.records_count) == (RunState.SUCCEEDED, {}, 0)
    assert run.access_issues == [f"{run.get_provider_display()} knows no campaign 99."]
    assert not Campaign.objects.filter(external_id="99").exists()


def test_a_row_that_a_page_hid_is_not_marked_removed(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "meta")
    sync(connection)
    platform.fault("meta", "hide_rows", account=connection.external_id, endpoint="ads", rows=1)

    run = choose(connection, ad=Ad.objects.all()[0].external_id)

    assert (run.state, run.changes, run.ads_count, run.access_issues) == (RunState.SUCCEEDED, {}, 0, [])
