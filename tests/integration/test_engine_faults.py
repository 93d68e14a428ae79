"""What every fault of a platform, of a grant and of ours leads to."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from providers.errors import LimitReached, Scope
from providers.sandbox.process import Sandbox
from sync.engine import copy as engine_copy
from sync.engine.execute import execute
from sync.engine.merge import Merging
from sync.ledger.claim import claim
from sync.models import Account, Campaign, SyncRun
from sync.models.choices import CredentialStatus, DeferReason, Outcome, RunState
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.integration.syncing import BOTH, ask, make_due, sync, work
from tests.platforms import assert_equal_to_platform, connect, platform  # noqa: F401  (fixtures)


@BOTH
def test_the_platforms_own_limit_defers_and_parks_the_ad_account(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    platform.fault(provider, "rate_limit", account=connection.external_id)

    run = sync(connection)

    assert (run.state, run.defer_reason, run.failed_attempts) == ("deferred", DeferReason.BUDGET, 0)
    assert run.attempts.get().outcome == Outcome.DEFERRED

    calls = run.calls
    make_due(run)
    work(connection)
    run.refresh_from_db()
    assert (run.state, run.calls) == ("deferred", calls)  # still parked: nothing was called


@BOTH
@pytest.mark.parametrize(
    ("kind", "category"),
    [
        ("server_error", "UNKNOWN"),
        ("html", "NETWORK_ERROR"),
        ("cut", "NETWORK_ERROR"),
        ("truncated", "NETWORK_ERROR"),
    ],
)
def test_a_passing_fault_is_retried(
    platform: Sandbox, account: Account, provider: str, kind: str, category: str
) -> None:
    connection = connect(platform, account, provider)
    platform.fault(provider, kind, account=connection.external_id, after_calls=1)

    run = sync(connection)

    assert (run.state, run.defer_reason, run.failed_attempts) == ("deferred", DeferReason.RETRY, 1)
    assert (run.error_category, run.attempts.get().outcome) == (category, Outcome.FAILED)

    make_due(run)
    work(connection)

    run.refresh_from_db()
    assert (run.state, run.error_category) == (RunState.SUCCEEDED, "")
    assert_equal_to_platform(platform, connection)


@BOTH
def test_a_lasting_fault_ends_as_a_dead_letter_with_its_cause(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    passing = {"code": 2, "family": "internal", "name": "INTERNAL_ERROR", "status": 400}  # no outage
    platform.fault(provider, "platform_error", account=connection.external_id, times=9, **passing)

    run = sync(connection)
    for _ in range(2):
        make_due(run)
        work(connection)

    run.refresh_from_db()
    assert (run.state, run.failed_attempts, run.error_code) == (RunState.FAILED, 3, "platform_fault")
    assert run.attempts.count() == 3


@BOTH
def test_a_revoked_grant_holds_the_run_until_the_user_reconnects(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    platform.control("tokens/revoke", platform=provider, token=connection.credential.secret)

    run = sync(connection)

    connection.credential.refresh_from_db()
    assert connection.credential.status == CredentialStatus.RECONNECT_NEEDED
    assert connection.credential.lost_at is not None
    assert (run.state, run.failed_attempts) == (RunState.QUEUED, 0)
    assert claim(provider, "default", worker="w") is None

    connection.credential.secret = platform.control("tokens", platform=provider)["token"]
    connection.credential.status = CredentialStatus.ACTIVE
    connection.credential.access_token_expires_at = None
    connection.credential.save()
    work(connection)

    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED


def test_an_expired_access_token_of_google_is_renewed_on_the_way(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "google")
    platform.fault("google", "token_expired", account=connection.external_id, after_calls=1)

    run = sync(connection)

    assert (run.state, run.failed_attempts) == (RunState.SUCCEEDED, 0)


@BOTH
def test_one_bad_ad_account_does_not_stop_its_neighbour(
    platform: Sandbox, account: Account, provider: str
) -> None:
    bad = connect(platform, account, provider)
    good = connect(platform, account, provider)
    platform.fault(provider, "access_denied", account=bad.external_id)
    denied = ask(bad)

    run = sync(good)

    denied.refresh_from_db()
    bad.refresh_from_db()
    assert (denied.state, denied.error_category) == (RunState.FAILED, "API_ERROR")
    assert bad.status == "access_denied"
    assert run.state == RunState.SUCCEEDED


@BOTH
def test_a_run_with_an_old_grant_does_not_condemn_the_one_that_replaced_it(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    run = ask(connection)
    claimed = claim(provider, "default", worker="w")
    assert claimed is not None
    platform.control("tokens/revoke", platform=provider, token=connection.credential.secret)
    connection.credential.secret = platform.control("tokens", platform=provider)["token"]
    connection.credential.save()

    execute(claimed)
    work(connection)

    run.refresh_from_db()
    connection.credential.refresh_from_db()
    assert (run.state, run.failed_attempts) == (RunState.SUCCEEDED, 0)
    assert connection.credential.status == CredentialStatus.ACTIVE


def test_a_run_with_an_old_grant_does_not_close_a_connection_with_a_new_one(
    platform: Sandbox, account: Account
) -> None:
    connection = connect(platform, account, "meta")
    ask(connection)
    claimed = claim("meta", "default", worker="w")
    assert claimed is not None
    assert claimed.connection.credential.secret  # the run has read its grant
    platform.fault("meta", "access_denied", account=connection.external_id)
    connection.credential.secret = platform.control("tokens", platform="meta")["token"]
    connection.credential.save()

    execute(claimed)

    connection.refresh_from_db()
    assert connection.status == "active"


@pytest.mark.parametrize("seconds", [1e12, float("inf")])
def test_no_figure_of_the_platform_defers_a_run_for_more_than_a_day(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    def limited(*_: Any) -> None:
        raise LimitReached("no more for now", retry_after=seconds, scope=Scope.AD_ACCOUNT)

    monkeypatch.setattr("sync.engine.execute.copy", limited)

    run = sync(connect(platform, account, "meta"))

    assert run.state == RunState.DEFERRED
    assert run.available_at is not None
    assert run.available_at <= timezone.now() + timedelta(days=1)


def test_a_defect_of_ours_leaves_the_run_in_a_state_without_its_text(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(platform, account, "meta")

    def broken(*_: Any, **__: Any) -> None:
        raise KeyError("secret-token")

    monkeypatch.setattr(engine_copy, "_commit", broken)
    run = sync(connection)

    assert (run.state, run.error_code) == ("deferred", "defect")
    assert "secret" not in run.error_message
    assert "KeyError" in run.error_message


def test_data_that_the_database_refuses_ends_as_a_dead_letter(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(platform, account, "meta")
    monkeypatch.setattr(Merging, "merged", lambda *_: Campaign.objects.create(external_id="9" * 99))

    run = sync(connection)
    for _ in range(2):
        make_due(run)
        work(connection)

    run.refresh_from_db()
    assert (run.state, run.error_code, run.failed_attempts) == (RunState.FAILED, "defect", 3)


def test_a_missing_key_is_told_at_once(platform: Sandbox, account: Account, settings: Any) -> None:
    connection = connect(platform, account, "meta")
    ask(connection)
    settings.CREDENTIAL_KEYS = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

    work(connection)

    run = SyncRun.objects.get()
    assert (run.state, run.error_code) == (RunState.FAILED, "misconfigured")
    assert "CREDENTIAL_KEYS" in run.error_message
