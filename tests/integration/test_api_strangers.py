"""Nobody sees, starts or stops another account's things: every route, every way in."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from sync.models import Account, ApiToken, Connection, Membership, SyncRequest, SyncRun
from sync.models.choices import Provider, RunState
from tests.factories import make_connection, make_run, make_token
from tests.integration.api_callers import (
    ACCOUNT,
    MANUAL,
    STATUS,
    SWITCH,
    Answer,
    Caller,
    bearer,
    by_session,
    by_token,
)

META = {"provider": "meta"}

ROUTES: dict[str, Callable[[Caller], Answer]] = {
    "ask for a sync": lambda caller: caller.post(MANUAL, META),
    "read the button": lambda caller: caller.get(MANUAL, provider="meta"),
    "read the status": lambda caller: caller.get(STATUS),
    "read a provider's status": lambda caller: caller.get(STATUS, provider="meta"),
    "read a run": lambda caller: caller.get(f"{STATUS}/{SyncRun.objects.get().pk}"),
    "read a request": lambda caller: caller.get(f"{STATUS}/{SyncRequest.objects.get().pk}"),
    "cancel a provider's runs": lambda caller: caller.delete(STATUS, provider="meta"),
    "cancel a run": lambda caller: caller.delete(STATUS, jobId=str(SyncRun.objects.get().pk)),
    "read the account": lambda caller: caller.get(ACCOUNT),
    "switch the account": lambda caller: caller.post(SWITCH, {"accountId": str(Account.objects.all()[0].pk)}),
}


FALSE_HEADERS = [
    "Bearer adt_0123456789",
    "Bearer",
    "Bearer a b",
    "Bearer \xff",
    "Bearer a\0b",
    f"Bearer {'a' * 5000}",
    "Token x",
]


@pytest.fixture
def run(connection: Connection) -> SyncRun:
    return make_run(connection, state=RunState.DEFERRED)


@pytest.fixture(params=["token", "session"])
def stranger(request: pytest.FixtureRequest, mallory: User, other_account: Account) -> Caller:
    return by_token(mallory, other_account) if request.param == "token" else by_session(mallory)


def assert_untouched(run: SyncRun) -> None:
    after = SyncRun.objects.get()
    assert (after.pk, after.state, after.priority) == (run.pk, RunState.DEFERRED, run.priority)
    assert SyncRequest.objects.count() == 1


@pytest.mark.parametrize("route", ROUTES)
def test_who_is_not_signed_in_gets_nothing(run: SyncRun, route: str) -> None:
    answer = ROUTES[route](Caller())

    assert answer.status == 401
    assert set(answer.body) == {"error", "message"}
    assert answer.body["error"] == "Unauthorized"
    assert_untouched(run)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("header", FALSE_HEADERS)
def test_a_false_token_gets_nothing(run: SyncRun, route: str, header: str) -> None:
    answer = ROUTES[route](Caller({"Authorization": header}))

    assert (answer.status, answer.body["error"]) == (401, "Unauthorized")
    assert_untouched(run)


def expire(token: str) -> None:
    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))


def revoke(token: str) -> None:
    ApiToken.objects.all().delete()


def leave(token: str) -> None:
    Membership.objects.filter(user__username="bob").delete()


def deactivate(token: str) -> None:
    User.objects.filter(username="bob").update(is_active=False)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("end", [expire, revoke, leave, deactivate])
def test_a_token_that_is_worth_nothing_any_more_gets_nothing(
    run: SyncRun, bob: User, account: Account, route: str, end: Callable[[str], None]
) -> None:
    token = make_token(account, bob)
    assert bearer(token).get(ACCOUNT).status == 200

    end(token)
    answer = ROUTES[route](bearer(token))

    assert (answer.status, answer.body["error"]) == (401, "Unauthorized")
    assert_untouched(run)


def test_a_stranger_sees_none_of_it_in_the_status(run: SyncRun, stranger: Caller) -> None:
    for query in ({}, META):
        body = stranger.get(STATUS, **query).body
        assert body["accountId"] != str(run.account_id)
        assert body["providers"] == body["recentSyncs"] == []
        assert body["stats"]["totalSyncs"] == body["queueStatus"]["total"] == 0
        assert str(run.connection.external_id) not in str(body)


def test_a_stranger_sees_none_of_it_at_the_button(run: SyncRun, stranger: Caller) -> None:
    body = stranger.get(MANUAL, **META).body

    assert body["recentSyncs"] == []
    assert (body["syncStatus"]["isWaiting"], body["connection"]["status"]) == (False, "disconnected")


@pytest.mark.parametrize("route", ["read a run", "read a request", "cancel a run"])
def test_a_strangers_id_is_unknown(run: SyncRun, stranger: Caller, route: str) -> None:
    answer = ROUTES[route](stranger)

    assert (answer.status, answer.body["error"]) == (404, "Not found")
    assert_untouched(run)


def test_a_stranger_cancels_nothing(run: SyncRun, stranger: Caller) -> None:
    assert stranger.delete(STATUS, **META).body["cancelledJobs"] == 0
    assert_untouched(run)


def test_a_strangers_connection_is_unknown(run: SyncRun, stranger: Caller, other_account: Account) -> None:
    make_connection(other_account)

    answer = stranger.post(MANUAL, {**META, "connectionId": str(run.connection_id)})

    assert (answer.status, answer.body["error"]) == (404, "Not found")
    assert_untouched(run)


def test_a_strangers_sync_is_of_his_own_connections(
    run: SyncRun, stranger: Caller, other_account: Account
) -> None:
    own = make_connection(other_account, external_id=run.connection.external_id)

    assert stranger.post(MANUAL, META).status == 202
    assert SyncRun.objects.exclude(pk=run.pk).get().connection == own
    run.refresh_from_db()
    assert run.state == RunState.DEFERRED


def test_a_strangers_runs_count_in_no_figure(stranger: Caller, run: SyncRun, other_account: Account) -> None:
    make_run(run.connection, state=RunState.FAILED, error_category="UNKNOWN")
    mine = make_run(make_connection(other_account, Provider.GOOGLE), state=RunState.SUCCEEDED)

    body: Any = stranger.get(STATUS).body

    assert [line["id"] for line in body["recentSyncs"]] == [str(mine.pk)]
    assert (body["stats"]["totalSyncs"], body["recentErrors"]) == (1, 0)
    assert (body["queue"]["recentFailures"], body["queue"]["isWaiting"]) == ([], False)


WRITES = ["ask for a sync", "cancel a provider's runs", "cancel a run", "switch the account"]


@pytest.mark.parametrize("route", WRITES)
def test_a_session_without_the_csrf_token_changes_nothing(run: SyncRun, alice: User, route: str) -> None:
    answer = ROUTES[route](by_session(alice, csrf=False))

    assert (answer.status, answer.body["error"]) == (403, "Forbidden")
    assert "CSRF" in answer.body["message"]
    assert_untouched(run)


@pytest.mark.parametrize("route", ["ask for a sync", "cancel a provider's runs", "cancel a run"])
def test_a_viewer_changes_nothing(run: SyncRun, victor: User, route: str) -> None:
    answer = ROUTES[route](by_session(victor))

    assert (answer.status, answer.body["error"]) == (403, "Forbidden")
    assert_untouched(run)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.startswith("read")])
def test_a_viewer_reads_everything(run: SyncRun, victor: User, route: str) -> None:
    assert ROUTES[route](by_session(victor)).status == 200
