"""/api/account and its switch: for which account a caller acts."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from sync.models import Account, Membership, SyncRun
from sync.models.choices import Role
from tests.factories import make_account, make_connection, make_member
from tests.integration.api_callers import (
    ACCOUNT,
    MANUAL,
    STATUS,
    SWITCH,
    Caller,
    Id,
    assert_shape,
    by_session,
    by_token,
)

MEMBERSHIP = {"id": Id, "name": str, "role": str}
BODY = {
    "account": MEMBERSHIP,
    "accounts": [MEMBERSHIP],
    "user": {"username": str, "email": str},
    "csrfToken": str,
}


@pytest.fixture
def second(alice: User) -> Account:
    account = make_account("Beta")
    make_member(account, "alice", Role.VIEWER)
    return account


def told(caller: Caller) -> Any:
    answer = caller.get(ACCOUNT)
    assert answer.status == 200
    assert_shape(answer.body, BODY)
    return answer.body


def test_a_session_starts_in_the_users_first_account(alice: User, account: Account, second: Account) -> None:
    body = told(by_session(alice))

    first = {"id": str(account.pk), "name": "Acme", "role": "owner"}
    assert body["account"] == first
    assert body["accounts"] == [first, {"id": str(second.pk), "name": "Beta", "role": "viewer"}]
    assert body["user"] == {"username": "alice", "email": ""}


@pytest.mark.parametrize("path", [ACCOUNT, STATUS, f"{MANUAL}?provider=meta"])
def test_no_answer_is_kept_by_a_cache_in_between(alice: User, account: Account, path: str) -> None:
    kept = by_token(alice, account).get(path).headers["Cache-Control"]

    assert {"no-store", "private"} <= set(kept.split(", "))


def test_a_switch_lasts_for_the_session_and_for_every_route(
    alice: User, account: Account, second: Account
) -> None:
    caller = by_session(alice)

    switched = caller.post(SWITCH, {"accountId": str(second.pk)})

    assert switched.status == 200
    assert_shape(switched.body, BODY)
    assert switched.body["account"]["id"] == told(caller)["account"]["id"] == str(second.pk)
    assert caller.get(STATUS).body["accountId"] == str(second.pk)
    assert told(by_session(alice))["account"]["id"] == str(account.pk)


def test_the_role_is_that_of_the_current_account(alice: User, account: Account, second: Account) -> None:
    make_connection(account)
    make_connection(second)
    caller = by_session(alice)

    caller.post(SWITCH, {"accountId": str(second.pk)})

    assert caller.post(MANUAL, {"provider": "meta"}).status == 403
    assert not SyncRun.objects.exists()


def test_who_leaves_the_current_account_is_back_in_the_first(
    alice: User, account: Account, second: Account
) -> None:
    caller = by_session(alice)
    caller.post(SWITCH, {"accountId": str(second.pk)})
    Membership.objects.filter(account=second).delete()

    assert told(caller)["account"]["id"] == str(account.pk)


def test_a_token_acts_for_its_own_account_only(alice: User, account: Account, second: Account) -> None:
    caller = by_token(alice, second)

    body = told(caller)
    refused = caller.post(SWITCH, {"accountId": str(account.pk)})

    assert body["account"]["id"] == str(second.pk)
    assert body["accounts"] == [body["account"]]
    assert (refused.status, refused.body["error"]) == (403, "Forbidden")


@pytest.mark.parametrize("body", [{}, {"accountId": "x"}, {"accountId": None}, []])
def test_a_wrong_switch_changes_nothing(alice: User, account: Account, body: Any) -> None:
    caller = by_session(alice)

    answer = caller.post(SWITCH, body)

    assert (answer.status, answer.body["error"]) == (400, "Validation error")
    assert told(caller)["account"]["id"] == str(account.pk)


def test_nobody_switches_to_a_strangers_account(
    alice: User, account: Account, other_account: Account
) -> None:
    caller = by_session(alice)

    for wanted in (other_account.pk, uuid4()):
        answer = caller.post(SWITCH, {"accountId": str(wanted)})
        assert (answer.status, answer.body["error"]) == (404, "Not found")

    assert told(caller)["account"]["id"] == str(account.pk)


def test_a_viewer_may_switch_too(victor: User, account: Account) -> None:
    assert by_session(victor).post(SWITCH, {"accountId": str(account.pk)}).status == 200


def test_who_is_in_no_account_is_told_so(db: None) -> None:
    caller = Caller()
    caller.client.force_login(User.objects.create_user("nobody"))

    for path in (ACCOUNT, STATUS):
        answer = caller.get(path)
        assert (answer.status, answer.body["error"]) == (403, "Forbidden")
        assert "not a member" in answer.body["message"]
