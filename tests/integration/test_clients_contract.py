"""What both clients promise, held against both platforms' truth: the same tests for each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from providers.base import Client, Grant, Selection
from providers.errors import (
    AccessDenied,
    InvalidRequest,
    LimitReached,
    PlatformFault,
    ProviderError,
    ReconnectNeeded,
    Scope,
    UnknownError,
    Unreachable,
)
from providers.records import CampaignRecord, EntityStatus, InsightSlice, Level, Stream
from providers.sandbox.constants import Platform
from providers.sandbox.process import Sandbox
from tests.integration.client_callers import RecordingGate, google_client, ids, meta_client, read, records
from tests.integration.sandbox_callers import open_account

STREAMS = list(Stream)


@dataclass
class Case:
    """One platform's ad account of 10 campaigns, 40 ad groups and 200 ads, and how to read it."""

    platform: Platform
    account: str
    sandbox: Sandbox
    gate: RecordingGate
    opener: Callable[..., Client]

    @property
    def client(self) -> Client:
        """A new one, as after a restart."""
        return self.opener(self.sandbox, self.account, gate=self.gate)

    def truth(self, stream: Stream) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.sandbox.truth(self.platform, self.account)[stream]
        return found

    def fault(self, kind: str, **details: Any) -> None:
        self.sandbox.fault(self.platform, kind, account=self.account, **details)


@pytest.fixture(params=list(Platform))
def case(request: pytest.FixtureRequest, sandbox: Sandbox) -> Case:
    platform: Platform = request.param
    sandbox.control("settings", google_chunk_rows=30)
    sizes = {"campaigns": 10, "ad_groups": 40, "ads": 200}
    account = open_account(sandbox, platform, **sizes, currency="USD", time_zone="Europe/Berlin")
    opener = meta_client if platform == Platform.META else google_client
    return Case(platform, account, sandbox, RecordingGate(), opener)


@pytest.mark.parametrize("stream", STREAMS)
def test_every_entity_of_the_platform_arrives_once(case: Case, stream: Stream) -> None:
    assert sorted(ids(read(case.client, stream))) == sorted(case.truth(stream))


@pytest.mark.parametrize("stream", STREAMS)
def test_names_statuses_and_parents_are_the_platforms(case: Case, stream: Stream) -> None:
    normal = {
        "ENABLED": EntityStatus.ACTIVE,
        "ACTIVE": EntityStatus.ACTIVE,
        "PAUSED": EntityStatus.PAUSED,
        "ARCHIVED": EntityStatus.ARCHIVED,
        "DELETED": EntityStatus.REMOVED,
        "REMOVED": EntityStatus.REMOVED,
    }
    truth = case.truth(stream)

    for record in records(read(case.client, stream)):
        told = truth[record.external_id]
        gone = told.get("effective_status") in ("ARCHIVED", "DELETED")
        assert record.name == told["name"]
        assert record.status is normal[told["effective_status"] if gone else told["status"]]
        assert getattr(record, "campaign_external_id", None) == told.get("campaign_id")
        assert getattr(record, "ad_group_external_id", None) == told.get("ad_group_id")


def test_removed_entities_are_read_like_all_others(case: Case) -> None:
    statuses = {record.status for record in records(read(case.client, Stream.ADS))}

    assert EntityStatus.REMOVED in statuses
    assert EntityStatus.ACTIVE in statuses


def test_budgets_are_micros_of_the_currency(case: Case) -> None:
    per_unit = 10_000 if case.platform == Platform.META else 1
    truth = case.truth(Stream.CAMPAIGNS)

    for record in records(read(case.client, Stream.CAMPAIGNS)):
        assert isinstance(record, CampaignRecord)
        told = truth[record.external_id]["daily_budget"]
        assert record.daily_budget_micros == (None if told is None else told * per_unit)


@pytest.mark.parametrize("stream", STREAMS)
def test_reading_on_from_any_cursor_gives_exactly_the_rest(case: Case, stream: Stream) -> None:
    pages = read(case.client, stream)
    whole = ids(pages)

    for number, page in enumerate(pages[:-1], start=1):
        assert page.cursor is not None
        before = ids(pages[:number])
        assert before + ids(read(case.client, stream, cursor=page.cursor)) == whole


def test_only_the_last_page_has_no_cursor(case: Case) -> None:
    pages = read(case.client, Stream.ADS)

    assert len(pages) == 4
    assert [page.cursor is None for page in pages] == [False, False, False, True]


def test_a_selection_of_campaigns_reads_them_and_what_is_below_them(case: Case) -> None:
    chosen = sorted(case.truth(Stream.CAMPAIGNS))[:3]
    below = [ad for ad, told in case.truth(Stream.ADS).items() if told["campaign_id"] in chosen]

    assert sorted(ids(read(case.client, Stream.CAMPAIGNS, campaigns=chosen))) == chosen
    assert sorted(ids(read(case.client, Stream.ADS, campaigns=chosen))) == sorted(below)


def test_a_selection_reads_on_from_its_cursors(case: Case) -> None:
    chosen = sorted(case.truth(Stream.CAMPAIGNS))[:8]
    pages = read(case.client, Stream.ADS, campaigns=chosen)

    for number, page in enumerate(pages[:-1], start=1):
        rest = read(case.client, Stream.ADS, campaigns=chosen, cursor=page.cursor)
        assert ids(pages[:number]) + ids(rest) == ids(pages)


def test_what_changed_is_read_alone(case: Case) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    edited = {stream: min(case.truth(stream)) for stream in Stream}
    for external_id in edited.values():
        case.sandbox.control(
            "edit", platform=case.platform, account=case.account, id=external_id, name="Edited"
        )

    selection = case.client.changed(before)

    assert selection is not None
    for stream, external_id in edited.items():
        (record,) = records(list(case.client.pages(stream, selection=selection)))
        assert (record.external_id, record.name) == (external_id, "Edited")


def test_where_nothing_changed_nothing_is_read(case: Case) -> None:
    selection = case.client.changed(datetime.now(UTC))

    assert selection is not None
    for stream in Stream:
        assert [page.records for page in case.client.pages(stream, selection=selection)] == [[]]


LAST = datetime.now(UTC).date() - timedelta(days=31)  # of what is not restated any more
WEEK = (LAST - timedelta(days=6), LAST)


@pytest.mark.parametrize("level", list(Level))
def test_metrics_are_the_platforms_once_each_from_any_cursor(case: Case, level: Level) -> None:
    slice = InsightSlice(level, *WEEK)
    pages = list(case.client.insights(slice))
    whole = [record for page in pages for record in page.records]
    told = case.sandbox.insights(case.platform, case.account, level, *map(str, WEEK))
    in_micros = {Platform.META: ("spend", 10_000), Platform.GOOGLE: ("cost_micros", 1)}
    name, micros = in_micros[case.platform]

    keys = [(record.day, record.external_id) for record in whole]
    assert len(set(keys)) == len(keys) > 0
    assert sum(record.spend_micros for record in whole) == micros * sum(row[name] for row in told)
    assert sum(record.impressions for record in whole) == sum(row["impressions"] for row in told)
    assert {record.currency for record in whole} == {"EUR" if case.platform == Platform.GOOGLE else "USD"}
    for number, page in enumerate(pages[:-1], start=1):
        rest = [one for some in case.client.insights(slice, cursor=page.cursor) for one in some.records]
        assert [one for some in pages[:number] for one in some.records] + rest == whole


def test_an_empty_account_is_one_empty_page(case: Case) -> None:
    empty = open_account(case.sandbox, case.platform, campaigns=0, ad_groups=0, ads=0)

    pages = list(case.opener(case.sandbox, empty).pages(Stream.ADS, selection=Selection()))

    assert [(page.records, page.cursor) for page in pages] == [([], None)]


@pytest.mark.parametrize("stream", STREAMS)
def test_the_second_look_knows_what_exists_removed_or_not(case: Case, stream: Stream) -> None:
    there = sorted(case.truth(stream))
    vanished = there[len(there) // 2]
    case.sandbox.control("remove", platform=case.platform, account=case.account, id=vanished, vanish=True)
    left = sorted(case.truth(stream))

    assert vanished not in left
    assert sorted(case.client.fetch(stream, there)) == left
    assert case.client.fetch(stream, [vanished]) == []
    assert case.client.fetch(stream, []) == []


def test_the_account_is_described(case: Case) -> None:
    record = case.client.account()

    assert record.external_id == case.account
    assert (record.currency, record.time_zone) == ("USD", "Europe/Berlin")
    assert record.is_active
    assert not record.is_manager


def test_discovery_finds_every_account_once(case: Case) -> None:
    prefix = "act_" if case.platform == Platform.META else ""
    known = [
        prefix + told["id"]
        for told in case.sandbox.ask("accounts")["accounts"]
        if told["platform"] == case.platform
    ]

    assert sorted(record.external_id for record in case.client.accounts()) == sorted(known)


def test_every_call_goes_through_the_gate_and_is_counted(case: Case) -> None:
    client = case.client

    list(client.pages(Stream.ADS, selection=Selection()))

    ((subject, report),) = case.sandbox.calls(platform=case.platform, account=case.account)[
        "subjects"
    ].items()
    assert subject.startswith(case.platform)
    assert client.calls == len(case.gate.taken) == len(case.gate.settled) == report["calls"]


REFUSALS: list[tuple[str, dict[str, Any], type[ProviderError]]] = [
    ("rate_limit", {}, LimitReached),
    ("server_error", {"status": 500}, PlatformFault),
    ("server_error", {"status": 503}, PlatformFault),
    ("html", {"status": 502}, Unreachable),
    ("html", {"status": 200}, Unreachable),
    ("cut", {}, Unreachable),
    ("cut", {"parts": 1}, Unreachable),
    ("cut", {"headers": True}, Unreachable),
    ("truncated", {}, Unreachable),
    ("wrong_length", {}, Unreachable),
    ("empty", {}, Unreachable),
    ("wrong_json", {"text": "Service Unavailable"}, Unreachable),
    ("wrong_json", {"text": '[{"unexpected": true}]'}, Unreachable),
    ("redirect", {}, InvalidRequest),
    ("unknown_error", {}, UnknownError),
    ("access_denied", {}, AccessDenied),
    (
        "platform_error",
        {"code": 987654, "family": "somethingNew", "name": "NEW", "status": 400},
        UnknownError,
    ),
]


@pytest.mark.parametrize(("kind", "details", "expected"), REFUSALS)
def test_a_fault_becomes_the_error_that_names_what_to_do(
    case: Case, kind: str, details: dict[str, Any], expected: type[ProviderError]
) -> None:
    case.fault(kind, times=1, **details)
    client = case.client

    with pytest.raises(expected) as caught:
        list(client.pages(Stream.ADS, selection=Selection()))

    assert type(caught.value) is expected
    assert client.calls == len(case.gate.settled)


@pytest.mark.parametrize(("kind", "details", "expected"), REFUSALS)
def test_after_a_fault_in_the_middle_the_cursor_still_leads_to_the_whole(
    case: Case, kind: str, details: dict[str, Any], expected: type[ProviderError]
) -> None:
    got: list[str] = []
    cursor: str | None = None
    for times_left in (1, 0):
        if times_left:
            case.fault(kind, times=1, after_calls=1 if case.platform == Platform.META else 0, **details)
        try:
            for page in case.client.pages(Stream.ADS, selection=Selection(), cursor=cursor):
                got += [record.external_id for record in page.records]
                cursor = page.cursor
        except expected:
            assert times_left

    assert sorted(got) == sorted(case.truth(Stream.ADS))


def test_a_lost_grant_asks_for_a_new_one(case: Case) -> None:
    token = case.sandbox.control("tokens", platform=case.platform)["token"]
    case.sandbox.control("tokens/revoke", platform=case.platform, token=token, subcode=460)
    client = _with_token(case, token)

    with pytest.raises(ReconnectNeeded) as caught:
        list(client.pages(Stream.ADS, selection=Selection()))

    assert token not in repr(caught.value)


def _with_token(case: Case, token: str) -> Client:
    if case.platform == Platform.META:
        return meta_client(case.sandbox, case.account, token=token)
    return google_client(case.sandbox, case.account, grant=Grant(token))


def test_a_limit_of_the_ad_account_rests_only_that(case: Case) -> None:
    case.fault("rate_limit", minutes=7, retry_after=420)

    with pytest.raises(LimitReached) as caught:
        case.client.account()

    assert (caught.value.scope, caught.value.retry_after) == (Scope.AD_ACCOUNT, 420)
    assert caught.value.trace_id


def test_a_limit_of_the_whole_app_says_so(case: Case) -> None:
    case.fault("rate_limit", code=4, retry_after=40_591, scope="DEVELOPER")

    with pytest.raises(LimitReached) as caught:
        case.client.account()

    assert caught.value.scope is Scope.APP
