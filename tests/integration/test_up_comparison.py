"""The demo's verdict: equal only when every entity is there once, as the platform has it."""

import pytest
from pytest_django import DjangoAssertNumQueries

from adtiger.up.comparison import Comparison, compare, compare_all
from adtiger.up.demo import troubles
from adtiger.up.metrics import compare_metrics
from providers.records import Level, Stream
from providers.sandbox.process import Sandbox
from sync.engine.drain import drain
from sync.ledger.request import request_sync
from sync.models import Account, Ad, AdGroup, Campaign, Connection, Insight, SyncRun
from sync.models.choices import Kind, Provider, RunState, Trigger
from tests.factories import make_run
from tests.integration.syncing import sync
from tests.platforms import connect, platform  # noqa: F401  (fixtures)

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[Provider.META, Provider.GOOGLE])
def copied(request: pytest.FixtureRequest, platform: Sandbox, account: Account) -> Connection:
    """A connection whose first sync has ended."""
    connection = connect(platform, account, request.param, campaigns=2, ad_groups=4, ads=8)
    request_sync(account, [connection], trigger=Trigger.MANUAL, source="command")
    drain(connection.provider, connection.region, worker="test")
    return connection


def verdicts(connection: Connection, sandbox: Sandbox) -> dict[str, Comparison]:
    return {row.stream: row for row in compare(connection, sandbox.url)}


def test_a_copied_account_is_equal_to_the_platform(copied: Connection, sandbox: Sandbox) -> None:
    rows = verdicts(copied, sandbox)

    assert all(row.is_equal for row in rows.values())
    assert [rows[stream].copied for stream in Stream] == [2, 4, 8]
    assert troubles([make_run(copied, state=RunState.SUCCEEDED)], list(rows.values())) == []


def test_an_account_that_was_never_copied_is_not_equal(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, Provider.META, campaigns=2, ad_groups=4, ads=8)

    assert [len(row.differing) for row in compare(connection, platform.url)] == [2, 4, 8]


@pytest.mark.parametrize(
    "change", [{"name": "Other"}, {"status": "archived"}, {"campaign_external_id": "1"}, {"external_id": "1"}]
)
def test_one_wrong_ad_is_found(copied: Connection, sandbox: Sandbox, change: dict[str, str]) -> None:
    ad = Ad.objects.filter(connection=copied).earliest("external_id")
    Ad.objects.filter(pk=ad.pk).update(**change)

    rows = verdicts(copied, sandbox)

    assert ad.external_id in rows[Stream.ADS].differing
    assert rows[Stream.CAMPAIGNS].is_equal
    told = troubles([make_run(copied, state=RunState.SUCCEEDED)], list(rows.values()))
    assert [ad.external_id in trouble for trouble in told] == [True]


@pytest.mark.parametrize(("model", "stream"), [(Campaign, Stream.CAMPAIGNS), (AdGroup, Stream.AD_GROUPS)])
def test_what_the_platform_no_longer_has_is_found(
    copied: Connection, sandbox: Sandbox, model: type[Campaign | AdGroup], stream: Stream
) -> None:
    one = model.objects.filter(connection=copied).earliest("external_id")
    model.objects.filter(connection=copied, pk=one.pk).update(external_id="superfluous")

    assert verdicts(copied, sandbox)[stream].differing == sorted([one.external_id, "superfluous"])


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.FAILED, RunState.CANCELLED])
def test_a_run_that_did_not_succeed_is_told(connection: Connection, state: RunState) -> None:
    run = SyncRun.objects.get(pk=make_run(connection, state=state).pk)

    assert [str(connection) in trouble for trouble in troubles([run], [])] == [True]


def test_a_demo_without_connections_fails() -> None:
    assert troubles([], []) == ["There is no connection to sync."]


def test_many_connections_are_compared_with_few_queries(
    platform: Sandbox, account: Account, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    sizes = {"campaigns": 1, "ad_groups": 1, "ads": 3}
    connections = [connect(platform, account, provider, **sizes) for provider in [*Provider.values] * 3]
    request_sync(account, connections[:2], trigger=Trigger.MANUAL, source="command")
    for one in connections[:2]:
        drain(one.provider, one.region, worker="test")

    with django_assert_num_queries(6):
        rows = compare_all(connections, platform.url)

    differing = {row.connection for row in rows if not row.is_equal}
    assert differing == {str(one) for one in connections[2:]}
    assert len(rows) == 18


def test_metrics_are_held_to_the_platform_day_by_day(copied: Connection, sandbox: Sandbox) -> None:
    sync(copied, kind=Kind.INSIGHTS)
    rows = list(compare_metrics([copied], sandbox.url))
    assert [row.stream.removeprefix("metrics by ") for row in rows] == [
        "account",
        "campaign",
        "ad group",
        "ad",
    ]
    assert all(row.is_equal and row.copied == row.platform > 0 for row in rows)

    one = Insight.objects.filter(connection_id=copied.pk, level=Level.AD, clicks__gt=0).earliest("day")
    Insight.objects.filter(connection_id=copied.pk, level=Level.AD, day=one.day).update(clicks=0)

    assert [row.differing for row in compare_metrics([copied], sandbox.url)] == [[], [], [], [str(one.day)]]


def test_metrics_that_nobody_read_are_not_equal(copied: Connection, sandbox: Sandbox) -> None:
    rows = list(compare_metrics([copied], sandbox.url))

    assert [row.differing for row in rows] == [["never read"]] * len(Level)
