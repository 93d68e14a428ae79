"""Google's rows of metrics become records: which field is which value, in which unit, and what is missing."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from providers.errors import InvalidRequest, RangeTooOld
from providers.google import insight_queries
from providers.google.insight_queries import ATTRIBUTIONS, KEPT_MONTHS, check, oldest_day
from providers.google.insight_rows import ByType, Question, insight_records, key_of
from providers.google.stream import Row
from providers.records import InsightRecord, InsightSlice, Level
from providers.sandbox.gaql import Condition, Query, parse

DAY = date(2026, 10, 20)
NOVEMBER = date(2026, 11, 20)
METRICS: dict[str, Any] = {
    "impressions": "120",
    "clicks": "7",
    "costMicros": "70000",
    "videoTrueviewViews": "3",
    "conversions": 4.416667,
    "conversionsValue": 145.5,
    "allConversions": 5.0,
    "allConversionsValue": 150.25,
    "interactions": "9",
    "viewThroughConversions": "2",
}
ROWS: dict[Level, Row] = {
    Level.ACCOUNT: {"customer": {"id": "1"}},
    Level.CAMPAIGN: {"campaign": {"id": "22"}},
    Level.AD_GROUP: {"campaign": {"id": "22"}, "adGroup": {"id": "33"}},
    Level.AD: {"campaign": {"id": "22"}, "adGroup": {"id": "33"}, "adGroupAd": {"ad": {"id": "44"}}},
}


def row(level: Level = Level.CAMPAIGN, day: object = "2026-10-20", **metrics: Any) -> Row:
    return ROWS[level] | {"segments": {"date": day}, "metrics": metrics}


def records(
    *rows: Row, level: Level = Level.CAMPAIGN, attribution: str = "click_date"
) -> list[InsightRecord]:
    return insight_records(rows, Question(level, "EUR", attribution), None)


@pytest.mark.parametrize(
    ("level", "ids"),
    [
        (Level.ACCOUNT, ("1", "", "")),
        (Level.CAMPAIGN, ("22", "22", "")),
        (Level.AD_GROUP, ("33", "22", "33")),
        (Level.AD, ("33~44", "22", "33")),
    ],
)
def test_a_row_is_about_its_levels_entity(level: Level, ids: tuple[str, ...]) -> None:
    (record,) = records(row(level, **METRICS), level=level)

    assert (record.external_id, record.campaign_external_id, record.ad_group_external_id) == ids


def test_every_value_arrives_in_its_unit() -> None:
    (record,) = records(row(**METRICS))

    assert record == InsightRecord(
        external_id="22",
        day=DAY,
        campaign_external_id="22",
        ad_group_external_id="",
        currency="EUR",
        attribution="click_date",
        impressions=120,
        clicks=7,
        spend_micros=70_000,
        conversions=Decimal("4.416667"),
        conversion_value_micros=145_500_000,
        conversions_by_type=None,
        reach=None,
        video_views=3,
        extra={
            "all_conversions": "5",
            "all_conversions_value": "150.25",
            "interactions": 9,
            "view_through_conversions": 2,
        },
    )


def test_what_a_row_leaves_out_is_zero() -> None:
    (record,) = records(row())

    assert (record.impressions, record.clicks, record.spend_micros, record.video_views) == (0, 0, 0, 0)
    assert (record.conversions, record.conversion_value_micros) == (Decimal(), 0)
    assert record.extra["all_conversions"] == "0"


def test_conversions_by_their_own_date_come_under_other_names() -> None:
    named: dict[str, Any] = {
        "conversionsByConversionDate": 2.5,
        "conversionsValueByConversionDate": 0.1,
        "conversions": 9.0,
    }

    (record,) = records(row(**named, allConversionsByConversionDate=3.5), attribution="conversion_date")

    assert (record.conversions, record.conversion_value_micros) == (Decimal("2.5"), 100_000)
    assert (record.extra["all_conversions"], record.attribution) == ("3.5", "conversion_date")


@pytest.mark.parametrize(
    ("told", "expected"),
    [(1e-7, Decimal("1e-7")), (0.1 + 0.2, Decimal("0.30000000000000004")), (3, Decimal(3))],
)
def test_a_double_is_kept_exactly(told: float, expected: str) -> None:
    assert records(row(conversions=told))[0].conversions == Decimal(expected)


@pytest.mark.parametrize("odd", ["many", float("inf"), float("nan"), "NaN", {}, [], -(10**30)])
def test_an_odd_value_costs_only_itself(odd: object) -> None:
    (record,) = records(row(**METRICS | {"conversions": odd, "costMicros": odd}))

    assert (record.conversions, record.spend_micros, record.clicks) == (Decimal(), 0, 7)


def test_a_row_without_id_or_day_is_left_out() -> None:
    odd = [row(day=None), row(day="someday"), row() | {"campaign": {}}, row() | {"campaign": {"id": "x"}}]

    assert len(records(*odd, row())) == 1
    with pytest.raises(ValueError, match="no row"):
        records(*odd)


class TestTypes:
    """Conversions by type come in rows of their own, in the same order."""

    def rows(self, *told: tuple[str, str, str, float]) -> ByType:
        rows = [
            {
                "campaign": {"id": number},
                "segments": {"date": day, "conversionActionName": action},
                "metrics": {"conversions": count, "conversionsValue": 2 * count},
            }
            for day, number, action, count in told
        ]
        return ByType(iter(rows), Question(Level.CAMPAIGN, "EUR", "click_date"))

    def test_each_record_gets_its_own(self) -> None:
        by_type = self.rows(
            ("2026-10-19", "22", "Lost", 1.0),
            ("2026-10-20", "22", "Purchase", 2.5),
            ("2026-10-20", "22", "Sign-up", 1.0),
            ("2026-10-21", "22", "Purchase", 3.0),
        )
        days = [row(), row() | {"campaign": {"id": "100"}}, row(day="2026-10-21")]

        found = insight_records(days, Question(Level.CAMPAIGN, "EUR", "click_date"), by_type)

        assert [record.conversions_by_type for record in found] == [
            {
                "Purchase": {"count": "2.5", "value_micros": 5_000_000},
                "Sign-up": {"count": "1", "value_micros": 2_000_000},
            },
            {},
            {"Purchase": {"count": "3", "value_micros": 6_000_000}},
        ]

    def test_without_any_each_has_none(self) -> None:
        assert self.rows().of(key_of(records(row())[0])) == {}


def asked(level: Level, attribution: str = "click_date", **slice: Any) -> Query:
    whole = InsightSlice(level, DAY, NOVEMBER, **slice)
    return parse(insight_queries.metrics(whole, attribution, DAY))


class TestQueries:
    """One query per level and range."""

    @pytest.mark.parametrize(
        ("level", "resource", "ids"),
        [
            (Level.ACCOUNT, "customer", ["customer.id"]),
            (Level.CAMPAIGN, "campaign", ["campaign.id"]),
            (Level.AD_GROUP, "ad_group", ["ad_group.id"]),
            (Level.AD, "ad_group_ad", ["ad_group.id", "ad_group_ad.ad.id"]),
        ],
    )
    def test_a_level_is_read_in_the_order_of_days_and_ids(
        self, level: Level, resource: str, ids: list[str]
    ) -> None:
        query = asked(level)

        assert query.resource == resource
        assert [order.field for order in query.order] == ["segments.date", *ids]
        assert {"segments.date", *ids} <= set(query.fields)
        assert query.conditions == (Condition("segments.date", "BETWEEN", ("2026-10-20", "2026-11-20")),)

    def test_conversions_by_their_own_date_are_other_metrics(self) -> None:
        late = set(asked(Level.AD, "conversion_date").fields) - set(asked(Level.AD).fields)

        assert late == {
            "metrics.conversions_by_conversion_date",
            "metrics.conversions_value_by_conversion_date",
            "metrics.all_conversions_by_conversion_date",
            "metrics.all_conversions_value_by_conversion_date",
        }

    def test_types_are_asked_without_what_they_cannot_stand_beside(self) -> None:
        query = parse(insight_queries.types(InsightSlice(Level.CAMPAIGN, DAY, NOVEMBER), "click_date", DAY))

        assert set(query.fields) == {
            "campaign.id",
            "segments.date",
            "segments.conversion_action_name",
            "metrics.conversions",
            "metrics.conversions_value",
        }


class TestLimits:
    """What Google would refuse is refused before an operation is spent."""

    @pytest.mark.parametrize(
        ("today", "oldest"),
        [
            ("2026-11-24", "2023-10-24"),
            ("2026-01-31", "2022-12-31"),
            ("2026-05-31", "2023-05-01"),  # April has 30 days
            ("2027-03-29", "2024-02-29"),
            ("2026-03-29", "2023-03-01"),
        ],
    )
    def test_single_days_are_kept_for_37_months(self, today: str, oldest: str) -> None:
        assert oldest_day(date.fromisoformat(today)) == date.fromisoformat(oldest)

    def test_an_older_day_is_too_old(self) -> None:
        first = oldest_day(NOVEMBER)
        check(InsightSlice(Level.AD, first, NOVEMBER), "click_date", NOVEMBER)

        with pytest.raises(RangeTooOld, match=rf"{KEPT_MONTHS} months, from {first}"):
            check(InsightSlice(Level.AD, date(2020, 1, 1), NOVEMBER), "click_date", NOVEMBER)

    def test_a_range_that_ends_before_it_begins_is_refused(self) -> None:
        with pytest.raises(InvalidRequest, match="ends before it begins"):
            check(InsightSlice(Level.AD, NOVEMBER, DAY), "click_date", NOVEMBER)

    def test_an_unknown_attribution_names_the_known_ones(self) -> None:
        with pytest.raises(InvalidRequest, match=", ".join(ATTRIBUTIONS)):
            check(InsightSlice(Level.AD, DAY, NOVEMBER), "7d_click", NOVEMBER)
