"""/api/connections: the ad accounts, and in which condition they are."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from sync.ledger.pause import pause
from sync.models import Account, Connection
from sync.models.choices import ConnectionStatus, CredentialStatus, Provider
from sync.models.connection import CONDITIONS
from tests.factories import make_connection
from tests.integration.api_callers import Caller, Id, Moment, assert_shape, by_token, written

PATH = "/api/connections"
ROW = {
    "id": Id,
    "provider": str,
    "externalId": str,
    "name": str,
    "status": str,
    "currency": str,
    "timeZone": str,
    "attribution": str,
    "lastSyncAt": (Moment, None),
    "lastFullSyncAt": (Moment, None),
    "nextSyncAt": (Moment, None),
    "createdAt": Moment,
}


@pytest.fixture
def caller(victor: User, account: Account) -> Caller:
    return by_token(victor, account)


def test_an_ad_account_tells_all_about_itself(caller: Caller, account: Account) -> None:
    synced = datetime(2026, 11, 1, 8, tzinfo=UTC)
    one = make_connection(account, name="Shop", attribution="7d_click", last_sync_at=synced)

    body = caller.get(PATH).body

    assert_shape(body, {"results": [ROW], "nextCursor": None})
    [row] = body["results"]
    assert (row["id"], row["provider"], row["externalId"]) == (str(one.pk), "meta", one.external_id)
    assert (row["name"], row["currency"], row["timeZone"]) == ("Shop", "EUR", "Europe/Berlin")
    assert (row["attribution"], row["status"], row["lastFullSyncAt"]) == ("7d_click", "active", None)
    assert (row["lastSyncAt"], row["nextSyncAt"]) == ("2026-11-01T08:00:00Z", written(one.next_sync_at))
    assert caller.get(f"{PATH}/{one.pk}").body == row


def in_every_condition(account: Account) -> list[Connection]:
    """One in each, and some in which two things stand in the way."""
    active, paused, lost, denied, gone, both = (make_connection(account) for _ in range(6))
    pause(paused, by="carol")
    pause(both, by="carol")
    for one in (lost, both):
        one.credential.status = CredentialStatus.RECONNECT_NEEDED
        one.credential.save()
    Connection.objects.filter(pk=denied.pk).update(status=ConnectionStatus.ACCESS_DENIED)
    Connection.objects.filter(pk=gone.pk).update(status=ConnectionStatus.DISCONNECTED)
    return [active, paused, lost, denied, gone, both]


@pytest.mark.parametrize("whole_account", [False, True], ids=["its own", "its account paused"])
def test_the_status_is_the_condition_that_everything_else_tells(
    caller: Caller, account: Account, *, whole_account: bool
) -> None:
    in_every_condition(account)
    if whole_account:
        pause(account, by="carol")

    told = {row["id"]: row for row in caller.get(PATH).body["results"]}

    assert len(told) == 6
    for one in Connection.objects.select_related("account", "credential"):
        assert told[str(one.pk)]["status"] == one.condition
        assert (told[str(one.pk)]["nextSyncAt"] is None) is (one.condition != "active")


@pytest.mark.parametrize("status", CONDITIONS)
def test_the_status_narrows_the_list(caller: Caller, account: Account, status: str) -> None:
    expected = [str(one.pk) for one in in_every_condition(account)]
    conditions = {row["id"]: row["status"] for row in caller.get(PATH).body["results"]}

    found = [row["id"] for row in caller.get(PATH, status=status).body["results"]]

    assert found == [pk for pk in expected if conditions[pk] == status]
    assert found


def test_filters_and_orders(caller: Caller, account: Account) -> None:
    meta = make_connection(account, name="Beta shop", external_id="act_1")
    google = make_connection(account, Provider.GOOGLE, name="Alpha shop", external_id="2")

    def names(**query: str) -> list[str]:
        return [row["name"] for row in caller.get(PATH, **query).body["results"]]

    assert sorted(names()) == [google.name, meta.name]
    assert names(provider="google") == names(externalId="2") == names(search="alpha") == [google.name]
    assert names(ordering="name") == names(ordering="externalId") == [google.name, meta.name]


@pytest.mark.parametrize("field", ["secret", "credential", "raw"])
def test_no_field_of_the_grant_can_be_asked_for(caller: Caller, connection: Connection, field: str) -> None:
    assert caller.get(PATH, fields=field).status == 400


def test_an_unknown_one_is_not_found(caller: Caller, connection: Connection) -> None:
    assert caller.get(f"{PATH}/{uuid4()}").status == 404
    assert caller.get(f"{PATH}/act_1").status == 404
