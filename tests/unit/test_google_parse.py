"""Google's rows become the same records as any platform's."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from providers.google.parse import account_record, records_of
from providers.records import AdGroupRecord, AdRecord, CampaignRecord, EntityStatus, Record, Stream

CAMPAIGN: dict[str, Any] = {
    "campaign": {
        "resourceName": "customers/1/campaigns/22",
        "id": "22",
        "name": "Brand",
        "status": "ENABLED",
        "primaryStatus": "LIMITED",
        "advertisingChannelType": "SEARCH",
        "biddingStrategyType": "TARGET_CPA",
        "startDateTime": "2024-03-10 00:00:00",
        "endDateTime": "2024-12-31 23:59:59",
    },
    "campaignBudget": {"resourceName": "customers/1/campaignBudgets/9", "amountMicros": "70000000"},
}
AD_GROUP: dict[str, Any] = {
    "adGroup": {
        "resourceName": "customers/1/adGroups/33",
        "id": "33",
        "name": "Shoes",
        "status": "PAUSED",
        "type": "SEARCH_STANDARD",
        "cpcBidMicros": "1200000",
    },
    "campaign": {"resourceName": "customers/1/campaigns/22", "id": "22", "biddingStrategyType": "MANUAL_CPC"},
}
AD: dict[str, Any] = {
    "adGroupAd": {
        "resourceName": "customers/1/adGroupAds/33~44",
        "status": "REMOVED",
        "primaryStatus": "REMOVED",
        "ad": {"resourceName": "customers/1/ads/44", "id": "44", "type": "RESPONSIVE_SEARCH_AD"},
    },
    "adGroup": {"resourceName": "customers/1/adGroups/33", "id": "33"},
    "campaign": {"resourceName": "customers/1/campaigns/22", "id": "22"},
}


def parse(stream: Stream, row: dict[str, Any], zone: str = "America/New_York") -> Record:
    (record,) = records_of(stream, [row], lambda: ZoneInfo(zone))
    return record


def test_a_campaigns_times_are_its_customers_and_become_utc() -> None:
    assert parse(Stream.CAMPAIGNS, CAMPAIGN) == CampaignRecord(
        external_id="22",
        name="Brand",
        status=EntityStatus.ACTIVE,
        platform_status="LIMITED",
        objective="SEARCH",
        bidding_strategy="TARGET_CPA",
        daily_budget_micros=70_000_000,
        lifetime_budget_micros=None,
        starts_at=datetime(2024, 3, 10, 5, tzinfo=UTC),  # in winter time, on the day the clocks change
        ends_at=datetime(2025, 1, 1, 4, 59, 59, tzinfo=UTC),
        platform_created_at=None,
        platform_updated_at=None,
        raw=CAMPAIGN,
    )


def test_an_ad_group_takes_its_strategy_from_its_campaign() -> None:
    assert parse(Stream.AD_GROUPS, AD_GROUP) == AdGroupRecord(
        external_id="33",
        campaign_external_id="22",
        name="Shoes",
        status=EntityStatus.PAUSED,
        platform_status="PAUSED",
        bidding_strategy="MANUAL_CPC",
        bid_micros=1_200_000,
        daily_budget_micros=None,
        lifetime_budget_micros=None,
        starts_at=None,
        ends_at=None,
        platform_created_at=None,
        platform_updated_at=None,
        raw=AD_GROUP,
    )


def test_an_ad_is_named_by_its_ad_group_and_itself() -> None:
    assert parse(Stream.ADS, AD) == AdRecord(
        external_id="33~44",
        campaign_external_id="22",
        ad_group_external_id="33",
        name="",
        status=EntityStatus.REMOVED,
        platform_status="REMOVED",
        ad_type="RESPONSIVE_SEARCH_AD",
        creative_external_id="",
        platform_created_at=None,
        platform_updated_at=None,
        raw=AD,
    )


def test_left_out_defaults_and_unknown_keys_do_not_matter() -> None:
    row = {"campaign": {"resourceName": "customers/1/campaigns/22", "id": "22"}, "metricAttributes": {}}

    record = parse(Stream.CAMPAIGNS, row)

    assert isinstance(record, CampaignRecord)
    assert (record.status, record.platform_status) == (EntityStatus.UNKNOWN, "")
    assert (record.daily_budget_micros, record.starts_at) == (None, None)


@pytest.mark.parametrize("word", ["UNKNOWN", "UNSPECIFIED", "A_WORD_OF_V27"])
def test_statuses_that_this_version_does_not_know_never_fail(word: str) -> None:
    row = CAMPAIGN | {"campaign": CAMPAIGN["campaign"] | {"status": word}}

    assert parse(Stream.CAMPAIGNS, row).status is EntityStatus.UNKNOWN


def test_a_total_budget_is_a_lifetime_budget() -> None:
    row = CAMPAIGN | {"campaignBudget": {"totalAmountMicros": "990000000"}}

    record = parse(Stream.CAMPAIGNS, row)

    assert isinstance(record, CampaignRecord)
    assert (record.daily_budget_micros, record.lifetime_budget_micros) == (None, 990_000_000)


def test_a_campaign_without_an_end_has_none() -> None:
    row = CAMPAIGN | {"campaign": CAMPAIGN["campaign"] | {"endDateTime": "2037-12-30 23:59:59"}}

    record = parse(Stream.CAMPAIGNS, row)

    assert isinstance(record, CampaignRecord)
    assert record.ends_at is None


@pytest.mark.parametrize(("stream", "row"), [(Stream.AD_GROUPS, AD_GROUP), (Stream.ADS, AD)])
def test_the_time_zone_is_not_asked_for_where_no_time_is_told(stream: Stream, row: dict[str, Any]) -> None:
    def no_zone() -> ZoneInfo:
        pytest.fail("it would cost an operation")

    assert len(records_of(stream, [row], no_zone)) == 1


def test_a_customer_is_described_the_same_by_itself_and_by_its_manager() -> None:
    customer = {"id": "1", "descriptiveName": "Shop", "currencyCode": "EUR", "timeZone": "Europe/Berlin"}

    record = account_record(customer | {"status": "CANCELED"}, login_customer_id="9")

    assert record[:8] == ("1", "Shop", "EUR", "Europe/Berlin", False, "CANCELED", False, "9")
