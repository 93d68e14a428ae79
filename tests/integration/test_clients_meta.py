"""What only Meta's client does: pages that shrink, slices, the app's proof, usage headers, its tokens."""

import time

import pytest

from providers.base import AdAccountRef, Grant, Selection
from providers.errors import (
    CursorExpired,
    InvalidRequest,
    LimitReached,
    PlatformFault,
    ReconnectNeeded,
    TooMuchData,
)
from providers.meta.client import MetaClient
from providers.meta.oauth import extend
from providers.records import AdGroupRecord, CampaignRecord, Stream
from providers.registry import MetaConfig
from providers.sandbox.constants import META_TOKEN, Platform
from providers.sandbox.process import Sandbox
from providers.session import Session
from tests.integration.client_callers import RecordingGate, ids, meta_client, meta_config, read, records
from tests.integration.sandbox_callers import open_account


def test_a_stream_ends_without_a_call_for_an_empty_page(sandbox: Sandbox, ad_account: str) -> None:
    client = meta_client(sandbox, ad_account, page_size=100)

    assert [len(page.records) for page in read(client, Stream.ADS)] == [100, 100]
    assert client.calls == 2


def test_the_first_page_tells_how_many_are_expected(sandbox: Sandbox, ad_account: str) -> None:
    pages = read(meta_client(sandbox, ad_account), Stream.ADS)

    assert [page.expected_total for page in pages] == [200, None, None, None]


def test_a_page_that_is_too_heavy_is_halved_until_it_is_not(sandbox: Sandbox, ad_account: str) -> None:
    sandbox.fault("meta", "too_much_data", account=ad_account, rows=60)
    gate = RecordingGate()
    client = meta_client(sandbox, ad_account, page_size=200, gate=gate)

    pages = read(client, Stream.ADS)

    assert [len(page.records) for page in pages] == [50, 50, 50, 50]
    assert client.calls == 6  # two were refused, and the learnt size stayed
    assert len(gate.settled) == 6


def test_no_page_is_smaller_than_the_floor(sandbox: Sandbox, ad_account: str) -> None:
    sandbox.fault("meta", "too_much_data", account=ad_account, rows=5)
    client = meta_client(sandbox, ad_account, page_size=200)

    with pytest.raises(TooMuchData):
        read(client, Stream.ADS)

    assert client.calls == 4  # 200, 100, 50, 25


def test_a_call_limit_shrinks_no_page(sandbox: Sandbox, ad_account: str) -> None:
    sandbox.fault("meta", "rate_limit", account=ad_account, code=80004)
    client = meta_client(sandbox, ad_account, page_size=200)

    with pytest.raises(LimitReached):
        read(client, Stream.ADS)

    assert client.calls == 1
    assert len(read(client, Stream.ADS)) == 1


def test_an_empty_page_in_the_middle_is_not_the_end(sandbox: Sandbox, ad_account: str) -> None:
    sandbox.fault("meta", "hide_rows", account=ad_account, rows=50, after_calls=1)

    pages = read(meta_client(sandbox, ad_account), Stream.ADS)

    assert [len(page.records) for page in pages] == [50, 0, 50, 50]


def test_an_expired_cursor_says_so(sandbox: Sandbox, ad_account: str) -> None:
    sandbox.fault("meta", "expired_cursor", account=ad_account)
    client = meta_client(sandbox, ad_account)

    with pytest.raises(CursorExpired):
        read(client, Stream.ADS)


def test_a_cursor_that_was_stored_for_too_long_has_expired(sandbox: Sandbox, ad_account: str) -> None:
    sandbox.control("settings", meta_cursor_seconds=1)
    try:
        stream = meta_client(sandbox, ad_account).pages(Stream.ADS, selection=Selection())
        cursor = next(stream).cursor
        assert next(stream).records
        time.sleep(1.1)
        with pytest.raises(CursorExpired):
            read(meta_client(sandbox, ad_account), Stream.ADS, cursor=cursor)
    finally:
        sandbox.control("settings", meta_cursor_seconds=0)


def test_rows_times_fields_decide_what_is_too_heavy(sandbox: Sandbox, ad_account: str) -> None:
    sandbox.fault("meta", "too_much_data", account=ad_account, cells=600)  # ads are asked for nine fields
    client = meta_client(sandbox, ad_account, page_size=200)

    pages = read(client, Stream.ADS)

    assert [len(page.records) for page in pages] == [50] * 4
    assert client.calls == 6


@pytest.mark.parametrize("cursor", ["0:not-a-cursor", "7:QVFI", "nonsense"])
def test_a_cursor_that_can_not_be_continued_has_expired(
    sandbox: Sandbox, ad_account: str, cursor: str
) -> None:
    with pytest.raises(CursorExpired):
        read(meta_client(sandbox, ad_account), Stream.ADS, cursor=cursor)


@pytest.mark.parametrize("subcode", [458, 459, 460, 463, 464, 467, 492])
def test_a_token_that_ends_between_two_pages_needs_a_new_grant(
    sandbox: Sandbox, ad_account: str, subcode: int
) -> None:
    token = sandbox.control("tokens", platform="meta")["token"]
    stream = meta_client(sandbox, ad_account, token=token).pages(Stream.ADS, selection=Selection())
    next(stream)
    sandbox.control("tokens/revoke", platform="meta", token=token, subcode=subcode)

    with pytest.raises(ReconnectNeeded) as caught:
        next(stream)

    assert caught.value.platform_code == f"190/{subcode}"


def test_more_campaigns_than_fit_one_call_are_read_in_slices(sandbox: Sandbox) -> None:
    account = open_account(sandbox, Platform.META, campaigns=120, ad_groups=130, ads=140)
    chosen = sorted(sandbox.truth("meta", account)["campaigns"])[5:118]
    client = meta_client(sandbox, account)

    pages = read(client, Stream.CAMPAIGNS, campaigns=chosen)

    assert sorted(ids(pages)) == chosen
    assert client.calls == 3
    assert {page.expected_total for page in pages} == {None}  # no slice knows the whole
    assert ids(read(client, Stream.CAMPAIGNS, campaigns=chosen, cursor=pages[0].cursor)) == ids(pages[1:])


def test_the_proof_of_the_app_goes_with_every_call(sandbox: Sandbox, ad_account: str) -> None:
    sandbox.control("settings", require_appsecret_proof=True)
    try:
        assert len(read(meta_client(sandbox, ad_account), Stream.ADS)) == 4
    finally:
        sandbox.control("settings", require_appsecret_proof=False)


def test_without_an_app_secret_no_proof_is_sent(sandbox: Sandbox, ad_account: str) -> None:
    config = MetaConfig(graph_url=sandbox.urls["META_GRAPH_URL"])
    client = MetaClient(
        config, Grant(META_TOKEN), AdAccountRef(ad_account), gate=RecordingGate(), session=Session()
    )

    assert client.account().external_id == ad_account


def test_a_version_that_has_ended_is_a_wrong_setting(sandbox: Sandbox, ad_account: str) -> None:
    config = MetaConfig(graph_url=sandbox.urls["META_GRAPH_URL"], version="v19.0")
    client = MetaClient(
        config, Grant(META_TOKEN), AdAccountRef(ad_account), gate=RecordingGate(), session=Session()
    )

    with pytest.raises(InvalidRequest):
        client.account()


def test_the_yen_has_no_hundredths(sandbox: Sandbox) -> None:
    account = open_account(sandbox, Platform.META, campaigns=10, ad_groups=1, ads=1, currency="JPY")
    truth = sandbox.truth("meta", account)["campaigns"]

    for record in records(read(meta_client(sandbox, account, currency="JPY"), Stream.CAMPAIGNS)):
        assert isinstance(record, CampaignRecord)
        told = truth[record.external_id]["daily_budget"]
        assert record.daily_budget_micros == (None if told is None else told * 1_000_000)


def test_a_currency_that_was_not_given_is_asked_for_once(sandbox: Sandbox) -> None:
    account = open_account(sandbox, Platform.META, campaigns=1, ad_groups=10, ads=1, currency="JPY")
    truth = sandbox.truth("meta", account)["ad_groups"]
    client = meta_client(sandbox, account, currency="")

    groups = records(read(client, Stream.AD_GROUPS))
    read(client, Stream.ADS)

    assert client.calls == 3
    for record in groups:
        assert isinstance(record, AdGroupRecord)
        told = truth[record.external_id]["daily_budget"]
        assert record.daily_budget_micros == (None if told is None else told * 1_000_000)


def test_the_gate_hears_the_usage_of_a_good_answer(sandbox: Sandbox, ad_account: str) -> None:
    sandbox.control("limits", platform="meta", account=[[10, 60]], only=ad_account)
    gate = RecordingGate()

    meta_client(sandbox, ad_account, gate=gate).account()

    assert gate.last.percent == pytest.approx(10, abs=1)
    assert gate.last.regain_after is None


def test_the_gate_hears_the_usage_of_a_refusal(sandbox: Sandbox, ad_account: str) -> None:
    sandbox.fault("meta", "rate_limit", account=ad_account, code=80004, minutes=17)
    gate = RecordingGate()

    with pytest.raises(LimitReached) as caught:
        meta_client(sandbox, ad_account, gate=gate).account()

    assert gate.last.percent is not None
    assert gate.last.percent > 100
    assert gate.last.regain_after == caught.value.retry_after == 17 * 60
    assert gate.last.failed


def test_calls_of_an_ad_account_name_their_use_case_and_a_listing_has_none(
    sandbox: Sandbox, ad_account: str
) -> None:
    gate = RecordingGate()
    client = meta_client(sandbox, ad_account, gate=gate)

    client.account()
    read(client, Stream.CAMPAIGNS)
    client.fetch(Stream.ADS, ["1"])
    list(client.accounts())

    assert gate.use_cases == ["ads_management"] * 3 + [""]


def test_more_accounts_than_fit_one_page_are_all_found(sandbox: Sandbox) -> None:
    sandbox.control("accounts", platform="meta", count=130, campaigns=0, ad_groups=0, ads=0)
    client = meta_client(sandbox)

    found = [record.external_id for record in client.accounts()]

    assert len(found) == len(set(found)) > 130
    assert client.calls == 2


def test_a_token_is_exchanged_for_one_that_lasts(sandbox: Sandbox, ad_account: str) -> None:
    token = sandbox.control("tokens", platform="meta", lifetime=3600)["token"]

    longer = extend(meta_config(sandbox), Session(), token)

    assert longer.lifetime == 60 * 86_400
    assert longer.token != token
    assert meta_client(sandbox, ad_account, token=longer.token).account().external_id == ad_account


def test_a_token_that_has_ended_is_not_exchanged(sandbox: Sandbox) -> None:
    token = sandbox.control("tokens", platform="meta")["token"]
    sandbox.control("tokens/expire", platform="meta", token=token)

    with pytest.raises(ReconnectNeeded):
        extend(meta_config(sandbox), Session(), token)


def test_a_wrong_app_is_told_from_a_lost_token(sandbox: Sandbox) -> None:
    config = MetaConfig(graph_url=sandbox.urls["META_GRAPH_URL"], app_id="1", app_secret="x")

    with pytest.raises((InvalidRequest, PlatformFault)):
        extend(config, Session(), META_TOKEN)
