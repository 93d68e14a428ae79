"""What /api/insights and its totals may be asked: words for days, filters, orders, and what is wrong."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from sync.api.data.period import RANGES
from sync.models import Account, Connection
from tests.factories import make_campaign, make_connection, make_insight
from tests.integration.api_callers import Caller
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

DAYS = {
    "today": ("2026-11-24", "2026-11-24"),
    "yesterday": ("2026-11-23", "2026-11-23"),
    "last_7d": ("2026-11-17", "2026-11-23"),
    "last_14d": ("2026-11-10", "2026-11-23"),
    "last_28d": ("2026-10-27", "2026-11-23"),
    "last_30d": ("2026-10-25", "2026-11-23"),
    "last_90d": ("2026-08-26", "2026-11-23"),
    "this_week": ("2026-11-23", "2026-11-24"),
    "last_week": ("2026-11-16", "2026-11-22"),
    "this_month": ("2026-11-01", "2026-11-24"),
    "last_month": ("2026-10-01", "2026-10-31"),
    "this_year": ("2026-01-01", "2026-11-24"),
}


@pytest.mark.parametrize("word", RANGES)
def test_a_word_names_the_days(caller: Caller, connection: Connection, word: str) -> None:
    body = caller.get(PATH, level="campaign", range=word).body

    assert (body["from"], body["to"]) == DAYS[word]


@pytest.mark.parametrize(
    "days", [{"range": "last_7d"}, {"from": "2026-11-17"}], ids=["a word", "up to today"]
)
@pytest.mark.parametrize(("path", "by"), [(PATH, {}), (TOTALS, {"by": "entity"})])
def test_pages_are_of_the_first_ones_days_though_midnight_goes_by(
    caller: Caller, account: Account, path: str, by: dict[str, str], days: dict[str, str]
) -> None:
    for _ in range(2):
        connection = make_connection(account, time_zone="UTC")
        for number in range(15, 26):
            make_insight(connection, day=day(number), external_id="1")
    query = {"level": "campaign", **by, **days}
    whole = caller.get(path, **query).body

    first = caller.get(path, **query, pageSize="1").body
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        second = caller.get(path, **query, cursor=first["nextCursor"]).body

    assert first["results"] + second["results"] == whole["results"]
    assert (second["from"], second["to"]) == (whole["from"], whole["to"])
    assert second["completeness"] == whole["completeness"]


def test_days_are_those_of_the_ad_accounts(caller: Caller, account: Account) -> None:
    make_connection(account, time_zone="Pacific/Auckland")  # where it is the 25th already
    there = make_connection(account, time_zone="America/Los_Angeles")

    with time_machine.travel(datetime(2026, 11, 24, 12, 30, tzinfo=UTC), tick=False):
        both = caller.get(PATH, level="campaign", range="today").body
        named = caller.get(PATH, level="campaign", **{"from": "2026-11-25"})
        only = caller.get(PATH, level="campaign", connection=str(there.pk), **{"from": "2026-11-25"})

    assert (both["from"], named.body["to"]) == ("2026-11-24", "2026-11-25")
    assert refused(only)[0] == "from"


@pytest.mark.parametrize(
    ("query", "field", "hint"),
    [
        ({**NOVEMBER}, "level", "required"),
        ({"level": "keyword", **NOVEMBER}, "level", "account, campaign, ad_group, ad"),
        ({"level": "ad"}, "from", "last_7d"),
        ({"level": "ad", "to": "2026-11-20"}, "from", "last_7d"),
        ({"level": "ad", "from": "2026-11-20", "to": "2026-11-01"}, "to", "before"),
        ({"level": "ad", "from": "2026-12-01"}, "from", "2026-11-24"),
        ({"level": "ad", "from": "2026-11-01", "to": "2026-12-01"}, "to", "2026-11-24"),
        ({"level": "ad", "from": "2023-10-24"}, "from", "37 months"),
        ({"level": "ad", "from": "1.11.2026"}, "from", "2026-11-24"),
        ({"level": "ad", "from": "2026-02-30"}, "from", "2026-11-24"),
        ({"level": "ad", "range": "ever"}, "range", "last_month"),
        ({"level": "ad", "range": "today", "to": "2026-11-20"}, "range", "alone"),
        ({"level": "campaign", "campaign": "1", **NOVEMBER}, "campaign", "campaign"),
        ({"level": "ad_group", "adGroup": "1", **NOVEMBER}, "adGroup", "ad_group"),
        ({"level": "ad", "ordering": "reach", **NOVEMBER}, "ordering", "spendMicros"),
        ({"level": "ad", "by": "all", **NOVEMBER}, "by", "unknown"),
    ],
)
def test_a_wrong_query_is_named(
    caller: Caller, connection: Connection, query: dict[str, str], field: str, hint: str
) -> None:
    named, message = refused(caller.get(PATH, **query))

    assert named == field
    assert hint in message


@pytest.mark.parametrize(
    ("query", "field", "hint"),
    [
        ({}, "by", "required"),
        ({"by": "week"}, "by", "entity, day, all"),
        ({"by": "all", "ordering": "day"}, "ordering", "have no day"),
        ({"by": "day", "ordering": "-id"}, "ordering", "have no id"),
    ],
)
def test_a_wrong_total_is_named(
    caller: Caller, connection: Connection, query: dict[str, str], field: str, hint: str
) -> None:
    named, message = refused(caller.get(TOTALS, **{**CAMPAIGNS, **query}))

    assert named == field
    assert hint in message


def test_the_oldest_day_is_37_months_ago(caller: Caller, connection: Connection) -> None:
    assert caller.get(PATH, level="ad", **{"from": "2023-10-25"}).status == 200


def test_an_unknown_entity_is_not_found(
    caller: Caller, connection: Connection, other_account: Account
) -> None:
    make_campaign(connection, external_id="1")
    make_insight(connection, external_id="2", day=day(3))  # a platform tells it, and lists it no more
    make_insight(make_connection(other_account), external_id="3", day=day(3))

    assert read(caller, id="1")["results"] == []
    assert len(read(caller, id="1,2")["results"]) == 1
    for query in ({"id": "1,3"}, {"level": "ad", "campaign": "3"}, {"level": "account", "id": "3"}):
        answer = caller.get(PATH, **{**CAMPAIGNS, **query})
        assert (answer.status, answer.body["error"]) == (404, "Not found")
        assert "3" in answer.body["message"]
    own = read(caller, level="account", id=connection.external_id)
    assert own["results"] == []
