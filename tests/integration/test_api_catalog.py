"""/api/campaigns, /api/ad-groups and /api/ads: what they tell, and which of them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User

from sync.models import Account, Campaign, Connection
from sync.models.choices import Provider
from tests.factories import make_ad, make_ad_group, make_campaign, make_connection
from tests.integration.api_callers import Caller, Id, Moment, assert_shape, by_token, rows

MORNING = datetime(2026, 11, 1, 8, tzinfo=UTC)
ENTITY = {
    "id": str,
    "connectionId": Id,
    "provider": str,
    "name": str,
    "status": str,
    "platformStatus": str,
    "platformCreatedAt": (Moment, None),
    "platformUpdatedAt": (Moment, None),
    "firstSeenAt": Moment,
    "removedAt": (Moment, None),
}
BUDGET = {
    **ENTITY,
    "biddingStrategy": str,
    "dailyBudgetMicros": (int, None),
    "lifetimeBudgetMicros": (int, None),
    "currency": str,
    "startsAt": (Moment, None),
    "endsAt": (Moment, None),
}
SHAPES = {
    "campaigns": {**BUDGET, "objective": str},
    "ad-groups": {**BUDGET, "campaignId": str, "bidMicros": (int, None)},
    "ads": {**ENTITY, "campaignId": str, "adGroupId": str, "adType": str, "creativeId": str},
}
MAKERS = {"campaigns": make_campaign, "ad-groups": make_ad_group, "ads": make_ad}
EACH = pytest.mark.parametrize("what", MAKERS)


@pytest.fixture
def caller(victor: User, account: Account) -> Caller:
    return by_token(victor, account)


def ids(caller: Caller, what: str = "campaigns", **query: str) -> list[str]:
    return [row["id"] for row in rows(caller, f"/api/{what}", **query)]


def refused(caller: Caller, path: str, **query: str) -> dict[str, str]:
    """Field and message of a 400's first detail."""
    answer = caller.get(path, **query)
    assert (answer.status, answer.body["error"]) == (400, "Validation error"), answer.body
    [detail] = answer.body["details"]
    assert isinstance(detail, dict)
    return detail


@EACH
def test_a_list_tells_every_field_of_its_type(caller: Caller, connection: Connection, what: str) -> None:
    MAKERS[what](connection)
    MAKERS[what](connection, platform_updated_at=MORNING, platform_created_at=MORNING)

    body = caller.get(f"/api/{what}").body

    assert_shape(body, {"results": [SHAPES[what]], "nextCursor": None})


@EACH
def test_one_is_found_by_the_platforms_id_with_its_raw_object(
    caller: Caller, connection: Connection, what: str
) -> None:
    MAKERS[what](connection, external_id="12~34", raw={"a": [1]})

    answer = caller.get(f"/api/{what}/12~34")

    assert answer.status == 200
    assert_shape(answer.body, {**SHAPES[what], "raw": dict})
    assert answer.body["raw"] == {"a": [1]}


def test_values_arrive_as_they_were_copied(caller: Caller, connection: Connection) -> None:
    make_campaign(
        connection,
        external_id="77",
        name="Summer",
        status="paused",
        platform_status="PAUSED",
        objective="OUTCOME_SALES",
        daily_budget_micros=12_500_000,
        starts_at=MORNING,
    )

    [row] = caller.get("/api/campaigns").body["results"]

    assert row["id"] == "77"
    assert (row["connectionId"], row["provider"]) == (str(connection.pk), "meta")
    assert (row["name"], row["status"], row["platformStatus"]) == ("Summer", "paused", "PAUSED")
    assert (row["dailyBudgetMicros"], row["currency"], row["lifetimeBudgetMicros"]) == (
        12_500_000,
        "EUR",
        None,
    )
    assert (row["startsAt"], row["endsAt"]) == ("2026-11-01T08:00:00Z", None)


def test_an_id_in_two_ad_accounts_asks_for_the_connection(
    caller: Caller, connection: Connection, account: Account
) -> None:
    google = make_connection(account, Provider.GOOGLE)
    for one in (connection, google):
        make_campaign(one, external_id="77")

    assert refused(caller, "/api/campaigns/77")["field"] == "connection"
    body = caller.get("/api/campaigns/77", connection=str(google.pk)).body
    assert (body["connectionId"], body["provider"]) == (str(google.pk), "google")
    assert caller.get("/api/campaigns/77", provider="meta").body["connectionId"] == str(connection.pk)


def test_removed_ones_are_told_when_asked_for(caller: Caller, connection: Connection) -> None:
    make_campaign(connection, external_id="1")
    make_campaign(connection, external_id="2", removed_at=MORNING)

    assert ids(caller) == ids(caller, removed="false") == ["1"]
    assert ids(caller, removed="true") == ["2"]
    assert ids(caller, removed="all") == ["1", "2"]
    assert caller.get("/api/campaigns/2").body["removedAt"] == "2026-11-01T08:00:00Z"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "paused"}, ["2"]),
        ({"status": "active,paused"}, ["1", "2"]),
        ({"id": "2,3"}, ["2", "3"]),
        ({"search": "SALE"}, ["1", "3"]),
        ({"search": "%"}, ["3"]),
        ({"search": "sale", "status": "archived"}, ["3"]),
        ({"provider": "google"}, []),
        ({"provider": "google,meta"}, ["1", "2", "3"]),
    ],
)
def test_filters_narrow_the_list(
    caller: Caller, connection: Connection, query: dict[str, str], found: list[str]
) -> None:
    make_campaign(connection, external_id="1", name="Summer sale", status="active")
    make_campaign(connection, external_id="2", name="Brand", status="paused")
    make_campaign(connection, external_id="3", name="Sale 50%", status="archived")

    assert ids(caller, **query) == found


def test_parents_narrow_the_list(caller: Caller, connection: Connection) -> None:
    make_ad_group(connection, external_id="10", campaign_external_id="1")
    make_ad_group(connection, external_id="20", campaign_external_id="2")
    make_ad_group(connection, external_id="12", campaign_external_id="2")
    make_ad(connection, external_id="100", campaign_external_id="1", ad_group_external_id="10")
    make_ad(connection, external_id="200", campaign_external_id="1", ad_group_external_id="11")

    assert ids(caller, "ad-groups", campaign="1") == ["10"]
    assert ids(caller, "ads", campaign="1") == ["100", "200"]
    assert ids(caller, "ads", campaign="1", adGroup="11,12") == ["200"]


@pytest.mark.parametrize(
    ("ordering", "found"),
    [
        ("name", ["3", "2", "1"]),
        ("-name", ["1", "2", "3"]),
        ("-id", ["3", "2", "1"]),
        ("dailyBudgetMicros", ["2", "1", "3"]),
        ("-dailyBudgetMicros", ["3", "1", "2"]),
        ("status,-dailyBudgetMicros", ["1", "2", "3"]),
        ("-platformUpdatedAt,id", ["1", "2", "3"]),
    ],
)
def test_the_order_is_as_asked_for(
    caller: Caller, connection: Connection, ordering: str, found: list[str]
) -> None:
    make_campaign(connection, external_id="1", name="C", daily_budget_micros=0, platform_updated_at=MORNING)
    make_campaign(connection, external_id="2", name="B", daily_budget_micros=None)
    make_campaign(connection, external_id="3", name="A", daily_budget_micros=9, status="paused")

    assert ids(caller, ordering=ordering) == found


def test_only_the_fields_asked_for_are_told_in_their_order(caller: Caller, connection: Connection) -> None:
    make_campaign(connection, external_id="7", name="Sale", raw={"a": 1})

    [row] = caller.get("/api/campaigns", fields="name,id,raw").body["results"]

    assert list(row.items()) == [("name", "Sale"), ("id", "7"), ("raw", {"a": 1})]
    assert caller.get("/api/campaigns/7", fields="currency").body == {"currency": "EUR"}


WRONG = [
    ({"stauts": "active"}, "stauts", "status"),
    ({"status": "on"}, "status", "active, paused, archived, removed, unknown"),
    ({"status": ""}, "status", "blank"),
    ({"removed": "yes"}, "removed", "false, true, all"),
    ({"provider": "tiktok"}, "provider", "meta, google"),
    ({"connection": "7"}, "connection", "UUID"),
    ({"id": "a b"}, "id", "no id of a platform"),
    ({"id": ",".join(map(str, range(201)))}, "id", "at most 200"),
    ({"ordering": "raw"}, "ordering", "dailyBudgetMicros"),
    ({"fields": "id,secret"}, "fields", "connectionId"),
    ({"pageSize": "501"}, "pageSize", "500"),
    ({"pageSize": "0"}, "pageSize", "1"),
    ({"pageSize": "many"}, "pageSize", "integer"),
    ({"format": "xml"}, "format", "json, csv"),
    ({"search": "a\0"}, "search", "Null"),
    ({"search": "a" * 201}, "search", "200"),
    ({"cursor": "abc"}, "cursor", "Begin again"),
]


@pytest.mark.parametrize(
    ("query", "field", "hint"), WRONG, ids=[f"{next(iter(q.items()))}"[:40] for q, *_ in WRONG]
)
def test_a_wrong_query_is_named_and_told_what_is_right(
    caller: Caller, connection: Connection, query: dict[str, str], field: str, hint: str
) -> None:
    detail = refused(caller, "/api/campaigns", **query)

    assert detail["field"].split(".")[0] == field
    assert hint in detail["message"]


@pytest.mark.parametrize("word", ["csv", "json", "xml"])
def test_one_entity_has_no_formats(caller: Caller, connection: Connection, word: str) -> None:
    make_campaign(connection, external_id="7")

    assert refused(caller, "/api/campaigns/7", format=word)["field"] == "format"


def test_a_parameter_is_sent_once(caller: Caller, connection: Connection) -> None:
    answer = caller.call("GET", "/api/campaigns?status=active&status=paused")

    assert answer.status == 400
    assert answer.body["details"][0]["field"] == "status"


@pytest.mark.parametrize("path", ["campaigns", "campaigns/1", "ads", "ad-groups"])
def test_an_unknown_ad_account_is_not_found(
    caller: Caller, connection: Connection, other_account: Account, path: str
) -> None:
    theirs = make_connection(other_account)

    answer = caller.get(f"/api/{path}", connection=f"{connection.pk},{theirs.pk}")

    assert (answer.status, answer.body["error"]) == (404, "Not found")
    assert str(theirs.pk) in answer.body["message"]


def test_an_unknown_id_is_not_found(caller: Caller, connection: Connection) -> None:
    assert caller.get("/api/campaigns/1").status == 404
    assert caller.get("/api/ad-groups/%00").status == 404


@pytest.mark.parametrize(
    ("what", "query"),
    [
        ("campaigns", {"id": "1,9"}),
        ("ad-groups", {"id": "9"}),
        ("ad-groups", {"campaign": "9"}),
        ("ads", {"campaign": "1,9"}),
        ("ads", {"campaign": "1", "adGroup": "9"}),
        ("ads", {"id": "1", "format": "csv"}),
    ],
)
def test_an_unknown_id_in_a_filter_is_not_found(
    caller: Caller, connection: Connection, other_account: Account, what: str, query: dict[str, str]
) -> None:
    make_campaign(connection, external_id="1")
    theirs = make_connection(other_account)
    for make in MAKERS.values():
        make(theirs, external_id="9", **({} if make is make_campaign else {"campaign_external_id": "9"}))

    answer = caller.get(f"/api/{what}", **query)

    assert (answer.status, answer.body["error"]) == (404, "Not found")
    assert f"with the id {query.get('id', '9')[-1]} is known" in answer.body["message"]


def test_a_known_id_that_has_nothing_gives_an_empty_list(caller: Caller, connection: Connection) -> None:
    make_campaign(connection, external_id="1", removed_at=MORNING)

    assert ids(caller, id="1") == []
    assert ids(caller, "ad-groups", campaign="1") == []
    assert ids(caller, "ads", campaign="1") == []


def pages(caller: Caller, path: str, **query: str) -> list[Any]:
    """Each page's rows, by the cursor."""
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        body = caller.get(path, **query, **cursor).body
        found.append(body["results"])
        if body["nextCursor"] is None:
            return found
        cursor = {"cursor": body["nextCursor"]}


@pytest.mark.parametrize(
    "ordering", ["id", "-name", "status", "-status,name", "dailyBudgetMicros", "-platformUpdatedAt"]
)
def test_pages_hold_every_row_once(caller: Caller, account: Account, ordering: str) -> None:
    for number, connection in enumerate([make_connection(account) for _ in range(3)]):
        for row in range(7):
            make_campaign(
                connection,
                external_id=str(row),
                name=f"Same {row % 2}",
                status="paused" if row % 3 else "active",
                daily_budget_micros=row % 3 or None,
                platform_updated_at=MORNING if number else None,
            )

    whole = caller.get("/api/campaigns", ordering=ordering).body["results"]
    paged = pages(caller, "/api/campaigns", ordering=ordering, pageSize="4")

    assert [len(page) for page in paged] == [4, 4, 4, 4, 4, 1]
    assert [row for page in paged for row in page] == whole
    assert len({(row["connectionId"], row["id"]) for row in whole}) == 21


def test_pages_stay_in_place_while_rows_come_and_go(caller: Caller, connection: Connection) -> None:
    for number in range(10, 20):
        make_campaign(connection, external_id=str(number))
    first = caller.get("/api/campaigns", pageSize="4").body

    make_campaign(connection, external_id="05")
    make_campaign(connection, external_id="155")
    Campaign.objects.filter(external_id__in=["11", "13", "17"]).delete()

    assert [row["id"] for row in first["results"]] == ["10", "11", "12", "13"]
    assert ids(caller, cursor=first["nextCursor"]) == ["14", "15", "155", "16", "18", "19"]


def test_a_cursor_is_of_its_list_and_order_only(caller: Caller, connection: Connection) -> None:
    for _ in range(2):
        make_campaign(connection)
        make_ad(connection)
    cursor = caller.get("/api/campaigns", pageSize="1").body["nextCursor"]

    for path, query in (
        ("/api/ads", {"cursor": cursor}),
        ("/api/campaigns", {"cursor": cursor, "ordering": "name"}),
        ("/api/campaigns", {"cursor": cursor[:-1] + ("a" if cursor[-1] != "a" else "b")}),
        ("/api/campaigns", {"cursor": "é" + cursor}),
    ):
        assert refused(caller, path, **query)["field"] == "cursor"
