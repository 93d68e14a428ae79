"""What changed, read out of `change_status`: whose change a row is, and from when on to ask."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from providers.base import Selection
from providers.errors import InvalidRequest
from providers.google.changes import MOST, query, since
from providers.google.stream import Row
from providers.sandbox.gaql import parse

NOW = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))
A_MOMENT_AGO = timedelta(minutes=10)


def row(name: str, kind: str = "UNKNOWN", **fields: str) -> Row:
    status = {"resourceName": f"customers/1/changeStatus/{name}", "resourceType": kind, **fields}
    return {"changeStatus": status}


def answering(*rows: Row, budgets: tuple[Row, ...] = ()) -> Callable[[str], Iterator[list[Row]]]:
    """Google, with these changes, and these campaigns for budgets."""

    def ask(asked: str) -> Iterator[list[Row]]:
        yield list(rows if parse(asked).resource == "change_status" else budgets)

    return ask


def changed(*rows: Row, **known: Any) -> Selection | None:
    return since(NOW - A_MOMENT_AGO, NOW, answering(*rows, **known))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row("1-5-22", "CAMPAIGN", campaign="customers/1/campaigns/22")], {"campaign_ids": ("22",)}),
        ([row("1-2-33", "AD_GROUP", adGroup="customers/1/adGroups/33")], {"ad_group_ids": ("33",)}),
        ([row("1-3-33-44", "AD_GROUP_AD", adGroupAd="customers/1/adGroupAds/33~44")], {"ad_ids": ("33~44",)}),
        ([row("1-7-9", "CAMPAIGN_BUDGET", campaign="customers/1/campaigns/22")], {"campaign_ids": ("22",)}),
        ([row("1-5-22", "CAMPAIGN")], {"campaign_ids": ("22",)}),
        ([row("1-5-22"), row("1-2-33")], {"campaign_ids": ("22",), "ad_group_ids": ("33",)}),
        ([row("1-3-33-44")], {"ad_ids": ("33~44",)}),
        ([row("1-4-33-55"), row("1-6-22-55"), row("1-99-1-2-3")], {}),
        ([row("1-13-77", "SOMETHING_NEW")], {}),
    ],
)  # fmt: skip
def test_a_row_tells_what_to_read_again(rows: list[Row], expected: dict[str, Any]) -> None:
    assert changed(*rows) == Selection(**expected, with_children=False)


def test_a_budget_that_names_no_campaign_is_looked_up() -> None:
    owners = ({"campaign": {"id": "22"}}, {"campaign": {"id": "23"}})

    selection = changed(row("1-7-9", "CAMPAIGN_BUDGET"), row("1-5-22", "CAMPAIGN"), budgets=owners)

    assert selection == Selection(campaign_ids=("22", "23"), with_children=False)


def test_more_changes_than_an_answer_holds_ask_for_a_full_pass() -> None:
    assert changed(*[row("1-5-22", "CAMPAIGN")] * MOST) is None
    assert changed(*[row("1-5-22", "CAMPAIGN")] * (MOST - 1)) is not None


@pytest.mark.parametrize(("days", "asked"), [(89, True), (90, False), (4_000, False)])
def test_what_google_forgot_is_not_asked_for(days: int, asked: bool) -> None:
    assert (since(NOW - timedelta(days=days), NOW, answering()) is not None) is asked


def test_too_old_by_googles_clock_asks_for_a_full_pass() -> None:
    def ask(code: str) -> Callable[[str], Iterator[list[Row]]]:
        def refuse(asked: str) -> Iterator[list[Row]]:
            raise InvalidRequest("no", platform_code=code)
            yield []

        return refuse

    assert since(NOW, NOW, ask("changeStatusError.START_DATE_TOO_OLD")) is None
    with pytest.raises(InvalidRequest):
        since(NOW, NOW, ask("changeStatusError.LIMIT_NOT_SPECIFIED"))


def test_only_googles_own_delay_is_allowed_for_and_clocks_are_the_callers() -> None:
    asked: list[str] = []

    def ask(query: str) -> Iterator[list[Row]]:
        asked.append(query)
        yield []

    since(NOW, NOW, ask)

    assert [parse(query).conditions[0].value for query in asked] == ["2026-07-01 11:57:00.000000"]


def begins(begin: str, now: str, zone: str) -> str:
    at = datetime.fromisoformat(now).astimezone(ZoneInfo(zone))
    asked = parse(query(datetime.fromisoformat(begin), at))
    return str(asked.conditions[0].value)


@pytest.mark.parametrize(
    ("begin", "now", "zone", "expected"),
    [
        ("2026-07-01T10:00:00.000001Z", "2026-07-01T11:00Z", "Asia/Tokyo", "2026-07-01 19:00:00.000001"),
        ("2026-03-29T00:30Z", "2026-03-29T03:00Z", "Europe/Berlin", "2026-03-29 01:30:00.000000"),
        # 02:30 in summer; half an hour later it is 02:00 in winter, which is after it and looks earlier
        ("2026-10-25T00:30Z", "2026-10-25T01:00Z", "Europe/Berlin", "2026-10-25 01:30:00.000000"),
        ("2026-10-25T01:30Z", "2026-10-25T02:00Z", "Europe/Berlin", "2026-10-25 02:30:00.000000"),
        ("2026-09-01T10:00Z", "2026-11-01T10:00Z", "Europe/Berlin", "2026-09-01 11:00:00.000000"),
    ],
)
def test_the_customers_clock_loses_no_change_when_it_is_turned_back(
    begin: str, now: str, zone: str, expected: str
) -> None:
    assert begins(begin, now, zone) == expected
