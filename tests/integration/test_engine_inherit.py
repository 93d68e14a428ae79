"""Meta's children take their status from their parents, whether or not their own updated time moves."""

import pytest

from providers.sandbox.process import Sandbox
from sync.ledger.scope import Scope
from sync.models import Account, Ad, AdGroup, Campaign, Change, Connection, SyncRun
from sync.models.choices import Mode, RunState
from tests.integration.syncing import sync
from tests.platforms import connect, platform  # noqa: F401  (fixtures)

CHANGES = Scope(Mode.INCREMENTAL)


@pytest.fixture
def connection(platform: Sandbox, account: Account) -> Connection:
    made = connect(platform, account, "meta")
    sync(made)
    return made


def edit(platform: Sandbox, connection: Connection, external_id: str, **changes: str) -> SyncRun:
    where = {"platform": "meta", "account": connection.external_id}
    platform.control("edit", **where, id=external_id, **changes)
    return sync(connection, scope=CHANGES)


def assert_same_words(platform: Sandbox, connection: Connection) -> None:
    """Every child's effective status is as Meta tells it."""
    truth = platform.truth("meta", connection.external_id)
    for kind, model in (("ad_groups", AdGroup), ("ads", Ad)):
        copied = dict(model.objects.values_list("external_id", "platform_status"))
        assert copied == {key: told["effective_status"] for key, told in truth[kind].items()}


@pytest.mark.parametrize("status", ["PAUSED", "ARCHIVED", "DELETED"])
def test_what_a_campaign_becomes_is_told_below_it_and_undone(
    platform: Sandbox,
    connection: Connection,
    status: str,
) -> None:
    runs_below = AdGroup.objects.filter(platform_status="ACTIVE").values("campaign_external_id")
    campaign = Campaign.objects.filter(platform_status="ACTIVE", external_id__in=runs_below)[0]

    run = edit(platform, connection, campaign.external_id, status=status)

    assert (run.state, run.campaigns_count, run.records_count) == (RunState.SUCCEEDED, 1, 1)
    assert_same_words(platform, connection)
    told = Change.objects.filter(run_id=run.pk, field="platform_status").exclude(entity="campaign")
    assert {change.entity for change in told} == {"ad_group", "ad"}
    assert {change.action for change in told} == {"updated"}
    assert run.changes == {"updated": 1 + told.count()}

    edit(platform, connection, campaign.external_id, status="ACTIVE")
    assert_same_words(platform, connection)


def test_what_an_ad_set_becomes_is_told_below_it(platform: Sandbox, connection: Connection) -> None:
    runs_below = Ad.objects.filter(platform_status="ACTIVE").values("ad_group_external_id")
    group = AdGroup.objects.filter(platform_status="ACTIVE", external_id__in=runs_below)[0]

    edit(platform, connection, group.external_id, status="PAUSED")

    assert_same_words(platform, connection)
    below = Ad.objects.filter(ad_group_external_id=group.external_id)
    assert below.filter(platform_status="ADSET_PAUSED", status="active").exists()


def test_what_a_run_that_failed_read_is_told_by_the_next(
    platform: Sandbox,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs_below = Ad.objects.filter(platform_status="ACTIVE").values("campaign_external_id")
    campaign = Campaign.objects.filter(platform_status="ACTIVE", external_id__in=runs_below)[0]
    monkeypatch.setattr("sync.engine.copy.inherit", _fail)
    SyncRun.objects.filter(pk=edit(platform, connection, campaign.external_id, status="PAUSED").pk).delete()
    monkeypatch.undo()

    run = sync(connection, scope=CHANGES)

    assert run.state == RunState.SUCCEEDED
    assert_same_words(platform, connection)


def _fail(*_: object) -> None:
    raise RuntimeError("a defect")
