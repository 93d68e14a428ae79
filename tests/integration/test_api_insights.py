"""/api/insights and its totals: days, levels, sums per currency, ratios of sums, and what is missing."""

from datetime import date, timedelta
from typing import Any

import pytest

from sync.models import Account, Connection
from sync.models.choices import Provider
from tests.factories import make_complete, make_connection, make_insight
from tests.integration.api_callers import Caller, Id, Moment, assert_shape
from tests.integration.insight_callers import (  # noqa: F401  (fixtures)
    CAMPAIGNS,
    NOVEMBER,
    NOW,
    PATH,
    TOTALS,
    _now,
    caller,
    day,
    read,
    refused,
)

METRICS = {
    "impressions": int,
    "clicks": int,
    "spendMicros": int,
    "conversions": float,
    "conversionValueMicros": int,
    "videoViews": (int, None),
    "ctr": (float, None),
    "cpcMicros": (int, None),
    "cpmMicros": (int, None),
    "costPerConversionMicros": (int, None),
    "roas": (float, None),
}
ROW = {
    **METRICS,
    "day": str,
    "id": str,
    "connectionId": Id,
    "provider": str,
    "campaignId": str,
    "adGroupId": str,
    "currency": str,
    "attribution": str,
    "reach": (int, None),
    "updatedAt": Moment,
}
BESIDE = {
    "nextCursor": (str, None),
    "level": str,
    "from": str,
    "to": str,
    "completeness": [
        {
            "connectionId": Id,
            "completeUntil": (str, None),
            "gaps": list,
            "readAt": (Moment, None),
            "isFinal": bool,
        }
    ],
}


def test_a_day_tells_its_metrics_and_their_ratios(caller: Caller, connection: Connection) -> None:
    make_insight(
        connection,
        external_id="7",
        day=day(3),
        campaign_external_id="7",
        reach=900,
        conversions_by_type={"purchase": {"count": "2.5", "value_micros": 40_000_000}},
        extra={"frequency": "1.1"},
    )

    body = read(caller)

    assert_shape(body, {"results": [ROW], **BESIDE})
    [row] = body["results"]
    assert (row["day"], row["id"], row["campaignId"]) == ("2026-11-03", "7", "7")
    assert (row["impressions"], row["clicks"], row["spendMicros"]) == (1000, 20, 5_000_000)
    assert (row["conversions"], row["conversionValueMicros"]) == (2.5, 40_000_000)
    assert (row["ctr"], row["cpcMicros"], row["cpmMicros"]) == (0.02, 250_000, 5_000_000)
    assert (row["costPerConversionMicros"], row["roas"]) == (2_000_000, 8.0)
    assert (row["reach"], row["videoViews"], row["currency"]) == (900, None, "EUR")
    assert row["attribution"] == "7d_click_1d_view"
    [whole] = read(caller, fields="conversionsByType,extra")["results"]
    assert whole == {
        "conversionsByType": {"purchase": {"count": "2.5", "valueMicros": 40_000_000}},
        "extra": {"frequency": "1.1"},
    }


def test_nothing_to_divide_by_is_null(caller: Caller, connection: Connection) -> None:
    make_insight(connection, day=day(3), impressions=0, clicks=0, conversions=0, spend_micros=0)

    for path, query in ((PATH, {}), (TOTALS, {"by": "all"})):
        [row] = read(caller, path, **query)["results"]
        ratios = ("ctr", "cpcMicros", "cpmMicros", "costPerConversionMicros", "roas")
        assert [row[name] for name in ratios] == [None] * 5


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["1", "2", "1"]),
        ({"level": "ad"}, ["9"]),
        ({"level": "ad", "campaign": "1", "adGroup": "5"}, ["9"]),
        ({"id": "1"}, ["1", "1"]),
        ({"from": "2026-11-04"}, ["1"]),
        ({"to": "2026-11-03"}, ["1", "2"]),
        ({"ordering": "-day,id"}, ["1", "1", "2"]),
        ({"ordering": "-spendMicros"}, ["2", "1", "1"]),
        ({"provider": "google"}, []),
    ],
)
def test_filters_and_orders(
    caller: Caller, connection: Connection, query: dict[str, str], found: list[str]
) -> None:
    make_insight(connection, external_id="1", day=day(3))
    make_insight(connection, external_id="1", day=day(4))
    make_insight(connection, external_id="2", day=day(3), spend_micros=9_000_000)
    make_insight(
        connection,
        level="ad",
        external_id="9",
        day=day(3),
        campaign_external_id="1",
        ad_group_external_id="5",
    )
    make_insight(connection, level="ad_group", external_id="5", day=day(2))

    assert [row["id"] for row in read(caller, **query)["results"]] == found


def test_pages_go_on_over_months_and_ad_accounts(caller: Caller, account: Account) -> None:
    for connection in (make_connection(account), make_connection(account)):
        for number in range(12):
            for external_id in ("1", "2"):
                at = date(2026, 9, 26) + timedelta(days=5 * number)
                make_insight(connection, external_id=external_id, day=at)
    query = {"from": "2026-09-01", "to": "2026-11-24"}
    whole = read(caller, **query)["results"]

    paged: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        body = read(caller, **query, pageSize="7", **cursor)
        paged += body["results"]
        if body["nextCursor"] is None:
            break
        cursor = {"cursor": body["nextCursor"]}

    assert paged == whole
    assert len(whole) == 48


def two_shops(account: Account) -> tuple[Connection, Connection]:
    """One of euros at Meta, one of dollars at Google, each with two days of a campaign."""
    euros = make_connection(account)
    dollars = make_connection(account, Provider.GOOGLE, currency="USD")
    for number in (3, 4):
        make_insight(euros, external_id="1", day=day(number), clicks=10 * number, video_views=number)
        make_insight(
            dollars,
            external_id="2",
            day=day(number),
            attribution="click_date",
            spend_micros=1_000_000 * number,
        )
    return euros, dollars


def test_totals_are_one_per_currency(caller: Caller, account: Account) -> None:
    two_shops(account)

    body = read(caller, TOTALS, by="all")

    row = {**METRICS, "day": None, "id": None, "connectionId": None, "currency": str, "attributions": [str]}
    assert_shape({**body, "completeness": body["completeness"][:1]}, {"results": [row], **BESIDE})
    euros, dollars = body["results"]
    assert (euros["currency"], dollars["currency"]) == ("EUR", "USD")
    assert (euros["spendMicros"], dollars["spendMicros"]) == (10_000_000, 7_000_000)
    assert (euros["impressions"], euros["clicks"], euros["videoViews"]) == (2000, 70, 7)
    assert (euros["attributions"], dollars["attributions"]) == (["7d_click_1d_view"], ["click_date"])
    assert (euros["conversions"], dollars["videoViews"]) == (5.0, None)


def test_ratios_of_totals_are_those_of_the_sums(caller: Caller, connection: Connection) -> None:
    make_insight(connection, day=day(3), impressions=100, clicks=10, spend_micros=1_000_000)
    make_insight(connection, day=day(4), impressions=900, clicks=10, spend_micros=3_000_000)

    [total] = read(caller, TOTALS, by="all")["results"]

    assert (total["ctr"], total["cpcMicros"], total["cpmMicros"]) == (0.02, 200_000, 4_000_000)


def test_totals_by_entity_and_by_day(caller: Caller, account: Account) -> None:
    euros, dollars = two_shops(account)

    by_entity = read(caller, TOTALS, by="entity")["results"]
    by_day = read(caller, TOTALS, by="day")["results"]

    told = [(row["connectionId"], row["id"], row["spendMicros"], row["day"]) for row in by_entity]
    assert told == [(str(euros.pk), "1", 10_000_000, None), (str(dollars.pk), "2", 7_000_000, None)]
    assert [(row["day"], row["currency"], row["spendMicros"]) for row in by_day] == [
        ("2026-11-03", "EUR", 5_000_000),
        ("2026-11-03", "USD", 3_000_000),
        ("2026-11-04", "EUR", 5_000_000),
        ("2026-11-04", "USD", 4_000_000),
    ]


@pytest.mark.parametrize("ordering", ["id", "-spendMicros", "clicks,-id", "-connection"])
def test_totals_have_pages(caller: Caller, connection: Connection, ordering: str) -> None:
    for number in range(9):
        for at in (3, 4):
            make_insight(
                connection, external_id=str(number), day=day(at), clicks=number % 3, spend_micros=number % 2
            )
    query = {"by": "entity", "ordering": ordering}
    whole = read(caller, TOTALS, **query)["results"]

    first = read(caller, TOTALS, **query, pageSize="5")
    second = read(caller, TOTALS, **query, pageSize="5", cursor=first["nextCursor"])

    assert first["results"] + second["results"] == whole
    assert (len(whole), second["nextCursor"]) == (9, None)


def test_gaps_are_told_beside(caller: Caller, connection: Connection, account: Account) -> None:
    unread = make_connection(account)
    read_at = NOW - timedelta(hours=3)
    make_complete(connection, *(day(number) for number in range(1, 6)), is_final=True, read_at=read_at)
    make_complete(connection, *(day(number) for number in range(8, 19)), is_final=True)
    make_complete(connection, day(6), day(7), level="ad")

    first, second = read(caller, TOTALS, by="all")["completeness"]

    assert (first["connectionId"], first["completeUntil"]) == (str(connection.pk), "2026-11-05")
    assert first["gaps"] == [
        {"from": "2026-11-06", "to": "2026-11-07"},
        {"from": "2026-11-19", "to": "2026-11-20"},
    ]
    assert (first["readAt"], first["isFinal"]) == ("2026-11-24T09:00:00Z", False)
    assert second == {
        "connectionId": str(unread.pk),
        "completeUntil": None,
        "gaps": [{"from": "2026-11-01", "to": "2026-11-20"}],
        "readAt": None,
        "isFinal": False,
    }


def test_complete_days_are_told(caller: Caller, connection: Connection) -> None:
    make_complete(connection, *(day(number) for number in range(1, 21)), is_final=True)

    [told] = read(caller)["completeness"]

    assert (told["completeUntil"], told["gaps"], told["isFinal"]) == ("2026-11-20", [], True)


def test_a_day_of_another_attribution_than_is_set_is_a_gap(caller: Caller, connection: Connection) -> None:
    make_complete(connection, *(day(number) for number in range(1, 21)), is_final=True)
    make_connection(connection.account, attribution="1d_click")
    Connection.objects.filter(pk=connection.pk).update(attribution="7d_click")
    make_complete(Connection.objects.get(attribution="1d_click"), day(1), attribution="1d_click")

    changed, kept = read(caller)["completeness"]

    assert (changed["completeUntil"], changed["gaps"]) == (None, [{"from": "2026-11-01", "to": "2026-11-20"}])
    assert (kept["completeUntil"], kept["isFinal"]) == ("2026-11-01", False)
