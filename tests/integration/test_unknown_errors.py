"""Error codes that our tables do not know: counted, logged once, shown, and cleared by a person."""

import io
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database_connection
from django.test import Client

from providers.breaker.circuits import FAILURES
from providers.sandbox.process import Sandbox
from sync.admin.words import listing
from sync.engine.drain import drain
from sync.ledger.request import request_sync
from sync.models import Account, Connection, SyncRun, UnknownCode
from sync.models.choices import DeferReason, RunState, Trigger
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.platforms import connect, platform  # noqa: F401  (fixtures)

CODES: dict[str, tuple[dict[str, Any], str]] = {
    "meta": ({"code": 987654, "subcode": 3}, "987654/3"),
    "google": ({"family": "somethingNew", "name": "NOT_SEEN_YET"}, "somethingNewError.NOT_SEEN_YET"),
}
BOTH = pytest.mark.parametrize("provider", list(CODES))


def start(connection: Connection) -> SyncRun:
    """One start of a sync, however long it was to wait."""
    SyncRun.objects.filter(state=RunState.DEFERRED).update(
        state=RunState.QUEUED, available_at=None, defer_reason="", waiting_for=""
    )
    if not SyncRun.objects.open().exists():
        request_sync(connection.account, [connection], trigger=Trigger.MANUAL, source="api")
    drain(connection.provider, connection.region, worker="test")
    return SyncRun.objects.latest("created_at")


def errors(*arguments: str) -> str:
    out = io.StringIO()
    call_command("errors", *arguments, stdout=out)
    return out.getvalue()


@BOTH
def test_an_unknown_code_is_counted_each_time_and_logged_once(
    platform: Sandbox, account: Account, provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    connection = connect(platform, account, provider)
    fault, name = CODES[provider]
    platform.fault(provider, "platform_error", times=2, status=400, **fault)

    with caplog.at_level(logging.WARNING):
        run = start(connection)
        assert (run.defer_reason, run.error_code) == (DeferReason.RETRY, "unknown_error")
        assert start(connection).failed_attempts == 2
        assert start(connection).state == RunState.SUCCEEDED

    code = UnknownCode.objects.get()
    assert (code.provider, code.platform_code, code.http_status, code.count) == (provider, name, 400, 2)
    assert code.first_seen_at < code.last_seen_at
    assert code.last_trace_id == run.attempts.all()[1].trace_id != ""
    told = [record for record in caplog.records if "unknown error code" in record.getMessage()]
    assert len(told) == 1


def test_one_that_meets_an_open_circuit_is_counted_too(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "google")
    platform.fault("google", "platform_error", times=None, status=503, **CODES["google"][0])

    for _ in range(FAILURES):
        run = start(connection)

    assert run.defer_reason == DeferReason.OUTAGE
    assert UnknownCode.objects.get().count == FAILURES


def test_a_known_code_is_not_counted(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "meta")
    platform.fault("meta", "platform_error", code=190, subcode=999)

    start(connection)

    assert not UnknownCode.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_workers_that_meet_it_at_once_make_one_row_and_one_of_them_is_the_first() -> None:
    def meet(number: int) -> bool:
        try:
            return UnknownCode.objects.record("meta", "987654", 400, f"trace-{number}")
        finally:
            database_connection.close()

    with ThreadPoolExecutor(4) as pool:
        firsts = list(pool.map(meet, range(20)))

    assert firsts.count(True) == 1
    assert UnknownCode.objects.get().count == 20


@pytest.fixture
def codes(db: None) -> None:
    for name, status in (("987654", 400), ("987654", 500), ("123456/7", 400)):
        UnknownCode.objects.record("meta", name, status, "AbCdTrace")
    UnknownCode.objects.record("google", "somethingNewError.NOT_SEEN_YET", 400, "")


def test_errors_shows_them_newest_first(codes: None) -> None:
    told: list[dict[str, Any]] = json.loads(errors("--json"))["unknown"]

    assert [each["platform_code"] for each in told] == [
        "somethingNewError.NOT_SEEN_YET",
        "123456/7",
        "987654",
        "987654",
    ]
    assert told[1]["last_trace_id"] == "AbCdTrace"
    assert "123456/7" in errors("--provider", "meta")
    assert "somethingNewError" not in errors("--provider", "meta")


def test_errors_clears_one_code_or_all(codes: None) -> None:
    assert errors("--clear", "987654") == "Cleared 2.\n"
    assert {code.platform_code for code in UnknownCode.objects.all()} == {
        "123456/7",
        "somethingNewError.NOT_SEEN_YET",
    }

    assert errors("--clear") == "Cleared 2.\n"
    assert errors() == "Every error so far had a known code.\n"


def test_errors_clears_nothing_when_a_code_is_misspelt(codes: None) -> None:
    with pytest.raises(CommandError, match="98765\\.") as caught:
        errors("--clear", "987654", "98765")

    assert caught.value.returncode == 2
    assert UnknownCode.objects.count() == 4


def test_staff_clear_a_code_in_the_admin(codes: None, admin_client: Client) -> None:
    code = UnknownCode.objects.get(platform_code="123456/7")

    html = admin_client.get(listing(UnknownCode)).content.decode()
    assert "123456/7" in html
    assert "AbCdTrace" in html
    admin_client.post(f"/admin/sync/unknowncode/{code.pk}/delete/", {"post": "yes"})

    assert UnknownCode.objects.count() == 3
