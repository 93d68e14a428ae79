"""POST /api/sync/manual: every row of its table, and what is wrong with a body."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from sync.ledger.pause import pause
from sync.models import Account, Connection, SyncRequest, SyncRun
from sync.models.choices import (
    ConnectionStatus,
    CredentialStatus,
    Kind,
    Mode,
    Priority,
    Provider,
    RunState,
    Trigger,
)
from tests.factories import make_connection, make_run, make_sync
from tests.integration.api_callers import (
    MANUAL,
    Caller,
    Id,
    assert_shape,
    by_session,
    by_token,
)

ACCEPTED = {
    "success": bool,
    "jobId": Id,
    "jobIds": [Id],
    "syncHistoryId": Id,
    "message": str,
    "queuePosition": (int, None),
    "joined": bool,
    "skipped": list,
}
META = {"provider": "meta"}


@pytest.fixture
def caller(bob: User, account: Account) -> Caller:
    return by_token(bob, account)


def assert_nothing_changed() -> None:
    assert not SyncRequest.objects.exists()
    assert not SyncRun.objects.exists()


def test_a_request_is_accepted_with_its_id_and_its_runs(
    caller: Caller, connection: Connection, bob: User
) -> None:
    answer = caller.post(MANUAL, META)

    catalog, metrics = SyncRun.objects.order_by("created_at")
    assert answer.status == 202
    assert_shape(answer.body, ACCEPTED)
    assert answer.body["success"] is True
    assert answer.body["jobId"] == answer.body["syncHistoryId"] == str(catalog.request_id)
    assert answer.body["jobIds"] == [str(catalog.pk), str(metrics.pk)]
    assert answer.body["queuePosition"] == 1
    assert answer.body["joined"] is False
    assert (catalog.kind, metrics.kind) == (Kind.CAMPAIGNS, Kind.INSIGHTS)
    for run in (catalog, metrics):
        assert (run.request.requested_by, run.request.source) == (bob, "api")
        assert (run.trigger, run.priority, run.state) == (Trigger.MANUAL, Priority.MANUAL, RunState.QUEUED)


def test_each_connection_of_the_provider_gets_its_runs_of_one_request(
    caller: Caller, account: Account
) -> None:
    meta = {make_connection(account), make_connection(account)}
    make_connection(account, Provider.GOOGLE)

    answer = caller.post(MANUAL, META)

    assert len(answer.body["jobIds"]) == 4
    assert {run.connection for run in SyncRun.objects.all()} == meta
    assert SyncRequest.objects.count() == 1


def test_campaign_ids_narrow_the_run(caller: Caller, connection: Connection) -> None:
    caller.post(MANUAL, {**META, "campaignIds": ["9007199254740993", "2", "2"]})

    run = SyncRun.objects.get()
    assert (run.kind, run.campaign_ids) == (Kind.ADS, ["2", "9007199254740993"])


def test_no_campaign_ids_mean_all_campaigns(caller: Caller, connection: Connection) -> None:
    assert caller.post(MANUAL, {**META, "campaignIds": []}).status == 202
    run = SyncRun.objects.get(kind=Kind.CAMPAIGNS)
    assert (run.mode, run.campaign_ids) == (Mode.FULL, [])


def test_what_was_read_within_a_day_is_asked_for_what_changed(caller: Caller, connection: Connection) -> None:
    Connection.objects.update(last_full_sync_at=timezone.now())

    assert caller.post(MANUAL, META).status == 202
    assert SyncRun.objects.get(kind=Kind.CAMPAIGNS).mode == Mode.INCREMENTAL


def test_a_connection_id_narrows_the_request(caller: Caller, account: Account) -> None:
    wanted, _ = make_connection(account), make_connection(account)

    answer = caller.post(MANUAL, {**META, "connectionId": str(wanted.pk)})

    assert answer.status == 202
    assert {run.connection for run in SyncRun.objects.all()} == {wanted}


def test_a_browser_session_may_ask_too(bob: User, connection: Connection) -> None:
    assert by_session(bob).post(MANUAL, META).status == 202


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "provider"),
        ({"provider": "tiktok"}, "provider"),
        ({"provider": ""}, "provider"),
        ({"provider": None}, "provider"),
        ({"provider": 1}, "provider"),
        ({"provider": ["meta"]}, "provider"),
        ({"provider": {"is": "meta"}}, "provider"),
        ({**META, "campaignIds": "1"}, "campaignIds"),
        ({**META, "campaignIds": {"id": "1"}}, "campaignIds"),
        ({**META, "campaignIds": None}, "campaignIds"),
        ({**META, "campaignIds": ["1", 2]}, "campaignIds.1"),
        ({**META, "campaignIds": [True]}, "campaignIds.0"),
        ({**META, "campaignIds": [None]}, "campaignIds.0"),
        ({**META, "campaignIds": [["1"]]}, "campaignIds.0"),
        ({**META, "campaignIds": [""]}, "campaignIds.0"),
        ({**META, "campaignIds": ["1\0"]}, "campaignIds.0"),
        ({**META, "campaignIds": ["1" * 21]}, "campaignIds.0"),
        ({**META, "campaignIds": ["<b>1"]}, "campaignIds.0"),
        ({**META, "campaignIds": ["\u0661"]}, "campaignIds.0"),
        ({**META, "campaignIds": [str(n) for n in range(1001)]}, "campaignIds"),
        ({**META, "connectionId": "act_1"}, "connectionId"),
        ({**META, "connectionId": 7.5}, "connectionId"),
        ({**META, "connectionId": 1}, "connectionId"),
        ([], "body"),
        ("meta", "body"),
    ],
)
def test_a_wrong_body_is_refused_with_the_fields_name(
    caller: Caller, connection: Connection, body: Any, field: str
) -> None:
    answer = caller.post(MANUAL, body)

    assert answer.status == 400
    assert_shape(answer.body, {"error": str, "message": str, "details": [{"field": str, "message": str}]})
    assert answer.body["error"] == "Validation error"
    assert [detail["field"] for detail in answer.body["details"]] == [field]
    assert field in answer.body["message"]
    assert_nothing_changed()


def test_a_wrong_provider_is_answered_with_the_right_ones(caller: Caller, connection: Connection) -> None:
    answer = caller.post(MANUAL, {"provider": "<b>" * 1000})

    assert answer.body["details"] == [{"field": "provider", "message": "Choose one of: meta, google."}]


def test_not_every_mistake_is_listed(caller: Caller, connection: Connection) -> None:
    answer = caller.post(MANUAL, {**META, "campaignIds": [0] * 300_000})

    assert answer.status == 400
    assert [detail["field"] for detail in answer.body["details"]] == [f"campaignIds.{n}" for n in range(20)]


def test_a_thousand_campaign_ids_are_accepted(caller: Caller, connection: Connection) -> None:
    ids = [str(10**17 + n) for n in range(1000)]

    assert caller.post(MANUAL, {**META, "campaignIds": ids}).status == 202
    assert SyncRun.objects.get().campaign_ids == ids


@pytest.mark.parametrize(
    "raw", [b"null", b"{", b"", b"\xff", b"{'provider': 'meta'}", b'{"provider": NaN}', b"[" * 50_000]
)
def test_what_is_no_json_object_is_refused(caller: Caller, connection: Connection, raw: bytes) -> None:
    answer = caller.post_raw(MANUAL, raw)

    assert (answer.status, answer.body["error"]) == (400, "Validation error")
    assert answer.body["details"]
    assert_nothing_changed()


def test_a_body_that_is_too_large_is_refused_unread(caller: Caller, connection: Connection) -> None:
    answer = caller.post_raw(MANUAL, b" " * 1_000_001)

    assert (answer.status, answer.body["error"]) == (413, "Body too large")
    assert_nothing_changed()


def test_a_form_is_refused(caller: Caller, connection: Connection) -> None:
    answer = caller.post_raw(MANUAL, b"provider=meta", "application/x-www-form-urlencoded")

    assert (answer.status, answer.body["error"]) == (415, "Unsupported media type")
    assert_nothing_changed()


@pytest.mark.parametrize("status", [None, ConnectionStatus.DISCONNECTED, ConnectionStatus.ACCESS_DENIED])
def test_a_provider_that_is_not_connected_is_told_so(
    caller: Caller, account: Account, status: str | None
) -> None:
    if status:
        make_connection(account, status=status)
    make_connection(account, Provider.GOOGLE)

    answer = caller.post(MANUAL, META)

    assert (answer.status, answer.body["error"]) == (400, "Provider not connected")
    assert "Connect" in answer.body["message"]
    assert_nothing_changed()


def test_a_paused_connection_is_told_so(caller: Caller, connection: Connection) -> None:
    pause(connection, by="carol")

    answer = caller.post(MANUAL, META)

    assert (answer.status, answer.body["error"]) == (400, "Provider not connected")
    assert "paused" in answer.body["message"]


def test_a_lost_grant_asks_to_reconnect(caller: Caller, connection: Connection) -> None:
    connection.credential.status = CredentialStatus.RECONNECT_NEEDED
    connection.credential.save()

    answer = caller.post(MANUAL, META)

    assert (answer.status, answer.body["error"]) == (401, "Token validation failed")
    assert "Connect the ad account again" in answer.body["message"]
    assert_nothing_changed()


def test_a_connection_of_the_other_provider_is_a_wrong_field(caller: Caller, account: Account) -> None:
    google = make_connection(account, Provider.GOOGLE)

    answer = caller.post(MANUAL, {**META, "connectionId": str(google.pk)})

    assert answer.status == 400
    assert answer.body["details"] == [
        {"field": "connectionId", "message": "This ad account is one of Google Ads."}
    ]


def test_an_unknown_connection_is_not_found(caller: Caller, connection: Connection) -> None:
    answer = caller.post(MANUAL, {**META, "connectionId": str(uuid4())})

    assert (answer.status, answer.body["error"]) == (404, "Not found")
    assert answer.body["message"] == "There is no ad account with this connectionId."
    assert_nothing_changed()


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.DEFERRED])
def test_a_waiting_scheduled_run_becomes_this_requests_run(
    caller: Caller, connection: Connection, state: str
) -> None:
    scheduled = make_sync(connection, state=state)

    answer = caller.post(MANUAL, META)

    assert answer.status == 202
    assert_shape(answer.body, ACCEPTED)
    assert answer.body["joined"] is True
    assert answer.body["jobIds"] == [str(run.pk) for run in scheduled]
    assert {run.priority for run in SyncRun.objects.all()} == {Priority.MANUAL}
    assert SyncRun.objects.count() == 2


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RUNNING])
def test_a_sync_in_progress_is_named(caller: Caller, connection: Connection, state: str) -> None:
    run, metrics = make_sync(connection, state=state, trigger=Trigger.MANUAL)

    answer = caller.post(MANUAL, META)

    assert (answer.status, answer.body["error"]) == (409, "Sync already in progress")
    assert answer.body["message"]
    assert answer.body["jobId"] == str(run.request_id)
    assert answer.body["jobIds"] == [str(run.pk), str(metrics.pk)]
    assert caller.get(f"/api/sync/status/{answer.body['jobId']}").status == 200
    assert (SyncRequest.objects.count(), SyncRun.objects.count()) == (1, 2)


def test_a_double_click_is_told_of_the_first_request(caller: Caller, connection: Connection) -> None:
    first = caller.post(MANUAL, META)

    second = caller.post(MANUAL, META)

    assert (second.status, second.body["jobId"]) == (409, first.body["jobId"])


def test_a_running_run_that_lacks_campaigns_is_followed_by_a_second(
    caller: Caller, connection: Connection
) -> None:
    make_run(connection, state=RunState.RUNNING, campaign_ids=["1"])

    assert caller.post(MANUAL, META).status == 202
    assert SyncRun.objects.waiting().get(kind=Kind.CAMPAIGNS).campaign_ids == []


def test_free_connections_start_and_the_others_are_listed(caller: Caller, account: Account) -> None:
    busy, free = make_connection(account), make_connection(account)
    running, _ = make_sync(busy, state=RunState.RUNNING, trigger=Trigger.MANUAL)

    answer = caller.post(MANUAL, META)

    assert answer.status == 202
    assert len(answer.body["jobIds"]) == SyncRun.objects.filter(connection=free).count() == 2
    skipped = {"connectionId": str(busy.pk), "externalId": busy.external_id, "jobId": str(running.request_id)}
    assert answer.body["skipped"] == [skipped, skipped]  # the catalog's run and the metrics'


def test_a_viewer_may_not_sync(victor: User, account: Account, connection: Connection) -> None:
    answer = by_token(victor, account).post(MANUAL, META)

    assert (answer.status, answer.body["error"]) == (403, "Forbidden")
    assert "viewer" in answer.body["message"]
    assert_nothing_changed()
