"""Meta's webhooks: who is believed, and what becomes due by them."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from providers.sandbox import constants
from providers.sandbox.process import Sandbox
from sync.models import Account, Connection, SyncRequest, SyncRun
from sync.models.choices import DeferReason, Kind, Mode, Priority, RunState, Trigger
from tests.factories import make_account, make_connection, make_run

HOOK = "/api/webhooks/meta"
SECRET = "the app secret"


@pytest.fixture(autouse=True)
def _subscribed(settings: Any) -> None:
    settings.META_WEBHOOK_VERIFY_TOKEN = "the verify token"
    settings.META_APP_SECRET = SECRET


def post(payload: Any, *, secret: str = SECRET, signature: str | None = None) -> HttpResponse:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signed = "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    given = signed if signature is None else signature
    headers = {"X-Hub-Signature-256": given} if given else {}
    answer = Client(enforce_csrf_checks=True).post(
        HOOK, raw, content_type="application/json", headers=headers
    )
    assert isinstance(answer, HttpResponse)
    return answer


def change_of(*connections: Connection, minutes_ago: float = 0) -> dict[str, Any]:
    moment = int((timezone.now() - timedelta(minutes=minutes_ago)).timestamp())
    change = {"field": "in_process_ad_objects", "value": {"id": "7", "level": "AD", "name": "Sömmer 🐅"}}
    ids = (connection.external_id.removeprefix("act_") for connection in connections)
    entries = [{"id": number, "time": moment, "changes": [change]} for number in ids]
    return {"object": "ad_account", "entry": entries}


def ended(report_id: str, verb: str = "complete") -> dict[str, Any]:
    value = {"category": "ads_insights", "verb": verb, "report_id": report_id}
    entry = {"id": "1", "time": 1, "changes": [{"field": "async_requests", "value": value}]}
    return {"object": "application", "entry": [entry]}


def make_waiting(connection: Connection, *report_ids: str, **columns: Any) -> SyncRun:
    later = timezone.now() + timedelta(minutes=5)
    state = {"state": RunState.DEFERRED, "defer_reason": DeferReason.REPORT, "available_at": later}
    return make_run(connection, **{**state, "kind": Kind.INSIGHTS, "report_ids": report_ids, **columns})


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"hub.mode": "subscribe", "hub.verify_token": "the verify token", "hub.challenge": "1158"}, 200),
        ({"hub.mode": "subscribe", "hub.verify_token": "another", "hub.challenge": "1158"}, 403),
        ({"hub.mode": "unsubscribe", "hub.verify_token": "the verify token"}, 403),
        ({}, 403),
    ],
)
def test_only_who_knows_the_token_gets_the_challenge_back(
    client: Client, asked: dict[str, str], status: int
) -> None:
    answer = client.get(HOOK, asked)

    assert answer.status_code == status
    if status == 200:
        assert (answer.content, answer["Content-Type"]) == (b"1158", "text/plain")


def test_without_a_verify_token_there_is_no_webhook(client: Client, settings: Any) -> None:
    settings.META_WEBHOOK_VERIFY_TOKEN = ""

    asked = {"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "1"}
    assert client.get(HOOK, asked).status_code == 404
    assert post(ended("1")).status_code == 404


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=00", "sha1=00", "sha256=é"])
def test_what_meta_did_not_sign_changes_nothing(connection: Connection, signature: str) -> None:
    assert post(change_of(connection), signature=signature).status_code == 403
    assert post(change_of(connection), secret="another").status_code == 403
    assert not SyncRun.objects.exists()


def test_an_app_without_a_secret_believes_nobody(connection: Connection, settings: Any) -> None:
    settings.META_APP_SECRET = ""

    assert post(change_of(connection), secret="").status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b'{"object": "ad_account", "entry": [{"id": "x", "time": 1}]}',
        b'{"object": "ad_account", "entry": [{"id": "1", "time": "soon"}]}',
        b'{"object": "ad_account", "entry": [{"id": "1", "time": 1e300}]}',
        b'{"object": "ad_account", "entry": [{"id": "1", "time": -1e18}]}',
        b'{"object": "application", "entry": [{"changes": [{"field": "async_requests"}]}]}',
        json.dumps(ended("1\0")).encode(),  # PostgreSQL takes no such text
    ],
)
def test_a_signed_body_that_is_none_of_metas_is_refused(db: None, body: bytes) -> None:
    assert post(body).status_code == 400


def test_too_large_a_body_is_not_read(db: None) -> None:
    assert post(b"x" * 1_000_001).status_code == 413


def test_what_this_version_does_not_know_is_passed_over(db: None) -> None:
    unknown = {"id": "1", "time": 1, "changes": [{"field": "moods", "value": 1}]}

    assert post({"object": "application", "entry": [unknown]}).status_code == 200
    assert post({"object": "page", "entry": [unknown]}).status_code == 200


@pytest.mark.parametrize("verb", ["complete", "fail"])
def test_a_report_that_ended_lets_its_run_start(connection: Connection, verb: str) -> None:
    waits = make_waiting(connection, "76", "77")
    other = make_waiting(make_connection(connection.account), "78")

    for _ in range(2):  # it may come twice
        assert post(ended("77", verb)).status_code == 200

    waits.refresh_from_db()
    other.refresh_from_db()
    assert waits.available_at is not None
    assert waits.available_at <= timezone.now()
    assert (waits.state, waits.report_ids) == (RunState.DEFERRED, ["76", "77"])
    assert other.available_at is not None
    assert other.available_at > timezone.now()


@pytest.mark.parametrize(
    "columns",
    [
        {"defer_reason": DeferReason.BUDGET},
        {"state": RunState.RUNNING, "defer_reason": "", "available_at": None},
    ],
)
def test_a_report_hurries_no_run_that_waits_for_something_else(
    connection: Connection, columns: dict[str, Any]
) -> None:
    leased = {"started_at": timezone.now(), "lease_token": connection.pk}
    if columns.get("state") == RunState.RUNNING:
        columns = {**columns, **leased, "lease_expires_at": timezone.now() + timedelta(minutes=1)}
    run = make_waiting(connection, "77", **columns)
    before = SyncRun.objects.values().get(pk=run.pk)

    assert post(ended("77")).status_code == 200

    assert SyncRun.objects.values().get(pk=run.pk) == before


def test_a_change_asks_every_tenant_of_the_ad_account_for_what_changed_once(
    account: Account, other_account: Account
) -> None:
    same = {"external_id": "act_99"}
    theirs = [make_connection(account, **same), make_connection(other_account, **same)]
    make_connection(account)
    make_connection(make_account("Paused"), paused_at=timezone.now(), **same)

    for _ in range(3):
        assert post(change_of(theirs[0], theirs[0])).status_code == 200

    runs = SyncRun.objects.all()
    assert {run.connection for run in runs} == set(theirs)
    assert len(runs) == SyncRequest.objects.count() == 2
    for run in runs:
        assert (run.kind, run.mode, run.trigger) == (Kind.CAMPAIGNS, Mode.INCREMENTAL, Trigger.WEBHOOK)
        assert (run.priority, run.request.source) == (Priority.SCHEDULED, "webhook")


def test_a_change_joins_what_would_not_read_it(connection: Connection) -> None:
    chosen = make_run(connection, mode=Mode.INCREMENTAL, campaign_ids=["7"])

    assert post(change_of(connection)).status_code == 200

    chosen.refresh_from_db()
    assert (chosen.campaign_ids, SyncRun.objects.count()) == ([], 1)


def test_a_change_that_was_read_since_asks_for_nothing(connection: Connection) -> None:
    Connection.objects.update(read_until=timezone.now() - timedelta(minutes=30))

    assert post(change_of(connection, minutes_ago=60)).status_code == 200
    assert not SyncRequest.objects.exists()
    assert post(change_of(connection, minutes_ago=32)).status_code == 200
    assert SyncRequest.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_clock_that_is_far_ahead_is_a_change_too(connection: Connection) -> None:
    Connection.objects.update(read_until=timezone.now())
    changed = change_of(connection)
    changed["entry"][0]["time"] = int(datetime(9999, 12, 31, 23, 59, tzinfo=UTC).timestamp())

    assert post(changed).status_code == 200
    assert SyncRun.objects.get().connection == connection


def test_a_large_delivery_costs_as_many_queries_as_a_small_one(
    db: None, django_assert_max_num_queries: Any
) -> None:
    entries = [{"id": str(number), "time": 1, "changes": []} for number in range(1, 1_000)]
    reports = [{"field": "async_requests", "value": {"report_id": entry["id"]}} for entry in entries]

    with django_assert_max_num_queries(6):
        assert post({"object": "ad_account", "entry": entries}).status_code == 200
        assert post({"object": "application", "entry": [{"changes": reports}]}).status_code == 200


def test_what_the_sandbox_posts_as_meta_is_understood(
    sandbox: Sandbox, live_server: LiveServer, settings: Any
) -> None:
    settings.META_APP_SECRET = constants.META_APP_SECRET
    connection = make_connection(make_account(), external_id="act_42")
    waits = make_waiting(connection, "77")
    changes = [{"report": "77", "verb": "complete"}, {"account": "42"}]
    told = {"url": f"{live_server.url}{HOOK}", "changes": changes}

    assert sandbox.control("webhook", **told, signature="bad") == {"statuses": [403, 403]}
    assert sandbox.control("webhook", **told, signature="missing") == {"statuses": [403, 403]}
    assert SyncRun.objects.count() == 1
    assert sandbox.control("webhook", **told, times=2) == {"statuses": [200] * 4}
    assert sandbox.control("webhook", **told, together=True) == {"statuses": [200]}

    waits.refresh_from_db()
    assert waits.available_at is not None
    assert waits.available_at <= timezone.now()
    assert SyncRun.objects.filter(trigger=Trigger.WEBHOOK).count() == 1
