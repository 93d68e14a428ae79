"""Who changed what, read out of `change_event`; and nobody's address is handed on."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from providers.errors import PlatformFault, TooMuchData
from providers.google.edits import KEPT, between
from providers.google.stream import Row
from providers.pseudonym import pseudonym_of
from providers.records import Edit, Stream
from providers.sandbox.gaql import parse

NOW = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))
AN_HOUR = timedelta(hours=1)
EMAIL = "Alice@Example.com"
BUDGET = "customers/1/campaignBudgets/9"


def event(kind: str = "CAMPAIGN", name: str = "customers/1/campaigns/22", **fields: str) -> Row:
    told = {
        "changeDateTime": "2026-07-01 11:30:00.25",
        "changeResourceType": kind,
        "changeResourceName": name,
        "resourceChangeOperation": "UPDATE",
        "changedFields": "name,ad.finalUrls,cpcBidMicros",
        "clientType": "GOOGLE_ADS_WEB_CLIENT",
        "userEmail": EMAIL,
    }
    return {"changeEvent": told | fields}


def read(*rows: Row, since: datetime = NOW - AN_HOUR, until: datetime = NOW) -> list[Edit]:
    return list(between(since, until, NOW, answering(*rows), pseudonym))


def answering(*rows: Row, asked: list[str] | None = None) -> Callable[[str], Iterator[list[Row]]]:
    def ask(query: str) -> Iterator[list[Row]]:
        if asked is not None:
            asked.append(query)
        yield list(rows)

    return ask


def pseudonym(email: str) -> str:
    return pseudonym_of(email, secret="secret", account_id="1")


def test_an_edit_tells_what_when_by_whom_and_how() -> None:
    assert read(event()) == [
        Edit(
            stream=Stream.CAMPAIGNS,
            external_id="22",
            at=datetime(2026, 7, 1, 9, 30, 0, 250_000, UTC),
            by=pseudonym(EMAIL),
            through="GOOGLE_ADS_WEB_CLIENT",
            operation="changed",
            fields=("name", "ad.final_urls", "cpc_bid_micros"),
        )
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (event("AD_GROUP", "customers/1/adGroups/33"), [(Stream.AD_GROUPS, "33")]),
        (event("AD_GROUP_AD", "customers/1/adGroupAds/33~44"), [(Stream.ADS, "33~44")]),
        (event("AD", "customers/1/ads/44", adGroup="customers/1/adGroups/33"), [(Stream.ADS, "33~44")]),
        (event("AD", "customers/1/ads/44"), []),
        (event("CAMPAIGN_BUDGET", BUDGET, campaign="customers/1/campaigns/22"), [(Stream.CAMPAIGNS, "22")]),
        (event("CAMPAIGN_BUDGET", BUDGET), []),
        (event("ASSET", "customers/1/assets/9"), []),
    ],
)  # fmt: skip
def test_an_edit_is_of_what_is_copied(row: Row, expected: list[tuple[Stream, str]]) -> None:
    assert [(edit.stream, edit.external_id) for edit in read(row)] == expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [("CREATE", "created"), ("UPDATE", "changed"), ("REMOVE", "removed"), ("UNKNOWN", "changed")],
)
def test_operations_have_our_words(told: str, expected: str) -> None:
    assert read(event(resourceChangeOperation=told))[0].operation == expected


def test_what_is_left_out_is_empty() -> None:
    row = event()
    for name in ("userEmail", "clientType", "changedFields", "resourceChangeOperation"):
        del row["changeEvent"][name]

    (edit,) = read(row)

    assert (edit.by, edit.through, edit.fields) == ("", "", ())


def test_a_form_that_nobody_knows_is_a_fault() -> None:
    with pytest.raises(PlatformFault):
        read({"changeEvent": {"changeResourceType": "CAMPAIGN"}})


def test_a_pseudonym_is_the_same_for_the_same_person_of_a_customer() -> None:
    mine = pseudonym(EMAIL)

    assert mine == pseudonym(" alice@example.COM")
    assert "alice" not in mine
    assert len({mine, pseudonym("bob@example.com"), pseudonym_of(EMAIL, secret="secret", account_id="2"),
                pseudonym_of(EMAIL, secret="other", account_id="1")}) == 4  # fmt: skip
    assert pseudonym_of(EMAIL, secret="", account_id="1") == pseudonym("") == ""


def test_no_more_is_asked_than_google_remembers() -> None:
    asked: list[str] = []
    list(between(NOW - timedelta(days=90), NOW, NOW, answering(asked=asked), pseudonym))

    (query,) = asked
    begin = datetime.fromisoformat(str(parse(query).conditions[0].value))
    assert begin > (NOW - KEPT).replace(tzinfo=None)


@pytest.mark.parametrize(
    "times",
    [{"since": NOW, "until": NOW}, {"since": NOW - 50 * KEPT, "until": NOW - 40 * KEPT}],
)
def test_a_range_without_a_moment_that_google_remembers_costs_nothing(times: dict[str, Any]) -> None:
    asked: list[str] = []

    assert list(between(times["since"], times["until"], NOW, answering(asked=asked), pseudonym)) == []
    assert asked == []


def test_what_lies_outside_the_range_is_left_out() -> None:
    late = event(changeDateTime="2026-07-01 12:30:00.000000")

    assert len(read(event(), late)) == 1


def test_in_the_hour_that_comes_twice_the_first_is_meant() -> None:
    """Google's log does not say which: a change of the second is nobody's rather than somebody else's."""
    row = event(changeDateTime="2026-10-25 02:30:00.000000")
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))

    (told,) = read(row, since=first - AN_HOUR, until=first)

    assert told.at == first
    assert read(row, since=second - AN_HOUR / 2, until=second) == []


def test_a_log_that_is_longer_tells_so_behind_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.google.edits.MOST", 2)
    edits: list[Edit] = []

    with pytest.raises(TooMuchData, match="no more than 2 changes"):
        edits.extend(between(NOW - AN_HOUR, NOW, NOW, answering(event(), event("ASSET")), pseudonym))

    assert len(edits) == 1
