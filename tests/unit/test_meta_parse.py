"""Meta's objects become the same records as any platform's."""

from datetime import UTC, datetime
from typing import Any

import pytest

from providers.meta.parse import account_record, micros_per_minor, records_of
from providers.records import AdGroupRecord, AdRecord, CampaignRecord, EntityStatus, Stream

CAMPAIGN: dict[str, Any] = {
    "id": "23856469955990536",
    "name": "Évergreen | DE",
    "status": "ACTIVE",
    "effective_status": "WITH_ISSUES",
    "objective": "OUTCOME_SALES",
    "bid_strategy": "COST_CAP",
    "daily_budget": "5025",
    "start_time": "2024-03-12T15:02:47-0700",
    "stop_time": "2024-12-31T23:59:59+0530",
    "created_time": "2024-03-01T00:00:00+0000",
    "updated_time": "2024-03-12T15:02:48-0700",
}
AD_SET: dict[str, Any] = {
    "id": "2",
    "campaign_id": "1",
    "name": "Broad",
    "status": "PAUSED",
    "effective_status": "PAUSED",
    "bid_amount": 150,
    "lifetime_budget": "90000",
    "daily_budget": "0",
    "end_time": "2024-03-12T15:02:47-0700",
    "created_time": "2024-03-01T00:00:00+0000",
    "updated_time": "2024-03-12T15:02:48-0700",
}
AD: dict[str, Any] = {
    "id": "3",
    "campaign_id": "1",
    "adset_id": "2",
    "name": "Ad",
    "status": "ACTIVE",
    "effective_status": "CAMPAIGN_PAUSED",
    "creative": {"id": "77"},
    "created_time": "2024-03-01T00:00:00+0000",
    "updated_time": "2024-03-12T15:02:48-0700",
}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_campaign_keeps_ids_as_text_money_in_micros_and_times_in_utc() -> None:
    (record,) = records_of(Stream.CAMPAIGNS, [CAMPAIGN], "USD")

    assert record == CampaignRecord(
        external_id="23856469955990536",
        name="Évergreen | DE",
        status=EntityStatus.ACTIVE,
        platform_status="WITH_ISSUES",
        objective="OUTCOME_SALES",
        bidding_strategy="COST_CAP",
        daily_budget_micros=50_250_000,
        lifetime_budget_micros=None,
        starts_at=utc("2024-03-12T22:02:47"),
        ends_at=utc("2024-12-31T18:29:59"),
        platform_created_at=utc("2024-03-01T00:00:00"),
        platform_updated_at=utc("2024-03-12T22:02:48"),
        raw=CAMPAIGN,
    )


def test_an_ad_set_is_an_ad_group() -> None:
    (record,) = records_of(Stream.AD_GROUPS, [AD_SET], "EUR")

    assert record == AdGroupRecord(
        external_id="2",
        campaign_external_id="1",
        name="Broad",
        status=EntityStatus.PAUSED,
        platform_status="PAUSED",
        bidding_strategy="",
        bid_micros=1_500_000,
        daily_budget_micros=None,  # Meta sends "0" for a budget that is not set
        lifetime_budget_micros=900_000_000,
        starts_at=None,
        ends_at=utc("2024-03-12T22:02:47"),
        platform_created_at=utc("2024-03-01T00:00:00"),
        platform_updated_at=utc("2024-03-12T22:02:48"),
        raw=AD_SET,
    )


def test_an_ad_names_its_parents_and_its_creative() -> None:
    (record,) = records_of(Stream.ADS, [AD], "USD")

    assert record == AdRecord(
        external_id="3",
        campaign_external_id="1",
        ad_group_external_id="2",
        name="Ad",
        status=EntityStatus.ACTIVE,
        platform_status="CAMPAIGN_PAUSED",
        ad_type="",
        creative_external_id="77",
        platform_created_at=utc("2024-03-01T00:00:00"),
        platform_updated_at=utc("2024-03-12T22:02:48"),
        raw=AD,
    )


@pytest.mark.parametrize("stream", list(Stream))
def test_an_object_with_nothing_but_its_id_is_a_record(stream: Stream) -> None:
    (record,) = records_of(stream, [{"id": "1"}], "USD")

    assert record.external_id == "1"
    assert record.status is EntityStatus.UNKNOWN
    assert record.platform_created_at is None


@pytest.mark.parametrize(
    ("status", "effective", "expected"),
    [
        ("ACTIVE", "ACTIVE", EntityStatus.ACTIVE),
        ("ACTIVE", "ADSET_PAUSED", EntityStatus.ACTIVE),
        ("ACTIVE", "PENDING_REVIEW", EntityStatus.ACTIVE),
        ("PAUSED", "PAUSED", EntityStatus.PAUSED),
        ("ACTIVE", "ARCHIVED", EntityStatus.ARCHIVED),  # gone with its parent
        ("PAUSED", "DELETED", EntityStatus.REMOVED),
        ("ACTIVE", "A_WORD_OF_V27", EntityStatus.ACTIVE),
        ("A_WORD_OF_V27", "ACTIVE", EntityStatus.UNKNOWN),
    ],
)
def test_statuses_are_normalised_and_new_words_never_fail(
    status: str, effective: str, expected: EntityStatus
) -> None:
    (record,) = records_of(Stream.ADS, [AD | {"status": status, "effective_status": effective}], "USD")

    assert (record.status, record.platform_status) == (expected, effective)


WHOLE = ["CLP", "COP", "CRC", "HUF", "ISK", "IDR", "JPY", "KRW", "PYG", "TWD", "VND"]


@pytest.mark.parametrize("currency", WHOLE)
def test_currencies_without_minor_units_at_meta(currency: str) -> None:
    assert micros_per_minor(currency) == 1_000_000


@pytest.mark.parametrize("currency", ["USD", "EUR", "BHD", "JOD", "CNY"])
def test_all_other_currencies_have_hundredths(currency: str) -> None:
    assert micros_per_minor(currency) == 10_000


def test_an_ad_account_is_described_in_words() -> None:
    row = {
        "id": "act_12",
        "name": "Shop",
        "account_status": 3,
        "currency": "USD",
        "timezone_name": "America/Los_Angeles",
    }

    record = account_record(row)

    assert record[:8] == ("act_12", "Shop", "USD", "America/Los_Angeles", False, "UNSETTLED", False, "")


@pytest.mark.parametrize(
    ("status", "active", "word"), [(1, True, "ACTIVE"), (9, True, "IN_GRACE_PERIOD"), (4711, False, "4711")]
)
def test_account_statuses_that_are_not_known_keep_their_number(status: int, active: bool, word: str) -> None:
    record = account_record({"id": "act_1", "account_status": status})

    assert (record.is_active, record.platform_status) == (active, word)
