"""Meta's insights as records: every row of every level, with the platform's numbers."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from providers.errors import CursorExpired, InvalidRequest, LimitReached, RangeTooOld, Scope
from providers.meta.client import MetaClient
from providers.records import InsightRecord, InsightSlice, Level
from providers.registry import ATTRIBUTIONS
from providers.sandbox.constants import Platform
from providers.sandbox.process import Sandbox
from tests.factories import noon
from tests.integration.client_callers import RecordingGate, meta_client
from tests.integration.sandbox_callers import open_account

pytest_plugins = "tests.integration.sandbox_fixtures"

SINCE, UNTIL = date(2026, 10, 26), date(2026, 11, 1)
LEVELS = list(Level)


@pytest.fixture(autouse=True)
def a_fixed_day(sandbox: Sandbox) -> None:
    sandbox.control("settings", today="2026-11-20")


def read(
    client: MetaClient, level: Level, *, since: date = SINCE, until: date = UNTIL, **how: Any
) -> list[InsightRecord]:
    pages = list(client.insights(InsightSlice(level, since, until), **how))
    assert [page.cursor is None for page in pages] == [False] * (len(pages) - 1) + [True]
    return [record for page in pages for record in page.records]


def truth(sandbox: Sandbox, account: str, level: Level) -> dict[tuple[str, str], dict[str, Any]]:
    """By entity and day."""
    rows = sandbox.insights("meta", account, level, SINCE.isoformat(), UNTIL.isoformat())
    return {(row["ids"].get(level, account), row["day"]): row for row in rows}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("currency", "minor"), [("USD", 10_000), ("JPY", 1_000_000), ("KWD", 10_000)])
def test_every_row_arrives_with_the_platforms_numbers(
    sandbox: Sandbox, level: Level, currency: str, minor: int
) -> None:
    account = open_account(sandbox, Platform.META, campaigns=4, ad_groups=8, ads=20, currency=currency)
    told = truth(sandbox, account, level)

    records = read(meta_client(sandbox, account, currency=currency), level)

    assert {(record.external_id, record.day.isoformat()) for record in records} == set(told)
    assert len(records) == len(told) >= 7
    for record in records:
        row = told[record.external_id, record.day.isoformat()]
        assert (record.impressions, record.clicks) == (row["impressions"], row["clicks"])
        assert (record.spend_micros, record.currency) == (row["spend"] * minor, currency)
        assert record.reach == row["reach"]
        assert record.video_views == (row["thruplays"] or None)
        assert record.extra["inline_link_clicks"] == row["link_clicks"]
        assert record.extra.get("video_play_actions") == (row["plays"] or None)
        assert record.campaign_external_id == row["ids"].get("campaign", "")
        assert record.ad_group_external_id == row["ids"].get("ad_group", "")
        assert_conversions(record, row, minor)


def assert_conversions(record: InsightRecord, row: dict[str, Any], minor: int) -> None:
    def default(amounts: dict[str, int]) -> int:
        return amounts["7d_click"] + amounts["1d_view"]

    assert record.conversions == default(row["actions"].get("omni_purchase", {"7d_click": 0, "1d_view": 0}))
    assert record.conversions_by_type == {
        name: {
            "count": str(default(amounts)),
            "value_micros": default(row["values"][name]) * minor if name in row["values"] else 0,
        }
        for name, amounts in row["actions"].items()
    }


@pytest.mark.parametrize("attribution", ATTRIBUTIONS["meta"])
def test_conversions_are_counted_by_the_attribution_that_was_chosen(
    sandbox: Sandbox, ad_account: str, attribution: str
) -> None:
    windows = {"1d_view"} & {attribution[-7:]} | {attribution.removesuffix("_1d_view")}
    told = truth(sandbox, ad_account, Level.ACCOUNT)

    for record in read(meta_client(sandbox, ad_account), Level.ACCOUNT, attribution=attribution):
        row = told[ad_account, record.day.isoformat()]
        bought, worth = row["actions"]["omni_purchase"], row["values"]["omni_purchase"]
        assert record.attribution == attribution
        assert record.conversions == sum(bought[window] for window in windows)
        assert record.conversion_value_micros == sum(worth[window] for window in windows) * 10_000


def test_the_default_attribution_is_metas(sandbox: Sandbox, ad_account: str) -> None:
    client = meta_client(sandbox, ad_account)

    assert read(client, Level.CAMPAIGN) == read(client, Level.CAMPAIGN, attribution="7d_click_1d_view")


def test_the_levels_add_up(sandbox: Sandbox, ad_account: str) -> None:
    client = meta_client(sandbox, ad_account)
    whole = {record.day: record for record in read(client, Level.ACCOUNT)}

    for level in LEVELS[1:]:
        records = read(client, level)
        for day, total in whole.items():
            of_day = [record for record in records if record.day == day]
            assert sum(record.spend_micros for record in of_day) == total.spend_micros
            assert sum((record.conversions for record in of_day), Decimal(0)) == total.conversions


def test_days_without_delivery_are_no_rows(sandbox: Sandbox) -> None:
    empty = open_account(sandbox, Platform.META, campaigns=0, ad_groups=0, ads=0)
    client = meta_client(sandbox, empty)

    assert list(client.insights(InsightSlice(Level.AD, SINCE, UNTIL))) == [([], None)]
    assert client.calls == 1


def test_a_small_answer_is_one_call_of_the_insights_use_case(sandbox: Sandbox, ad_account: str) -> None:
    gate = RecordingGate()

    assert len(read(meta_client(sandbox, ad_account, gate=gate), Level.CAMPAIGN, expected_rows=70)) > 50
    assert gate.use_cases == ["ads_insights"]


def test_reading_on_from_a_cursor_gives_the_rest(
    sandbox: Sandbox, ad_account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.meta.insights.PAGE_ROWS", 300)
    slice = InsightSlice(Level.AD, SINCE, UNTIL)
    pages = list(meta_client(sandbox, ad_account).insights(slice))

    rest = list(meta_client(sandbox, ad_account).insights(slice, cursor=pages[0].cursor))

    assert len(pages) > 2
    assert rest == pages[1:]


def test_conversions_are_restated_for_four_weeks(sandbox: Sandbox, ad_account: str) -> None:
    client = meta_client(sandbox, ad_account)

    def told(today: str) -> tuple[Decimal, int]:
        sandbox.control("settings", today=today)
        (record,) = read(client, Level.ACCOUNT, since=UNTIL)
        return record.conversions, record.spend_micros

    early, later, last = told("2026-11-02"), told("2026-11-15"), told("2026-12-20")
    assert early[0] < later[0] < last[0]
    assert early[1] == later[1] == last[1]


def test_a_deleted_ad_is_credited_with_what_comes_later(sandbox: Sandbox) -> None:
    zone = noon()
    account = open_account(sandbox, Platform.META, campaigns=1, ad_groups=1, ads=20, time_zone=zone)
    ads = sandbox.truth("meta", account)["ads"]
    for ad in ads:
        sandbox.control("remove", platform="meta", account=account, id=ad)
    now = datetime.now(ZoneInfo(zone)).date()
    sandbox.control("settings", today=(now + timedelta(days=60)).isoformat())

    late = read(
        meta_client(sandbox, account),
        Level.AD,
        since=now + timedelta(days=2),
        until=now + timedelta(days=60),
    )

    assert late
    assert {record.external_id for record in late} <= set(ads)
    assert max(record.day for record in late) <= now + timedelta(days=29)
    assert all(record.conversions and not record.impressions for record in late)


@pytest.fixture
def small_pages(sandbox: Sandbox, ad_account: str, monkeypatch: pytest.MonkeyPatch) -> MetaClient:
    """A client that reads insights at once by 300 rows, of about 1,200."""
    monkeypatch.setattr("providers.meta.insights.PAGE_ROWS", 300)
    return meta_client(sandbox, ad_account)


def test_rows_that_move_between_pages_come_twice_and_none_is_lost(
    sandbox: Sandbox, ad_account: str, small_pages: MetaClient
) -> None:
    whole = read(small_pages, Level.AD)
    sandbox.fault("meta", "repeat_rows", account=ad_account, rows=7)

    again = read(small_pages, Level.AD)

    assert len(again) == len(whole) + 7
    assert set(map(key, again)) == set(map(key, whole))


def key(record: InsightRecord) -> tuple[str, date]:
    return record.external_id, record.day


def test_an_empty_page_in_the_middle_is_not_the_end(
    sandbox: Sandbox, ad_account: str, small_pages: MetaClient
) -> None:
    whole = read(small_pages, Level.AD)
    sandbox.fault("meta", "hide_rows", account=ad_account, rows=300, after_calls=1)

    assert read(small_pages, Level.AD) == whole[:300] + whole[600:]


def test_a_cursor_leads_on_with_its_own_attribution_only(small_pages: MetaClient) -> None:
    first = next(small_pages.insights(InsightSlice(Level.AD, SINCE, UNTIL)))

    with pytest.raises(CursorExpired):
        read(small_pages, Level.AD, cursor=first.cursor, attribution="1d_click")


def test_an_expired_cursor_begins_the_slice_again(
    sandbox: Sandbox, ad_account: str, small_pages: MetaClient
) -> None:
    sandbox.fault("meta", "expired_cursor", account=ad_account)

    with pytest.raises(CursorExpired):
        read(small_pages, Level.AD)


def test_a_limit_of_insights_rests_only_insights(sandbox: Sandbox, ad_account: str) -> None:
    sandbox.fault("meta", "rate_limit", account=ad_account, code=80000, minutes=9)

    with pytest.raises(LimitReached) as caught:
        read(meta_client(sandbox, ad_account), Level.AD)

    rest = caught.value
    assert (rest.scope, rest.use_case, rest.retry_after) == (Scope.USE_CASE, "ads_insights", 540)


def test_the_gate_hears_of_the_load_of_insights(sandbox: Sandbox, ad_account: str) -> None:
    sandbox.fault("meta", "usage", account=ad_account, whose="insights", percent=93)
    gate = RecordingGate()

    read(meta_client(sandbox, ad_account, gate=gate), Level.ACCOUNT)

    (told,) = [one for one in gate.last.readings if one.percent == 93]
    assert (told.scope, told.use_case) == (Scope.USE_CASE, "ads_insights")


def test_days_beyond_37_months_are_refused_clearly(sandbox: Sandbox, ad_account: str) -> None:
    with pytest.raises(RangeTooOld, match="37 months"):
        read(meta_client(sandbox, ad_account), Level.ACCOUNT, since=date(2023, 10, 1))


def test_an_attribution_that_meta_does_not_have_is_refused_without_a_call(
    sandbox: Sandbox, ad_account: str
) -> None:
    client = meta_client(sandbox, ad_account)

    with pytest.raises(InvalidRequest, match="28d_view"):
        read(client, Level.ACCOUNT, attribution="28d_view")
    assert client.calls == 0
