"""POST /api/sync/manual: how many an account may ask for, and several who ask at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection as database
from django.utils import timezone
from pytest_django import Settings

from sync.models import Account, Connection, Plan, SyncRequest, SyncRun
from tests.factories import make_account, make_connection, make_member, make_sync
from tests.integration.api_callers import (
    MANUAL,
    Answer,
    Caller,
    Moment,
    assert_shape,
    by_token,
)
from tests.integration.test_api_manual_post import META


@pytest.fixture
def caller(bob: User, account: Account) -> Caller:
    return by_token(bob, account)


def use_up(caller: Caller, account: Account, times: int = 5) -> None:
    for _ in range(times):
        make_connection(account)
        assert caller.post(MANUAL, META).status == 202


def test_the_sixth_manual_sync_within_an_hour_is_refused(caller: Caller, account: Account) -> None:
    use_up(caller, account)
    oldest = SyncRequest.objects.earliest("created_at")
    SyncRequest.objects.filter(pk=oldest.pk).update(created_at=oldest.created_at - timedelta(minutes=50))
    make_connection(account)

    answer = caller.post(MANUAL, META)

    assert answer.status == 429
    assert_shape(
        answer.body,
        {
            "error": str,
            "message": str,
            "code": str,
            "manualSyncsLastHour": int,
            "maxManualSyncsPerHour": int,
            "nextAvailableAt": Moment,
            "minutesUntilReset": int,
        },
    )
    assert answer.body["error"] == "Rate limit exceeded"
    assert (answer.body["manualSyncsLastHour"], answer.body["maxManualSyncsPerHour"]) == (5, 5)
    assert answer.body["minutesUntilReset"] == 10
    assert 590 < int(answer.headers["Retry-After"]) <= 600
    assert SyncRequest.objects.count() == 5


def test_the_limit_frees_up_when_the_oldest_is_an_hour_old(caller: Caller, account: Account) -> None:
    use_up(caller, account)
    oldest = SyncRequest.objects.earliest("created_at")
    SyncRequest.objects.filter(pk=oldest.pk).update(created_at=timezone.now() - timedelta(hours=1))
    make_connection(account)

    assert caller.post(MANUAL, META).status == 202
    make_connection(account)
    assert caller.post(MANUAL, META).status == 429


def test_refusals_and_joins_do_not_count_against_the_limit(caller: Caller, account: Account) -> None:
    for _ in range(6):
        make_sync(make_connection(account))
        caller.post(MANUAL, {"provider": "tiktok"})
        assert caller.post(MANUAL, META).status == 202
        assert caller.post(MANUAL, META).status == 409

    use_up(caller, account)


def test_names_do_not_pile_up_in_a_run_that_others_join_for_nothing(
    caller: Caller, connection: Connection
) -> None:
    def ask(first: int) -> int:
        return caller.post(
            MANUAL, {**META, "campaignIds": [f"{first + more}" for more in range(1000)]}
        ).status

    assert [ask(1000 * number) for number in range(6)] == [202] * 5 + [429]
    assert [len(run.campaign_ids) for run in SyncRun.objects.all()] == [1000] * 5


def test_the_limit_is_the_accounts_not_the_users(
    caller: Caller, account: Account, alice: User, mallory: User, other_account: Account
) -> None:
    use_up(caller, account)
    make_connection(account)
    make_connection(other_account)

    assert by_token(alice, account).post(MANUAL, META).status == 429
    assert by_token(mallory, other_account).post(MANUAL, META).status == 202


@pytest.mark.parametrize("limit", [0, 1])
def test_a_plan_sets_its_own_limit(caller: Caller, account: Account, limit: int) -> None:
    account.plan = Plan.objects.create(name="Small", manual_syncs_per_hour=limit)
    account.save()
    use_up(caller, account, times=limit)
    make_connection(account)

    answer = caller.post(MANUAL, META)

    assert (answer.status, answer.body["maxManualSyncsPerHour"]) == (429, limit)


def test_the_days_limit_holds_until_midnight(caller: Caller, account: Account, settings: Settings) -> None:
    settings.MAX_MANUAL_SYNCS_PER_DAY = 2
    with time_machine.travel(datetime(2026, 12, 31, 23, 59, tzinfo=UTC), tick=False) as clock:
        use_up(caller, account, times=2)
        make_connection(account)

        refused = caller.post(MANUAL, META)
        clock.shift(60)
        answer = caller.post(MANUAL, META)

    assert refused.status == 429
    assert "today" in refused.body["message"]
    assert refused.body["nextAvailableAt"] == "2027-01-01T00:00:00Z"
    assert answer.status == 202


@pytest.mark.django_db(transaction=True)
def test_simultaneous_requests_are_one() -> None:
    account = make_account()
    make_connection(account)
    callers = [by_token(make_member(account, f"user{n}"), account) for n in range(4)]
    start = threading.Barrier(len(callers))

    def click(caller: Caller) -> Answer:
        start.wait()
        try:
            return caller.post(MANUAL, META)
        finally:
            database.close()

    with ThreadPoolExecutor(len(callers)) as pool:
        answers = list(pool.map(click, callers))

    assert sorted(answer.status for answer in answers) == [202, 409, 409, 409]
    assert len({answer.body["jobId"] for answer in answers}) == 1
    assert (SyncRequest.objects.count(), SyncRun.objects.count()) == (1, 2)
