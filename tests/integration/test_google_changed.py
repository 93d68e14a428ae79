"""The incremental tick at Google: one query tells what changed, and only that is read again."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from providers.base import Selection
from providers.records import Stream
from providers.sandbox.constants import RECORDED_GOOGLE_CUSTOMER, Platform
from providers.sandbox.process import Sandbox
from tests.integration import client_callers
from tests.integration.client_callers import records
from tests.integration.sandbox_callers import open_account

pytest_plugins = "tests.integration.sandbox_fixtures"

NOTHING = Selection(with_children=False)
ZONE = "Asia/Tokyo"  # without summer time: its hour that comes twice is one time in Google's log
google_client = partial(client_callers.google_client, time_zone=ZONE)


@pytest.fixture(autouse=True)
def told_at_once(sandbox: Sandbox) -> None:
    sandbox.control("settings", google_change_delay=0, google_untold_budgets=False)


@pytest.fixture
def customer(sandbox: Sandbox) -> str:
    """In the client's time zone, for by it Google is asked."""
    sizes = {"campaigns": 10, "ad_groups": 40, "ads": 200}
    return open_account(sandbox, Platform.GOOGLE, **sizes, time_zone=ZONE)


def some(sandbox: Sandbox, customer: str, kind: str, count: int) -> list[str]:
    return sorted(sandbox.truth("google", customer)[kind])[:count]


def edit(sandbox: Sandbox, customer: str, external_id: str, **changes: Any) -> None:
    sandbox.control("edit", platform="google", account=customer, id=external_id, **changes)


def changed(sandbox: Sandbox, customer: str, ago: float = 60) -> Selection | None:
    client = google_client(sandbox, customer)
    selection = client.changed(datetime.now(UTC) - timedelta(seconds=ago))
    assert client.calls == 1
    return selection


def test_an_idle_account_takes_one_operation(sandbox: Sandbox, customer: str) -> None:
    assert changed(sandbox, customer) == NOTHING
    assert not any(sum(1 for _ in page.records) for page in pages(sandbox, customer, NOTHING))


def pages(sandbox: Sandbox, customer: str, selection: Selection, calls: int = 0) -> list[Any]:
    client = google_client(sandbox, customer)
    read = [page for stream in Stream for page in client.pages(stream, selection=selection)]
    assert client.calls == calls
    return read


def test_what_was_edited_is_read_again_with_four_operations(sandbox: Sandbox, customer: str) -> None:
    campaign, spender = some(sandbox, customer, "campaigns", 2)
    (group,) = some(sandbox, customer, "ad_groups", 1)
    (ad,) = some(sandbox, customer, "ads", 1)
    edit(sandbox, customer, campaign, name="Renamed")
    edit(sandbox, customer, spender, daily_budget=7_000_000)
    edit(sandbox, customer, group, name="Renamed too")
    edit(sandbox, customer, ad, name="And this")

    selection = changed(sandbox, customer)

    assert selection == Selection((campaign, spender), (group,), (ad,), with_children=False)
    read = records(pages(sandbox, customer, selection, calls=3))
    assert [record.external_id for record in read] == [campaign, spender, group, ad]
    assert [record.name for record in read if record.external_id != spender] == [
        "Renamed", "Renamed too", "And this",
    ]  # fmt: skip


def test_random_edits_are_all_seen(sandbox: Sandbox, customer: str) -> None:
    told = sandbox.control("random-edits", platform="google", account=customer, count=40, seed=7)["edited"]

    assert changed(sandbox, customer) == Selection(
        tuple(sorted(told["campaigns"])),
        tuple(sorted(told["ad_groups"])),
        tuple(sorted(told["ads"])),
        with_children=False,
    )


def test_what_was_added_or_removed_is_seen(sandbox: Sandbox, customer: str) -> None:
    made = sandbox.control("create", platform="google", account=customer, kind="ads", name="New")["id"]
    campaigns = sandbox.truth("google", customer)["campaigns"]
    gone = next(one for one, told in campaigns.items() if told["status"] != "REMOVED")
    sandbox.control("remove", platform="google", account=customer, id=gone)

    assert changed(sandbox, customer) == Selection((gone,), (), (made,), with_children=False)


def test_a_budget_that_campaigns_share_costs_one_operation_more(sandbox: Sandbox, customer: str) -> None:
    sandbox.control("settings", google_untold_budgets=True)
    (spender,) = some(sandbox, customer, "campaigns", 1)
    edit(sandbox, customer, spender, daily_budget=7_000_000)
    client = google_client(sandbox, customer)

    selection = client.changed(datetime.now(UTC) - timedelta(minutes=1))

    assert selection == Selection(campaign_ids=(spender,), with_children=False)
    assert client.calls == 2


def test_a_change_that_google_tells_three_minutes_late_is_not_lost(sandbox: Sandbox, customer: str) -> None:
    (campaign,) = some(sandbox, customer, "campaigns", 1)
    edit(sandbox, customer, campaign, name="Renamed")
    asked = datetime.now(UTC)
    sandbox.control("settings", google_change_delay=180)
    assert changed(sandbox, customer, ago=0) == NOTHING

    sandbox.control("settings", google_change_delay=0)  # three minutes later
    later = google_client(sandbox, customer).changed(asked)

    assert later == Selection(campaign_ids=(campaign,), with_children=False)


def test_more_than_ten_thousand_changes_at_one_moment_ask_for_a_full_pass(sandbox: Sandbox) -> None:
    sizes = {"campaigns": 10, "ad_groups": 100, "ads": 10_000}
    large = open_account(sandbox, Platform.GOOGLE, **sizes, time_zone=ZONE)
    sandbox.control("random-edits", platform="google", account=large, count=10_110, seed=1)

    assert changed(sandbox, large) is None


def test_a_recorded_edit_is_seen_when_it_happens(sandbox: Sandbox) -> None:
    sandbox.control("history", platform="google", account=RECORDED_GOOGLE_CUSTOMER, steps="all")

    client = google_client(sandbox, RECORDED_GOOGLE_CUSTOMER, time_zone="America/Los_Angeles")
    selection = client.changed(datetime.now(UTC) - timedelta(minutes=1))

    assert selection is not None
    assert selection != NOTHING


def test_a_mixed_selection_reads_each_row_once_from_any_cursor(sandbox: Sandbox, customer: str) -> None:
    truth = sandbox.truth("google", customer)
    campaigns, ads = sorted(truth["campaigns"])[:4], sorted(truth["ads"])[:90]
    groups = sorted(truth["ad_groups"])[:6]
    selection = Selection(tuple(campaigns), tuple(groups), tuple(ads))
    expected = {
        ad
        for ad, told in truth["ads"].items()
        if told["campaign_id"] in campaigns or told["ad_group_id"] in groups or ad in ads
    }
    client = google_client(sandbox, customer, page_size=20)
    whole = list(client.pages(Stream.ADS, selection=selection))
    ids = [record.external_id for record in records(whole)]

    assert len(ids) == len(set(ids))
    assert set(ids) == expected
    for number, page in enumerate(whole[:-1], start=1):
        rest = list(client.pages(Stream.ADS, selection=selection, cursor=page.cursor))
        assert records(whole[:number]) + records(rest) == records(whole)


def test_who_changed_what_is_one_operation(sandbox: Sandbox, customer: str) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    campaign, group, ad = (some(sandbox, customer, kind, 1)[0] for kind in ("campaigns", "ad_groups", "ads"))
    edit(sandbox, customer, campaign, name="Renamed", daily_budget=7_000_000, by="alice@example.com")
    edit(sandbox, customer, group, bid=5, by="bob@example.com")
    edit(sandbox, customer, ad, name="One", by="alice@example.com")
    sandbox.control("create", platform="google", account=customer, kind="campaigns", by="bob@example.com")
    client = google_client(sandbox, customer)

    told = list(client.changes_by(began, datetime.now(UTC) + timedelta(minutes=1)))

    assert client.calls == 1
    assert [(one.stream, one.external_id, one.fields, one.operation) for one in told[:4]] == [
        (Stream.CAMPAIGNS, campaign, ("name",), "changed"),
        (Stream.CAMPAIGNS, campaign, ("amount_micros",), "changed"),
        (Stream.AD_GROUPS, group, ("cpc_bid_micros",), "changed"),
        (Stream.ADS, ad, ("name",), "changed"),
    ]
    assert told[4].operation == "created"
    alice, bob = told[0].by, told[2].by
    assert [one.by for one in told] == [alice, alice, bob, alice, bob]
    assert alice != bob
    assert "example" not in repr(told)
    assert all(began < one.at < datetime.now(UTC) for one in told)


def test_only_the_changes_of_the_asked_time_are_told(sandbox: Sandbox, customer: str) -> None:
    (ad,) = some(sandbox, customer, "ads", 1)
    edit(sandbox, customer, ad, name="One")
    between = datetime.now(UTC)
    edit(sandbox, customer, ad, name="Two")
    client = google_client(sandbox, customer)

    assert len(list(client.changes_by(between - timedelta(minutes=1), between))) == 1
    assert len(list(client.changes_by(between, between + timedelta(minutes=1)))) == 1
