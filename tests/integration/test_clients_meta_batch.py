"""What is short is read together: one round trip, a call for each, each with its own answer."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from providers.base import Selection
from providers.errors import (
    AccessDenied,
    BudgetSpent,
    LimitReached,
    PlatformFault,
    ProviderError,
    Unreachable,
)
from providers.meta.client import MetaClient
from providers.records import Stream
from providers.sandbox.constants import Platform
from providers.sandbox.process import Sandbox
from tests.integration.client_callers import RecordingGate, ids, meta_client
from tests.integration.sandbox_callers import open_account

pytest_plugins = "tests.integration.sandbox_fixtures"

SINCE = Selection(since=datetime(2026, 6, 1, tzinfo=UTC))
COUNTED = ("campaigns", "adsets", "ads")


@dataclass
class SmallGate(RecordingGate):
    """Lets so many calls pass."""

    left: int = 1

    def take(self, use_case: str = "") -> str:
        if not self.left:
            raise BudgetSpent("no more", retry_at=0)
        self.left -= 1
        return super().take(use_case)


@pytest.fixture
def gate() -> RecordingGate:
    return RecordingGate()


@pytest.fixture
def client(sandbox: Sandbox, ad_account: str, gate: RecordingGate) -> MetaClient:
    return meta_client(sandbox, ad_account, gate=gate, page_size=500)


@pytest.fixture
def few(sandbox: Sandbox, ad_account: str) -> Selection:
    """Two of each kind."""
    truth = sandbox.truth("meta", ad_account)
    campaigns, groups, ads = (tuple(sorted(truth[stream])[:2]) for stream in Stream)
    return Selection(campaigns, groups, ads, with_children=False)


def read(client: MetaClient, selection: Selection) -> list[list[str]]:
    return [sorted(ids(client.pages(stream, selection=selection))) for stream in Stream]


def chosen(selection: Selection) -> list[list[str]]:
    return [list(selection.campaign_ids), list(selection.ad_group_ids), list(selection.ad_ids)]


def trips(sandbox: Sandbox) -> int:
    """Round trips that were batches."""
    (rule,) = sandbox.ask("faults")["faults"]
    return int(rule["seen"])


@pytest.fixture
def watched(sandbox: Sandbox) -> Sandbox:
    """A rule that counts batches and strikes none."""
    sandbox.fault("meta", "slow", endpoint="batch", seconds=0, times=0)
    return sandbox


def test_chosen_ids_of_all_kinds_are_one_round_trip_and_a_call_each(
    watched: Sandbox, ad_account: str, client: MetaClient, few: Selection, gate: RecordingGate
) -> None:
    assert read(client, few) == chosen(few)

    (counted,) = watched.calls(platform="meta", account=ad_account)["subjects"].values()
    assert trips(watched) == 1
    assert counted["endpoints"] == dict.fromkeys(COUNTED, 1)
    assert client.calls == len(gate.taken) == len(gate.settled) == 3
    assert gate.use_cases == ["ads_management"] * 3


def test_an_idle_tick_is_one_round_trip(watched: Sandbox, client: MetaClient) -> None:
    nothing = client.changed(datetime.now(UTC) + timedelta(hours=1))

    assert read(client, nothing) == [[], [], []]
    assert (trips(watched), client.calls) == (1, 3)


def test_a_tick_with_changes_gives_what_single_calls_give(sandbox: Sandbox, client: MetaClient) -> None:
    sandbox.fault("meta", "platform_error", endpoint="batch", code=960, times=None)
    singly = read(client, SINCE)
    sandbox.reset()

    assert read(client, SINCE) == singly
    assert all(singly)


def test_pages_after_the_first_are_read_by_themselves(
    sandbox: Sandbox, ad_account: str, client: MetaClient
) -> None:
    small = meta_client(sandbox, ad_account, page_size=20)

    assert read(small, SINCE) == read(client, SINCE)
    assert small.calls > 6


def test_more_ids_than_a_batch_holds_are_several(watched: Sandbox) -> None:
    account = open_account(watched, Platform.META, campaigns=3, ad_groups=5, ads=2_600)
    ads = tuple(watched.truth("meta", account)["ads"])
    client = meta_client(watched, account)

    found = ids(client.pages(Stream.ADS, selection=Selection(ad_ids=ads, with_children=False)))

    assert sorted(found) == sorted(ads)
    assert (trips(watched), client.calls) == (2, 52)


def test_a_whole_account_is_read_page_by_page(watched: Sandbox, client: MetaClient) -> None:
    read(client, Selection())

    assert trips(watched) == 0


def test_what_is_below_chosen_campaigns_is_read_by_itself(
    watched: Sandbox, ad_account: str, client: MetaClient
) -> None:
    campaigns = tuple(watched.truth("meta", ad_account)["campaigns"])

    read(client, Selection(campaigns))

    assert (trips(watched), client.calls) == (0, 3)


@pytest.mark.parametrize("null", ["campaigns", "adsets", "ads"])
def test_a_read_that_was_not_answered_is_asked_again(
    sandbox: Sandbox, ad_account: str, client: MetaClient, few: Selection, gate: RecordingGate, null: str
) -> None:
    sandbox.fault("meta", "cut", account=ad_account, endpoint=null)

    assert read(client, few) == chosen(few)
    assert client.calls == len(gate.settled) == 4


def test_what_the_budget_allows_goes_at_once_and_the_rest_later(
    sandbox: Sandbox, ad_account: str, few: Selection
) -> None:
    gate = SmallGate(left=2)
    client = meta_client(sandbox, ad_account, gate=gate)
    campaigns, groups = (
        ids(client.pages(stream, selection=few)) for stream in (Stream.CAMPAIGNS, Stream.AD_GROUPS)
    )

    with pytest.raises(BudgetSpent):
        list(client.pages(Stream.ADS, selection=few))

    assert [sorted(campaigns), sorted(groups)] == chosen(few)[:2]
    assert client.calls == len(gate.taken) == len(gate.settled) == 2


@pytest.mark.parametrize(
    ("kind", "details", "expected"),
    [
        ("rate_limit", {"code": 80004, "minutes": 7}, LimitReached),
        ("access_denied", {"times": 1}, AccessDenied),
        ("server_error", {}, PlatformFault),
        ("html", {}, Unreachable),
    ],
)
def test_an_error_is_that_of_one_read_and_of_no_other(
    sandbox: Sandbox,
    ad_account: str,
    client: MetaClient,
    few: Selection,
    gate: RecordingGate,
    kind: str,
    details: dict[str, Any],
    expected: type[ProviderError],
) -> None:
    sandbox.fault("meta", kind, account=ad_account, endpoint="adsets", **details)

    assert sorted(ids(client.pages(Stream.CAMPAIGNS, selection=few))) == list(few.campaign_ids)
    with pytest.raises(expected):
        list(client.pages(Stream.AD_GROUPS, selection=few))
    assert sorted(ids(client.pages(Stream.ADS, selection=few))) == list(few.ad_ids)
    assert client.calls == 3
    assert [gate.settled[ticket].failed for ticket in gate.taken] == [False, True, False]


@pytest.mark.parametrize(("form", "told"), [("lower", True), ("missing", False)])
def test_usage_is_read_from_each_answers_headers_whatever_their_case(
    sandbox: Sandbox,
    ad_account: str,
    client: MetaClient,
    few: Selection,
    gate: RecordingGate,
    form: str,
    told: bool,
) -> None:
    sandbox.fault("meta", "odd_headers", account=ad_account, endpoint="ads", form=form)
    sandbox.fault("meta", "usage", account=ad_account, endpoint="ads", percent=91, whose="account")

    assert read(client, few) == chosen(few)

    percents = [gate.settled[ticket].percent for ticket in gate.taken]
    assert percents[2] == (91 if told else None)
    assert 91 not in percents[:2]


def test_a_batch_that_takes_too_long_is_asked_for_in_smaller_ones(
    sandbox: Sandbox, client: MetaClient, few: Selection
) -> None:
    sandbox.fault("meta", "platform_error", endpoint="batch", code=960)

    assert read(client, few) == chosen(few)


@pytest.mark.parametrize(
    ("kind", "details", "expected"),
    [
        ("server_error", {}, PlatformFault),
        ("html", {}, Unreachable),
        ("truncated", {}, Unreachable),
        ("wrong_json", {"text": '{"data":[]}'}, Unreachable),
        ("wrong_json", {"text": "[1]"}, PlatformFault),
    ],
)
def test_a_batch_that_fails_as_a_whole_fails_every_read_of_it(
    sandbox: Sandbox,
    client: MetaClient,
    few: Selection,
    gate: RecordingGate,
    kind: str,
    details: dict[str, Any],
    expected: type[ProviderError],
) -> None:
    sandbox.fault("meta", kind, endpoint="batch", **details)

    with pytest.raises(expected):
        list(client.pages(Stream.CAMPAIGNS, selection=few))

    assert len(gate.taken) == len(gate.settled) == 3
    assert read(client, few) == chosen(few)  # nothing stays of it


def test_a_batch_that_answers_less_is_asked_again_for_the_rest(
    sandbox: Sandbox, client: MetaClient, few: Selection
) -> None:
    sandbox.fault("meta", "wrong_json", endpoint="batch", text="[]")

    assert read(client, few) == chosen(few)
