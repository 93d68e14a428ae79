"""Errors that no route is responsible for: still JSON, still in the same shape."""

import pytest
from django.contrib.auth.models import User

from sync.models import Account
from tests.factories import make_account, make_member
from tests.integration.api_callers import (
    ACCOUNT,
    CRON,
    MANUAL,
    STATUS,
    SWITCH,
    Caller,
    bearer,
    by_token,
    database_away,
)


@pytest.fixture
def caller(bob: User, account: Account) -> Caller:
    return by_token(bob, account)


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/sync", "/api/sync/status/", "/api/sync/manual/", "/api/x/y"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT"])
def test_an_unknown_path_is_not_found(caller: Caller, path: str, method: str) -> None:
    answer = caller.call(method, path)

    assert (answer.status, answer.body["error"]) == (404, "Not found")
    assert path in answer.body["message"]


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        (MANUAL, "PUT", "GET, POST, HEAD, OPTIONS"),
        (MANUAL, "DELETE", "GET, POST, HEAD, OPTIONS"),
        (STATUS, "POST", "GET, DELETE, HEAD, OPTIONS"),
        (f"{STATUS}/01936b2e-0000-7000-8000-000000000000", "DELETE", "GET, HEAD, OPTIONS"),
        (ACCOUNT, "POST", "GET, HEAD, OPTIONS"),
        (SWITCH, "GET", "POST, OPTIONS"),
    ],
)
def test_a_wrong_method_is_told_so(caller: Caller, path: str, method: str, allowed: str) -> None:
    answer = caller.call(method, path)

    assert (answer.status, answer.body["error"]) == (405, "Method not allowed")
    assert method in answer.body["message"]
    assert answer.headers["Allow"] == allowed


def test_a_wrong_method_of_the_cron_route_is_told_so(db: None) -> None:
    assert bearer("cron-secret-for-tests").call("DELETE", CRON).status == 405


def test_a_foreign_host_name_is_refused_in_json(caller: Caller) -> None:
    caller.headers["Host"] = "evil.example"

    answer = caller.get(STATUS)

    assert (answer.status, answer.body["error"]) == (400, "Bad request")
    assert "ALLOWED_HOSTS" in answer.body["message"]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_worth_a_retry() -> None:
    account = make_account()
    caller = by_token(make_member(account, "bob"), account)

    with database_away():
        answer = caller.get(STATUS)

    assert (answer.status, answer.body["error"]) == (503, "Service unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert caller.get(STATUS).status == 200


def test_a_defect_of_ours_is_told_without_its_details(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret-token")

    monkeypatch.setattr("sync.api.status.snapshot", broken)

    answer = caller.get(STATUS)

    assert (answer.status, answer.body["error"]) == (500, "Internal error")
    assert "secret" not in str(answer.body)
