"""GET /api/sync/manual: what the manual-sync button reads."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from sync.ledger.pause import pause
from sync.models import Account, Connection
from sync.models.choices import CredentialStatus, Kind, Provider, RunState, Trigger
from tests.factories import make_connection, make_run, make_sync
from tests.integration.api_callers import MANUAL, Caller, Moment, assert_shape, by_token, written
from tests.integration.test_api_status import JOB, QUEUE, RUN

BODY = {
    "syncStatus": QUEUE,
    "recentSyncs": [RUN],
    "connection": {
        "status": str,
        "lastSyncAt": (Moment, None),
        "nextSyncAt": (Moment, None),
        "syncErrors": int,
    },
    "canSync": bool,
}


@pytest.fixture
def caller(bob: User, account: Account) -> Caller:
    return by_token(bob, account)


def state(caller: Caller, provider: str = "meta") -> Any:
    answer = caller.get(MANUAL, provider=provider)
    assert answer.status == 200
    return answer.body


def test_every_field_is_there_with_its_type(caller: Caller, account: Account) -> None:
    last = timezone.now() - timedelta(minutes=5)
    connection = make_connection(account, last_sync_at=last)
    make_run(connection, state=RunState.RUNNING)

    body = state(caller)

    assert_shape(body, BODY)
    assert_shape(body["syncStatus"]["activeJob"], JOB)
    assert body["connection"]["status"] == "active"
    assert body["connection"]["lastSyncAt"] == written(last)


def test_the_ten_newest_syncs_of_the_provider_are_listed(caller: Caller, account: Account) -> None:
    meta, google = make_connection(account), make_connection(account, Provider.GOOGLE)
    runs = [make_run(meta, state=RunState.SUCCEEDED) for _ in range(12)]
    make_run(google, state=RunState.SUCCEEDED)

    listed = [run["id"] for run in state(caller)["recentSyncs"]]

    assert listed == [str(run.pk) for run in reversed(runs)][:10]


def test_a_provider_without_a_connection_is_disconnected(caller: Caller) -> None:
    body = state(caller)

    nothing = {"status": "disconnected", "lastSyncAt": None, "nextSyncAt": None, "syncErrors": 0}
    assert body["connection"] == nothing
    assert (body["canSync"], body["recentSyncs"], body["syncStatus"]["isActive"]) == (False, [], False)


def test_several_connections_are_told_as_one(caller: Caller, account: Account) -> None:
    soon = timezone.now() + timedelta(minutes=3)
    lost = make_connection(account)
    lost.credential.status = CredentialStatus.RECONNECT_NEEDED
    lost.credential.save()
    make_connection(account, next_sync_at=soon)
    failed = make_connection(account)
    make_run(failed, state=RunState.FAILED)

    told = state(caller)["connection"]

    assert (told["status"], told["syncErrors"]) == ("active", 2)
    assert told["nextSyncAt"] == written(soon)


@pytest.mark.parametrize(
    ("open_run", "can_sync"),
    [
        (None, True),
        ({"state": RunState.QUEUED}, True),
        ({"state": RunState.QUEUED, "trigger": Trigger.MANUAL}, False),
        ({"state": RunState.RUNNING, "trigger": Trigger.MANUAL}, False),
    ],
)
def test_the_button_is_free_when_asking_would_be_accepted(
    caller: Caller, connection: Connection, open_run: dict[str, Any] | None, can_sync: bool
) -> None:
    if open_run:
        make_sync(connection, **open_run)

    assert state(caller)["canSync"] is can_sync
    assert (caller.post(MANUAL, {"provider": "meta"}).status == 202) is can_sync


@pytest.mark.parametrize("kind", [Kind.ADS, Kind.INSIGHTS])
def test_what_reads_something_else_leaves_the_button_free(
    caller: Caller, connection: Connection, kind: Kind
) -> None:
    make_run(connection, kind=kind, state=RunState.RUNNING, trigger=Trigger.MANUAL)

    assert state(caller)["canSync"] is True
    assert caller.post(MANUAL, {"provider": "meta"}).status == 202


def test_the_button_is_not_free_when_the_limit_is_reached(caller: Caller, account: Account) -> None:
    for _ in range(5):
        make_connection(account)
        assert caller.post(MANUAL, {"provider": "meta"}).status == 202
    make_connection(account)

    assert state(caller)["canSync"] is False


@pytest.mark.parametrize("held", ["paused", "reconnect"])
def test_the_button_is_not_free_when_nothing_can_start(
    caller: Caller, connection: Connection, held: str
) -> None:
    if held == "paused":
        pause(connection, by="carol")
    else:
        connection.credential.status = CredentialStatus.RECONNECT_NEEDED
        connection.credential.save()

    assert state(caller)["canSync"] is False


def test_a_viewer_sees_the_button_but_can_not_use_it(
    victor: User, account: Account, connection: Connection
) -> None:
    assert state(by_token(victor, account))["canSync"] is False


@pytest.mark.parametrize("query", [{}, {"provider": "tiktok"}, {"provider": ""}])
def test_the_provider_must_be_named(caller: Caller, query: dict[str, str]) -> None:
    answer = caller.get(MANUAL, **query)

    assert (answer.status, answer.body["error"]) == (400, "Validation error")
    assert [detail["field"] for detail in answer.body["details"]] == ["provider"]
