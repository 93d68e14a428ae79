"""Google's insights arrive whole and exact: one operation per level, from any cursor, whatever breaks."""

import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from providers.errors import InvalidRequest, PlatformFault, ProviderError, RangeTooOld, Unreachable
from providers.google.client import GoogleClient
from providers.records import InsightPage, InsightRecord, InsightSlice, Level
from providers.sandbox.accounts import MANAGER
from providers.sandbox.constants import RECORDED_GOOGLE_CUSTOMER, Platform
from providers.sandbox.process import Sandbox
from tests.integration import client_callers
from tests.integration.sandbox_callers import open_account

pytest_plugins = "tests.integration.sandbox_fixtures"

SINCE, UNTIL = date(2026, 10, 20), date(2026, 11, 2)
TODAY = "2026-11-20"
LEVELS = list(Level)


@pytest.fixture(autouse=True)
def a_fixed_day(sandbox: Sandbox) -> None:
    sandbox.control("settings", today=TODAY, google_chunk_rows=30)


@pytest.fixture(scope="module")
def account(sandbox_process: Sandbox) -> str:
    """Nobody edits it."""
    sizes = {"campaigns": 10, "ad_groups": 40, "ads": 200}
    return open_account(sandbox_process, Platform.GOOGLE, **sizes, time_zone="Europe/Berlin", seed=5)


def at(moment: str, zone: str = "Europe/Berlin") -> Any:
    """A clock that shows it."""
    return lambda: datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone)).timestamp()


google_client = partial(client_callers.google_client, clock=at(f"{TODAY}T12:00"))


def pages(
    client: GoogleClient, level: Level, since: date = SINCE, until: date = UNTIL, **asked: Any
) -> list[InsightPage]:
    by_type = asked.pop("by_type", False)
    return list(client.insights(InsightSlice(level, since, until, by_type), **asked))


def records(pages: Iterable[InsightPage]) -> list[InsightRecord]:
    return [record for page in pages for record in page.records]


def read(sandbox: Sandbox, account: str, level: Level, **asked: Any) -> list[InsightRecord]:
    return records(pages(google_client(sandbox, account), level, **asked))


def truth(sandbox: Sandbox, account: str, level: Level) -> dict[tuple[str, str], dict[str, Any]]:
    told = sandbox.insights("google", account, level, str(SINCE), str(UNTIL))
    return {(row["day"], row["id"]): row for row in told}


@pytest.mark.parametrize("level", LEVELS)
def test_every_value_of_every_day_is_the_platforms(sandbox: Sandbox, account: str, level: Level) -> None:
    delivered = truth(sandbox, account, level).items()
    told = {key: row for key, row in delivered if row["impressions"] or row["conversions"]}
    found = {(str(record.day), record.external_id): record for record in read(sandbox, account, level)}

    assert found.keys() == told.keys()
    for key, record in found.items():
        row = told[key]
        assert (record.impressions, record.clicks) == (row["impressions"], row["clicks"])
        assert (record.spend_micros, record.video_views) == (row["cost_micros"], row["video_trueview_views"])
        assert record.conversions == Decimal(str(row["conversions"]))
        assert record.conversion_value_micros == round(row["conversions_value"] * 1e6)
        assert record.campaign_external_id == row["ids"].get("campaign", "")
        assert record.ad_group_external_id == row["ids"].get("ad_group", "")
        assert (record.currency, record.attribution, record.reach) == ("EUR", "click_date", None)
        assert Decimal(record.extra["all_conversions"]) == Decimal(str(row["all_conversions"]))


def test_conversions_may_count_on_their_own_day(sandbox: Sandbox, account: str) -> None:
    found = read(sandbox, account, Level.CAMPAIGN, attribution="conversion_date")
    told = truth(sandbox, account, Level.CAMPAIGN)

    assert {record.attribution for record in found} == {"conversion_date"}
    for record in found:
        row = told[str(record.day), record.external_id]
        assert record.conversions == Decimal(str(row["conversions_by_conversion_date"]))


@pytest.mark.parametrize("attribution", ["click_date", "conversion_date"])
def test_conversions_by_type_add_up_to_the_conversions(
    sandbox: Sandbox, account: str, attribution: str
) -> None:
    client = google_client(sandbox, account, page_size=20)
    found = records(pages(client, Level.CAMPAIGN, by_type=True, attribution=attribution))

    assert client.calls == 2
    assert {name for record in found for name in record.conversions_by_type or {}} == {"Purchase", "Sign-up"}
    for record in found:
        types = record.conversions_by_type
        assert types is not None
        assert sum(Decimal(one["count"]) for one in types.values()) == record.conversions
        assert sum(one["value_micros"] for one in types.values()) == record.conversion_value_micros


def test_types_that_were_not_asked_for_are_unknown(sandbox: Sandbox, account: str) -> None:
    assert {record.conversions_by_type for record in read(sandbox, account, Level.CAMPAIGN)} == {None}


def test_levels_add_up_but_for_performance_max(sandbox: Sandbox, account: str) -> None:
    spent = {level: sum(record.spend_micros for record in read(sandbox, account, level)) for level in LEVELS}
    campaigns = sandbox.truth("google", account)["campaigns"]
    with_ads = {record.campaign_external_id for record in read(sandbox, account, Level.AD)}
    of_others = sum(
        record.spend_micros
        for record in read(sandbox, account, Level.CAMPAIGN)
        if record.external_id not in with_ads
    )

    assert spent[Level.ACCOUNT] == spent[Level.CAMPAIGN]
    assert spent[Level.AD_GROUP] == spent[Level.AD] == spent[Level.CAMPAIGN] - of_others
    assert of_others > 0
    assert with_ads < set(campaigns)


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_is_one_operation_however_long(sandbox: Sandbox, account: str, level: Level) -> None:
    client = google_client(sandbox, account, page_size=7)

    assert len(pages(client, level)) > 1
    assert client.calls == 1


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("by_type", [False, True])
def test_reading_on_from_any_cursor_gives_exactly_the_rest(
    sandbox: Sandbox, account: str, level: Level, by_type: bool
) -> None:
    size = {Level.AD: 300, Level.AD_GROUP: 80, Level.CAMPAIGN: 25, Level.ACCOUNT: 9}[level]
    client = google_client(sandbox, account, page_size=size)
    whole = pages(client, level, by_type=by_type)

    assert [page.cursor is None for page in whole] == [False] * (len(whole) - 1) + [True]
    for number, page in enumerate(whole[:-1], start=1):
        rest = pages(client, level, by_type=by_type, cursor=page.cursor)
        assert records(whole[:number]) + records(rest) == records(whole)


def test_what_came_before_a_cut_is_kept_and_the_rest_follows(sandbox: Sandbox, account: str) -> None:
    sandbox.fault("google", "cut", account=account, parts=9, times=None)
    got: list[InsightRecord] = []
    for _ in range(20):
        cursor = f"{got[-1].day}/{got[-1].external_id}" if got else None
        slice = InsightSlice(Level.AD, SINCE, UNTIL)
        with suppress(Unreachable):
            for page in google_client(sandbox, account).insights(slice, cursor=cursor):
                got += page.records
    sandbox.control("faults/clear")

    assert got == read(sandbox, account, Level.AD)


def test_an_error_within_the_stream_comes_after_what_was_good(sandbox: Sandbox, account: str) -> None:
    sandbox.fault("google", "stream_error", account=account, parts=2)
    stream = google_client(sandbox, account).insights(InsightSlice(Level.AD, SINCE, UNTIL))

    assert [len(next(stream).records), len(next(stream).records)] == [50, 10]
    with pytest.raises(PlatformFault):
        next(stream)


def test_an_error_of_the_types_loses_no_row(sandbox: Sandbox, account: str) -> None:
    whole = read(sandbox, account, Level.CAMPAIGN, by_type=True)
    sandbox.fault("google", "cut", account=account, parts=2)
    got: list[InsightRecord] = []
    slice = InsightSlice(Level.CAMPAIGN, SINCE, UNTIL, by_type=True)
    with suppress(ProviderError):
        for page in google_client(sandbox, account, page_size=10).insights(slice):
            got += page.records
    cursor = f"{got[-1].day}/{got[-1].external_id}" if got else None

    assert got + read(sandbox, account, Level.CAMPAIGN, by_type=True, cursor=cursor) == whole


def test_days_without_delivery_give_one_empty_page(sandbox: Sandbox, account: str) -> None:
    future = {"since": date(2026, 12, 1), "until": date(2026, 12, 5)}

    assert pages(google_client(sandbox, account), Level.AD, **future) == [InsightPage([], None)]


def test_conversions_are_restated_for_four_weeks(sandbox: Sandbox, account: str) -> None:
    seen: dict[str, Decimal] = {}
    for today in ("2026-11-02", "2026-11-15", "2026-12-01", "2026-12-31"):
        sandbox.control("settings", today=today)
        found = read(sandbox, account, Level.ACCOUNT)
        seen[today] = sum((record.conversions for record in found), Decimal())
        assert sum(record.spend_micros for record in found) == sum(
            record.spend_micros for record in read(sandbox, account, Level.CAMPAIGN)
        )

    first, second, third, last = seen.values()
    assert first < second < third == last


def test_days_are_those_of_the_customers_clock(sandbox: Sandbox) -> None:
    """When it is Tuesday in Tokyo and still Monday in Los Angeles."""
    sandbox.control("settings", today="")
    sizes = {"campaigns": 2, "ad_groups": 4, "ads": 40}
    tokyo = open_account(sandbox, Platform.GOOGLE, **sizes, time_zone="Asia/Tokyo")
    west = open_account(sandbox, Platform.GOOGLE, **sizes, time_zone="Pacific/Honolulu")

    for account, zone in ((tokyo, "Asia/Tokyo"), (west, "Pacific/Honolulu")):
        client = google_client(sandbox, account, time_zone=zone, clock=time.time)
        before = datetime.now(ZoneInfo(zone)).date()
        days = {"since": before - timedelta(days=10), "until": before + timedelta(days=10)}
        last = max(record.day for record in records(pages(client, Level.ACCOUNT, **days)))
        assert last in (before, datetime.now(ZoneInfo(zone)).date())  # nothing is told of tomorrow


def test_recorded_figures_arrive_as_they_were_recorded(sandbox: Sandbox) -> None:
    sandbox.control("settings", today="2021-10-01")
    client = google_client(
        sandbox, RECORDED_GOOGLE_CUSTOMER, time_zone="America/Los_Angeles", clock=at("2021-10-01T12:00")
    )
    whole = {"since": date(2020, 12, 1), "until": date(2021, 9, 30)}
    found = {level: records(pages(client, level, **whole)) for level in LEVELS}

    assert [len(found[level]) for level in LEVELS] == [15, 16, 15, 10]
    day = next(record for record in found[Level.ACCOUNT] if record.day == date(2021, 8, 18))  # two devices
    assert (day.clicks, day.impressions, day.spend_micros) == (661, 101_686, 82_017_768)
    assert (day.conversions, day.extra["interactions"]) == (Decimal(18), 820)
    group = next(record for record in found[Level.AD_GROUP] if record.day == date(2021, 3, 18))
    assert (group.external_id, group.campaign_external_id) == ("23289504013", "344106493")
    assert (group.conversions, group.spend_micros) == (Decimal("4.416667"), 308_310_000)
    assert {record.external_id for record in found[Level.AD]} == {"100031227574~514818869462"}
    assert sum(record.spend_micros for record in found[Level.CAMPAIGN]) == 231_330_000


class TestRefusals:
    """What can't be had says why."""

    def test_metrics_of_a_manager(self, sandbox: Sandbox) -> None:
        with pytest.raises(InvalidRequest, match="manager") as caught:
            pages(google_client(sandbox, MANAGER), Level.CAMPAIGN)

        assert caught.value.platform_code == "queryError.REQUESTED_METRICS_FOR_MANAGER"

    @pytest.mark.parametrize(
        ("slice", "attribution", "kind"),
        [
            (InsightSlice(Level.AD, date(2020, 1, 1), UNTIL), "", RangeTooOld),
            (InsightSlice(Level.AD, UNTIL, SINCE), "", InvalidRequest),
            (InsightSlice(Level.AD, SINCE, UNTIL), "7d_click", InvalidRequest),
        ],
    )
    def test_a_wrong_question_costs_no_operation(
        self,
        sandbox: Sandbox,
        account: str,
        slice: InsightSlice,
        attribution: str,
        kind: type[InvalidRequest],
    ) -> None:
        client = google_client(sandbox, account)

        with pytest.raises(kind):
            list(client.insights(slice, attribution=attribution))
        assert client.calls == 0

    def test_days_that_only_google_calls_too_old(self, sandbox: Sandbox, account: str) -> None:
        client = google_client(sandbox, account, clock=at("2023-01-01T00:00"))

        with pytest.raises(RangeTooOld):
            pages(client, Level.AD, since=date(2020, 1, 1))
        assert client.calls == 1

    def test_rows_out_of_order(self, sandbox: Sandbox, account: str) -> None:
        sandbox.fault("google", "repeat_rows", account=account, rows=2)

        with pytest.raises(PlatformFault, match="order"):
            pages(google_client(sandbox, account), Level.CAMPAIGN)
