"""What only Google's client does: access tokens, streams that break, managers, and one operation a stream."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from providers.base import Grant, Selection
from providers.errors import (
    AccessDenied,
    InvalidRequest,
    LimitReached,
    PlatformFault,
    ReconnectNeeded,
    Scope,
    Unreachable,
)
from providers.records import CampaignRecord, EntityStatus, InsightSlice, Level, Stream
from providers.sandbox.accounts import MANAGER
from providers.sandbox.constants import GOOGLE_REFRESH_TOKEN, Platform
from providers.sandbox.process import Sandbox
from tests.integration.client_callers import (
    RecordingGate,
    google_client,
    google_config,
    ids,
    read,
    records,
)
from tests.integration.sandbox_callers import open_account


@dataclass
class Memory:
    """A token store that counts."""

    token: str | None = None
    saved: list[float] = field(default_factory=list)

    def load(self) -> str | None:
        return self.token

    def save(self, token: str, lifetime: float) -> None:
        self.token = token
        self.saved.append(lifetime)


@pytest.fixture
def small_chunks(sandbox: Sandbox) -> Sandbox:
    """Streams come in chunks of 30 rows, which divide no page."""
    sandbox.control("settings", google_chunk_rows=30)
    return sandbox


@pytest.mark.parametrize("stream", list(Stream))
def test_a_stream_is_one_operation_however_long(sandbox: Sandbox, customer: str, stream: Stream) -> None:
    client = google_client(sandbox, customer, page_size=7)

    read(client, stream)

    assert client.calls == 1


@pytest.mark.parametrize(("chunk", "page"), [(30, 50), (50, 50), (50, 30), (1000, 50), (1, 50), (200, 200)])
def test_pages_are_full_whatever_the_chunks(sandbox: Sandbox, customer: str, chunk: int, page: int) -> None:
    sandbox.control("settings", google_chunk_rows=chunk)

    pages = read(google_client(sandbox, customer, page_size=page), Stream.ADS)

    full, rest = divmod(200, page)
    assert [len(p.records) for p in pages] == [page] * full + [rest] * bool(rest)


def test_what_came_before_an_error_in_the_stream_is_kept(small_chunks: Sandbox, customer: str) -> None:
    small_chunks.fault("google", "stream_error", account=customer, parts=2)
    stream = google_client(small_chunks, customer).pages(Stream.ADS, selection=Selection())

    assert [len(next(stream).records), len(next(stream).records)] == [50, 10]
    with pytest.raises(PlatformFault):
        next(stream)


def test_a_stream_that_always_breaks_gets_to_its_end(small_chunks: Sandbox, customer: str) -> None:
    small_chunks.fault("google", "cut", account=customer, parts=2, times=None)
    got: list[str] = []
    for _ in range(20):
        cursor = got[-1] if got else None
        pages = google_client(small_chunks, customer).pages(Stream.ADS, selection=Selection(), cursor=cursor)
        with suppress(Unreachable):
            got.extend(external_id for page in pages for external_id in ids([page]))

    assert sorted(got) == sorted(small_chunks.truth("google", customer)["ads"])


def test_times_are_read_in_the_customers_zone(sandbox: Sandbox) -> None:
    account = open_account(sandbox, Platform.GOOGLE, campaigns=5, ad_groups=0, ads=0, time_zone="Asia/Tokyo")

    campaigns = records(read(google_client(sandbox, account, time_zone="Asia/Tokyo"), Stream.CAMPAIGNS))

    for record in campaigns:
        assert isinstance(record, CampaignRecord)
        assert record.starts_at is not None
        assert (record.starts_at.hour, record.starts_at.tzinfo) == (15, UTC)  # midnight in Tokyo


def test_a_zone_that_was_not_given_is_asked_for_once(sandbox: Sandbox) -> None:
    account = open_account(sandbox, Platform.GOOGLE, campaigns=5, ad_groups=5, ads=5, time_zone="Asia/Tokyo")
    client = google_client(sandbox, account, time_zone="")

    (campaign, *_) = records(read(client, Stream.CAMPAIGNS))
    read(client, Stream.CAMPAIGNS)
    read(client, Stream.ADS)

    assert isinstance(campaign, CampaignRecord)
    assert campaign.starts_at is not None
    assert campaign.starts_at.hour == 15
    assert client.calls == 4


def test_an_access_token_is_bought_once_and_shared(sandbox: Sandbox, customer: str) -> None:
    store = Memory()
    for _ in range(3):
        google_client(sandbox, customer, grant=Grant(GOOGLE_REFRESH_TOKEN, store)).account()

    assert store.saved == [3599.0]


def test_without_a_store_a_client_keeps_its_own(sandbox: Sandbox, customer: str) -> None:
    client = google_client(sandbox, customer)
    client.account()
    sandbox.control("tokens/expire", platform="google", token=GOOGLE_REFRESH_TOKEN)

    client.account()

    assert client.calls == 3  # the refused one, too; buying a token is no operation


def test_a_token_that_expired_is_renewed_at_once(sandbox: Sandbox, customer: str) -> None:
    store, gate = Memory(), RecordingGate()
    client = google_client(sandbox, customer, grant=Grant(GOOGLE_REFRESH_TOKEN, store), gate=gate)
    client.account()
    sandbox.control("tokens/expire", platform="google", token=GOOGLE_REFRESH_TOKEN)

    assert len(read(client, Stream.ADS)) == 4
    assert len(store.saved) == 2
    assert len(gate.settled) == len(gate.taken) == 3


@pytest.mark.parametrize("stored", ["ya29.unknown", "two words"])
def test_a_stored_token_that_is_none_is_replaced(sandbox: Sandbox, customer: str, stored: str) -> None:
    store = Memory(stored)

    google_client(sandbox, customer, grant=Grant(GOOGLE_REFRESH_TOKEN, store)).account()

    assert len(store.saved) == 1


def test_a_token_that_stays_expired_needs_a_new_grant(sandbox: Sandbox, customer: str) -> None:
    sandbox.fault("google", "token_expired", account=customer, times=None)
    client = google_client(sandbox, customer)

    with pytest.raises(ReconnectNeeded):
        client.account()

    assert client.calls == 2


def test_a_dead_refresh_token_needs_a_new_grant(sandbox: Sandbox, customer: str) -> None:
    client = google_client(sandbox, customer, grant=Grant("1//unknown"))

    with pytest.raises(ReconnectNeeded) as caught:
        client.account()

    assert caught.value.platform_code == "invalid_grant"
    assert "1//unknown" not in repr(caught.value)
    assert client.calls == 0


def test_a_wrong_client_secret_is_ours_to_mend(sandbox: Sandbox, customer: str) -> None:
    config = google_config(sandbox)
    wrong = type(config)(ads_url=config.ads_url, oauth_url=config.oauth_url, client_id="x", client_secret="y")

    with pytest.raises(InvalidRequest):
        google_client(sandbox, customer, config=wrong).account()


def test_a_version_that_has_ended_is_a_wrong_setting(sandbox: Sandbox, customer: str) -> None:
    config = google_config(sandbox, version="v20")

    with pytest.raises(InvalidRequest) as caught:
        google_client(sandbox, customer, config=config).account()

    assert caught.value.platform_code == "requestError.UNSUPPORTED_VERSION"


def test_without_its_manager_a_customer_can_not_be_read(sandbox: Sandbox, customer: str) -> None:
    with pytest.raises(AccessDenied):
        google_client(sandbox, customer, login="").account()


def test_a_direct_customer_needs_no_manager(sandbox: Sandbox) -> None:
    direct = open_account(sandbox, Platform.GOOGLE, campaigns=1, ad_groups=1, ads=1, direct=True)

    record = google_client(sandbox, direct, login="").account()

    assert (record.external_id, record.login_customer_id) == (direct, "")


def test_discovery_tells_through_whom_each_customer_is_reached(sandbox: Sandbox, customer: str) -> None:
    direct = open_account(sandbox, Platform.GOOGLE, campaigns=1, ad_groups=1, ads=1, direct=True)

    found = {record.external_id: record for record in google_client(sandbox).accounts()}

    assert found[MANAGER].is_manager
    assert (found[customer].login_customer_id, found[customer].is_manager) == (MANAGER, False)
    for record in found.values():
        if not record.is_manager and record.is_active:
            reached = google_client(sandbox, record.external_id, login=record.login_customer_id)
            assert reached.account().external_id == record.external_id
    assert direct in found


def test_a_closed_customer_stops_no_other(sandbox: Sandbox, customer: str) -> None:
    closed = open_account(sandbox, Platform.GOOGLE, direct=True, status="CANCELED")
    below = open_account(sandbox, Platform.GOOGLE, status="CANCELED")

    found = {record.external_id: record.is_active for record in google_client(sandbox).accounts()}

    assert found[customer]
    assert not found[below]
    assert not found.get(closed, False)


def test_a_closed_manager_stops_no_other(sandbox: Sandbox) -> None:
    direct = open_account(sandbox, Platform.GOOGLE, direct=True)
    sandbox.fault("google", "access_denied", account=MANAGER, name="CUSTOMER_NOT_ENABLED")

    assert direct in [record.external_id for record in google_client(sandbox).accounts()]


def test_a_project_without_operations_rests_as_a_whole(sandbox: Sandbox, customer: str) -> None:
    sandbox.fault("google", "rate_limit", account=customer, retry_after=40_591, scope="DEVELOPER")

    with pytest.raises(LimitReached) as caught:
        google_client(sandbox, customer).account()

    assert (caught.value.scope, caught.value.retry_after) == (Scope.APP, 40_591)


def test_too_many_queries_a_second_rest_for_moments(sandbox: Sandbox, customer: str) -> None:
    sandbox.fault("google", "rate_limit", account=customer, name="RESOURCE_TEMPORARILY_EXHAUSTED")

    with pytest.raises(LimitReached) as caught:
        google_client(sandbox, customer).account()

    assert caught.value.retry_after == 30


@pytest.mark.parametrize("stream", list(Stream))
def test_words_that_this_version_does_not_know_cost_no_row(
    sandbox: Sandbox, customer: str, stream: Stream
) -> None:
    known = {record.external_id: record for record in records(read(google_client(sandbox, customer), stream))}
    sandbox.fault("google", "unknown_words", account=customer)

    found = records(read(google_client(sandbox, customer), stream))

    assert [record.external_id for record in found] == list(known)
    assert {(record.status, record.platform_status) for record in found} == {
        (EntityStatus.UNKNOWN, "UNKNOWN")
    }
    assert all(record.name == known[record.external_id].name for record in found)


@pytest.mark.parametrize("stream", list(Stream))
def test_keys_that_nobody_asked_for_change_nothing(sandbox: Sandbox, customer: str, stream: Stream) -> None:
    known = records(read(google_client(sandbox, customer), stream))
    sandbox.fault("google", "unknown_keys", account=customer)

    found = records(read(google_client(sandbox, customer), stream))

    assert [record._replace(raw={}) for record in found] == [record._replace(raw={}) for record in known]


def test_metrics_with_unknown_words_and_keys_are_the_same(sandbox: Sandbox, customer: str) -> None:
    last = datetime.now(UTC).date() - timedelta(days=31)  # of what is not restated any more
    slice = InsightSlice(Level.CAMPAIGN, last - timedelta(days=6), last)
    known = list(google_client(sandbox, customer).insights(slice))
    for kind in ("unknown_words", "unknown_keys"):
        sandbox.fault("google", kind, account=customer)

        assert list(google_client(sandbox, customer).insights(slice)) == known
    assert known[0].records


def test_changes_of_unknown_types_are_told_by_their_names(sandbox: Sandbox, customer: str) -> None:
    told = sandbox.control("random-edits", platform="google", account=customer, count=30, seed=3)["edited"]
    sandbox.fault("google", "unknown_words", account=customer)
    zone = next(one["time_zone"] for one in sandbox.ask("accounts")["accounts"] if one["id"] == customer)

    client = google_client(sandbox, customer, time_zone=zone)
    selection = client.changed(datetime.now(UTC) - timedelta(minutes=1))

    assert selection is not None
    assert [*selection.ad_group_ids, *selection.ad_ids] == sorted(told["ad_groups"]) + sorted(told["ads"])
    assert list(selection.campaign_ids) == sorted(told["campaigns"])


def test_a_listing_of_nothing_is_an_empty_account(sandbox: Sandbox, customer: str) -> None:
    sandbox.fault("google", "wrong_json", account=customer, text="[]")

    assert [page.records for page in read(google_client(sandbox, customer), Stream.ADS)] == [[]]
