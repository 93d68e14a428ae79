"""A platform that denies a part of an ad account: the rest arrives, and nothing is taken for removed."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from providers.errors import AccessDenied
from providers.records import InsightSlice, Level
from providers.sandbox.process import Sandbox
from sync.admin.words import page
from sync.ledger.scope import Scope
from sync.models import Account, Ad, Campaign, Change, Connection, Insight, SyncRun
from sync.models.choices import ConnectionStatus, Health, Kind, RunState
from tests.commands import run as command
from tests.commands import run_json
from tests.factories import make_connection, make_run
from tests.integration.insight_platform import Platform, days_ago, use
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.integration.syncing import ask, sync, work
from tests.platforms import connect, platform  # noqa: F401  (fixtures)

# What each platform calls the stream of ads, and the first one.
EDGES = {"meta": ("ads", "campaigns"), "google": ("search_stream:ad_group_ad", "search_stream:campaign")}
BOTH = pytest.mark.parametrize("provider", list(EDGES))


def later_full_sync(connection: Connection) -> SyncRun:
    Connection.objects.update(last_full_sync_at=timezone.now() - timedelta(days=2))
    return sync(connection)


@BOTH
@pytest.mark.parametrize("which", [0, 1], ids=["last stream", "first stream"])
def test_a_denied_stream_loses_no_other_and_none_of_its_rows(
    platform: Sandbox, account: Account, provider: str, which: int
) -> None:
    connection = connect(platform, account, provider)
    sync(connection)
    before = (Campaign.objects.filter(removed_at=None).count(), Ad.objects.filter(removed_at=None).count())
    where = {"platform": provider, "account": connection.external_id}
    edited, model = ((Campaign, Campaign), (Ad, Ad))[which]
    row = edited.objects.order_by("external_id")[0]
    platform.control("edit", **where, id=row.external_id, name="Edited")
    platform.fault(provider, "access_denied", account=connection.external_id, endpoint=EDGES[provider][which])

    run = sync(connection)

    assert (run.state, run.health) == (RunState.SUCCEEDED, Health.PARTIAL)
    words = ("ads", "campaigns")[which]
    (issue,) = run.access_issues
    assert issue.startswith(f"{run.get_provider_display()} does not let the {words} be read: ")
    assert model.objects.get(pk=row.pk).name == "Edited"
    assert before == (
        Campaign.objects.filter(removed_at=None).count(),
        Ad.objects.filter(removed_at=None).count(),
    )
    connection.refresh_from_db()
    assert connection.status == ConnectionStatus.ACTIVE


@BOTH
def test_children_of_what_was_denied_are_told_as_orphans(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    endpoint = {"meta": "adsets", "google": "search_stream:ad_group"}[provider]
    platform.fault(provider, "access_denied", account=connection.external_id, endpoint=endpoint)

    run = sync(connection)

    (told,) = run.data_discrepancies
    assert told.startswith("120 ads belong to ad groups that the platform does not list: ")


@BOTH
def test_a_denied_account_is_asked_once_more_and_no_further(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    platform.fault(provider, "access_denied", account=connection.external_id)

    run = sync(connection)

    assert (run.state, run.health, run.calls) == (RunState.FAILED, Health.UNHEALTHY, 2)
    assert run.access_issues == []


@BOTH
def test_when_every_stream_is_denied_the_account_is(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    streams = {"meta": ("campaigns", "adsets", "ads"), "google": ("campaign", "ad_group", "ad_group_ad")}
    for name in streams[provider]:
        endpoint = name if provider == "meta" else f"search_stream:{name}"
        platform.fault(provider, "access_denied", account=connection.external_id, endpoint=endpoint)

    run = sync(connection)

    connection.refresh_from_db()
    assert (run.state, connection.status) == (RunState.FAILED, ConnectionStatus.ACCESS_DENIED)


@BOTH
def test_a_currency_that_changed_is_told_by_the_next_days_full_sync(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    own = connection.currency
    sync(connection)
    Connection.objects.update(currency="XTS")

    run = later_full_sync(connection)

    assert run.data_discrepancies == [
        f"The ad account's currency was XTS and is {own}: amounts read before are in XTS."
    ]
    connection.refresh_from_db()
    assert connection.currency == own
    assert later_full_sync(connection).data_discrepancies == []


def test_a_level_whose_metrics_are_denied_loses_no_other(
    account: Account, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.INSIGHTS_FIRST_DAYS = 2
    connection = make_connection(account, "google")
    platform = Platform()
    for level in Level:
        platform.tell(level, days_ago(connection, 1), f"{level}")

    def deny(slice: InsightSlice) -> None:
        if slice.level == Level.CAMPAIGN:
            raise AccessDenied("Google does not permit it")

    platform.before_page = deny
    monkeypatch.setattr(Platform, "account", lambda _: None, raising=False)
    use(platform, monkeypatch)
    run = ask(connection, kind=Kind.INSIGHTS)
    work(connection)

    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
    assert run.access_issues == [
        "Google Ads does not let the metrics of campaigns be read: Google does not permit it."
    ]
    assert set(Insight.objects.values_list("level", flat=True)) == {"account", "ad_group", "ad"}


def test_levels_that_disagree_make_a_sync_of_metrics_partial(
    account: Account, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.INSIGHTS_FIRST_DAYS = 2
    connection = make_connection(account, "google")
    platform = Platform()
    day = days_ago(connection, 1)
    platform.tell(Level.ACCOUNT, day, connection.external_id, clicks=3)
    platform.tell(Level.CAMPAIGN, day, "1", clicks=2)
    use(platform, monkeypatch)

    run = ask(connection, kind=Kind.INSIGHTS, scope=Scope(levels=("account", "campaign")))
    work(connection)

    run.refresh_from_db()
    assert (run.state, run.health) == (RunState.SUCCEEDED, Health.PARTIAL)
    assert run.data_discrepancies[0] == (
        f"On {day}: campaigns add up to 2.00 EUR of spend, the account has 3.00 EUR: 33.3 % off. "
        "Deleted ones may be hidden."
    )


def test_what_lacks_is_shown_by_the_command_and_the_admin(
    admin_client: Client, connection: Connection
) -> None:
    run = make_run(
        connection,
        state=RunState.SUCCEEDED,
        access_issues=["Meta does not let the ads be read."],
        data_discrepancies=["<b>3</b> ads belong to nobody."],
    )

    told = run_json("history", "--run", str(run.pk))
    text = command("history", "--run", str(run.pk))
    html = admin_client.get(page(run)).content.decode()

    assert (told["health"], told["access_issues"]) == ("PARTIAL", run.access_issues)
    assert "3</b> ads belong to nobody." in text
    assert "Meta does not let the ads be read." in html
    assert "&lt;b&gt;3" in html
    assert not Change.objects.exists()
