"""Grants that end and ad accounts that close: what stops, what waits, and who goes on."""

from pathlib import Path
from typing import Any

import pytest

from providers.sandbox.process import Sandbox
from sync.connect import connect_ad_account
from sync.engine.drain import drain
from sync.ledger.request import EVERYTHING, request_sync
from sync.ledger.scope import Scope
from sync.models import Account, Ad, Connection, SyncRun
from sync.models.choices import (
    ConnectionStatus,
    CredentialStatus,
    Mode,
    Outcome,
    RunState,
    Trigger,
)
from sync.schedule.tick import tick
from tests.factories import make_account
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.platforms import addresses, assert_equal_to_platform, connect, platform, use_sandbox  # noqa: F401  (fixtures)
from tests.processes import eventually, worker

BOTH = pytest.mark.parametrize("provider", ["meta", "google"])

# All that the platforms call one ad account which they no longer let us read, whatever its neighbours do.
DENIALS: list[tuple[str, dict[str, Any]]] = [
    *[("meta", {"code": code, "status": 403}) for code in (3, 10, 200, 273, 294, 299)],
    ("meta", {"code": 100, "subcode": 33}),
    ("meta", {"code": 1, "subcode": 2853001}),
    *[
        ("google", {"family": "authorization", "name": name, "status": 403})
        for name in (
            "USER_PERMISSION_DENIED",
            "CUSTOMER_NOT_ENABLED",
            "INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION",
            "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION",
            "DEVELOPER_TOKEN_NOT_APPROVED",
            "ACTION_NOT_PERMITTED",
            "ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT",
            "METRIC_ACCESS_DENIED",
        )
    ],
    ("google", {"family": "authentication", "name": "CUSTOMER_NOT_FOUND", "status": 401}),
    ("google", {"family": "quota", "name": "ACCESS_PROHIBITED", "status": 403}),
]


def ask(*connections: Connection, scope: Scope = EVERYTHING) -> list[SyncRun]:
    account = connections[0].account
    return request_sync(account, connections, trigger=Trigger.MANUAL, source="api", scope=scope).runs


def work(connection: Connection) -> None:
    drain(connection.provider, connection.region, worker="test")


def fresh(run: SyncRun) -> SyncRun:
    run.refresh_from_db()
    return run


def neighbour_of(platform: Sandbox, connection: Connection) -> Connection:
    """Another ad account, reached with the same grant."""
    other = connect(platform, connection.account, connection.provider, campaigns=2, ad_groups=4, ads=10)
    other.credential = connection.credential
    other.save()
    return other


@pytest.mark.parametrize(("provider", "error"), DENIALS)
def test_an_ad_account_that_is_closed_or_denied_stops_alone(
    platform: Sandbox, account: Account, provider: str, error: dict[str, Any]
) -> None:
    closed = connect(platform, account, provider, campaigns=2, ad_groups=4, ads=10)
    others = [
        neighbour_of(platform, closed),
        connect(platform, account, provider, campaigns=2, ad_groups=4, ads=10),
    ]
    platform.fault(provider, "platform_error", account=closed.external_id, times=None, **error)

    stopped, *going = ask(closed, *others)
    work(closed)

    assert (fresh(stopped).state, stopped.error_code) == (RunState.FAILED, "access_denied")
    assert stopped.attempts.count() == 1  # not tried again: each refusal counts against the app
    assert [fresh(run).state for run in going] == [RunState.SUCCEEDED, RunState.SUCCEEDED]
    closed.refresh_from_db()
    assert (closed.status, closed.credential.status) == (
        ConnectionStatus.ACCESS_DENIED,
        CredentialStatus.ACTIVE,
    )
    for connection in others:
        connection.refresh_from_db()
        assert connection.status == ConnectionStatus.ACTIVE


@pytest.mark.parametrize(
    ("provider", "told"),
    [
        ("meta", {"code": 100, "subcode": 33}),
        ("meta", {"code": 200, "status": 403}),
        ("google", "CANCELED"),
        ("google", "SUSPENDED"),
    ],
)
def test_an_ad_account_that_disappears_costs_its_neighbours_no_incremental_sync(
    platform: Sandbox, account: Account, provider: str, told: Any
) -> None:
    gone = connect(platform, account, provider, campaigns=2, ad_groups=4, ads=10)
    others = [neighbour_of(platform, gone), neighbour_of(platform, gone)]
    ask(gone, *others)
    work(gone)
    where = {"platform": provider, "account": others[1].external_id}
    edited = Ad.objects.filter(connection=others[1])[0]
    platform.control("edit", **where, id=edited.external_id, name="Edited")
    if provider == "google":
        platform.control("account", platform=provider, account=gone.external_id, status=told)
    else:
        platform.fault(provider, "platform_error", account=gone.external_id, times=None, **told)

    stopped, *going = ask(gone, *others, scope=Scope(Mode.INCREMENTAL))
    work(gone)

    assert [(fresh(run).state, run.mode) for run in going] == [(RunState.SUCCEEDED, Mode.INCREMENTAL)] * 2
    edited.refresh_from_db()
    gone.refresh_from_db()
    assert edited.name == "Edited"
    assert (fresh(stopped).state, stopped.error_code) == (RunState.FAILED, "access_denied")
    assert (gone.status, gone.credential.status) == (ConnectionStatus.ACCESS_DENIED, CredentialStatus.ACTIVE)
    assert Ad.objects.filter(connection=gone, removed_at=None).count() == 10  # the copy stays


@BOTH
def test_a_grant_that_ends_in_the_middle_costs_no_attempt_and_no_page(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    sibling = neighbour_of(platform, connection)
    stranger = connect(platform, account, provider, campaigns=2, ad_groups=4, ads=10)
    platform.fault(provider, "token_revoked", account=connection.external_id, after_calls=1)

    cut, held, going = ask(connection, sibling, stranger)
    work(connection)

    fresh(cut)
    assert (cut.state, cut.failed_attempts, cut.checkpoint["stream"]) == (RunState.QUEUED, 0, "ad_groups")
    assert "cursor" not in cut.checkpoint
    assert (fresh(held).state, held.attempts.count()) == (RunState.QUEUED, 0)  # it would fail alike
    assert fresh(going).state == RunState.SUCCEEDED

    token = platform.control("tokens", platform=provider)["token"]
    connect_ad_account(
        account, provider, connection.external_id, token, login_customer_id=connection.login_customer_id
    )
    work(connection)

    assert (fresh(cut).state, cut.failed_attempts, cut.campaigns_count) == (RunState.SUCCEEDED, 0, 5)
    assert [attempt.outcome for attempt in cut.attempts.all()] == [Outcome.DEFERRED, Outcome.SUCCEEDED]
    assert cut.attempts.all()[1].calls == 2  # ad groups and ads: the campaigns were read before
    assert fresh(held).state == RunState.SUCCEEDED
    assert_equal_to_platform(platform, connection)


@pytest.mark.slow
@BOTH
@pytest.mark.django_db(transaction=True)
def test_a_worker_goes_on_by_itself_when_the_user_has_reconnected(
    sandbox: Sandbox, settings: Any, provider: str, tmp_path: Path
) -> None:
    use_sandbox(sandbox, settings)
    account = make_account()
    connection = connect(sandbox, account, provider)
    stranger = connect(sandbox, account, provider, campaigns=2, ad_groups=4, ads=10)
    sandbox.control("tokens/revoke", platform=provider, token=connection.credential.secret)
    windows = {f"{provider.upper()}_CONNECTION_WINDOWS": "100000/60"}

    with worker(tmp_path / "worker.log", {**addresses(sandbox), **windows}):
        held, going = ask(connection, stranger)
        eventually(
            lambda: bool(tick()) and fresh(going).state == RunState.SUCCEEDED, seconds=40, what="a neighbour"
        )
        eventually(lambda: fresh(held).attempts.exists(), seconds=20, what="a refusal")
        eventually(lambda: fresh(held).state == RunState.QUEUED, seconds=20, what="the run's return")
        token = sandbox.control("tokens", platform=provider)["token"]
        connect_ad_account(
            account, provider, connection.external_id, token, login_customer_id=connection.login_customer_id
        )
        eventually(lambda: fresh(held).state == RunState.SUCCEEDED, seconds=40, what="success")

    assert held.failed_attempts == 0
    assert_equal_to_platform(sandbox, connection)
