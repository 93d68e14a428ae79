"""DELETE /api/sync/status: waiting runs end at once, running ones are asked to."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from sync.models import Account, Connection, SeenIds, SyncRun
from sync.models.choices import Provider, RunState
from tests.factories import make_connection, make_request, make_run, make_sync
from tests.integration.api_callers import MANUAL, STATUS, Caller, Id, assert_shape, by_token


@pytest.fixture
def caller(bob: User, account: Account) -> Caller:
    return by_token(bob, account)


def cancel(caller: Caller, **query: str) -> Any:
    answer = caller.delete(STATUS, **query)
    assert answer.status == 200
    assert_shape(answer.body, {"success": bool, "message": str, "cancelledJobs": int, "jobIds": list})
    assert answer.body["success"] is True
    assert answer.body["cancelledJobs"] == len(answer.body["jobIds"])
    return answer.body


def states() -> dict[Any, str]:
    return dict(SyncRun.objects.values_list("pk", "state"))


def test_waiting_runs_of_the_provider_end_at_once(caller: Caller, account: Account) -> None:
    queued = make_run(make_connection(account))
    deferred = make_run(make_connection(account), state=RunState.DEFERRED)
    google = make_run(make_connection(account, Provider.GOOGLE))
    done = make_run(make_connection(account), state=RunState.SUCCEEDED)

    body = cancel(caller, provider="meta")

    assert_shape(body["jobIds"], [Id])
    assert set(body["jobIds"]) == {str(queued.pk), str(deferred.pk)}
    assert states() == {
        queued.pk: RunState.CANCELLED,
        deferred.pk: RunState.CANCELLED,
        google.pk: RunState.QUEUED,
        done.pk: RunState.SUCCEEDED,
    }


def test_a_running_run_is_asked_to_stop_after_its_page(caller: Caller, connection: Connection) -> None:
    run = make_run(connection, state=RunState.RUNNING)

    body = cancel(caller, provider="meta")

    run.refresh_from_db()
    assert (body["cancelledJobs"], run.state) == (1, RunState.RUNNING)
    assert run.cancel_requested_at is not None
    assert "1 running will stop" in body["message"]


def test_a_request_is_cancelled_with_all_its_runs_and_nothing_else(caller: Caller, account: Account) -> None:
    request = make_request(account)
    mine = [make_run(make_connection(account), request=request) for _ in range(2)]
    other = make_run(make_connection(account))

    body = cancel(caller, provider="meta", jobId=str(request.pk))

    assert set(body["jobIds"]) == {str(run.pk) for run in mine}
    assert states()[other.pk] == RunState.QUEUED


def test_a_run_is_cancelled_by_its_own_id(caller: Caller, account: Account) -> None:
    run, other = make_run(make_connection(account)), make_run(make_connection(account))

    assert cancel(caller, jobId=str(run.pk))["jobIds"] == [str(run.pk)]
    assert states() == {run.pk: RunState.CANCELLED, other.pk: RunState.QUEUED}


def test_a_request_that_joined_a_run_cancels_it(caller: Caller, connection: Connection) -> None:
    make_sync(connection)
    accepted = caller.post(MANUAL, {"provider": "meta"}).body

    assert cancel(caller, provider="meta", jobId=accepted["jobId"])["jobIds"] == accepted["jobIds"]


def test_a_provider_that_is_not_the_jobs_cancels_nothing(caller: Caller, connection: Connection) -> None:
    run = make_run(connection)

    assert cancel(caller, provider="google", jobId=str(run.pk))["cancelledJobs"] == 0
    assert states() == {run.pk: RunState.QUEUED}


def test_cancelling_twice_is_harmless(caller: Caller, connection: Connection) -> None:
    make_run(connection)

    assert cancel(caller, provider="meta")["cancelledJobs"] == 1
    again = cancel(caller, provider="meta")

    assert (again["cancelledJobs"], again["message"]) == (0, "Nothing was waiting or running.")


def test_a_cancelled_connection_can_be_synced_again(caller: Caller, connection: Connection) -> None:
    make_run(connection)
    cancel(caller, provider="meta")

    assert caller.post(MANUAL, {"provider": "meta"}).status == 202


def test_what_a_cancelled_pass_saw_is_forgotten(caller: Caller, connection: Connection) -> None:
    deferred = make_run(connection, state=RunState.DEFERRED)
    running = make_run(make_connection(connection.account), state=RunState.RUNNING)
    for run in (deferred, running):
        SeenIds.objects.create(run=run, entity="ad", external_ids=["1"])

    cancel(caller, provider="meta")

    assert SeenIds.objects.get().run == running  # it still commits its page; its end forgets


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "provider"),
        ({"provider": "tiktok"}, "provider"),
        ({"provider": ""}, "provider"),
        ({"provider": "meta", "jobId": "7x"}, "jobId"),
        ({"provider": "meta", "jobId": ""}, "jobId"),
    ],
)
def test_a_wrong_query_cancels_nothing(
    caller: Caller, connection: Connection, query: dict[str, str], field: str
) -> None:
    run = make_run(connection)

    answer = caller.delete(STATUS, **query)

    assert (answer.status, answer.body["error"]) == (400, "Validation error")
    assert [detail["field"] for detail in answer.body["details"]] == [field]
    assert states() == {run.pk: RunState.QUEUED}


def test_an_unknown_job_is_not_found(caller: Caller, connection: Connection) -> None:
    run = make_run(connection)

    assert caller.delete(STATUS, provider="meta", jobId=str(uuid4())).status == 404
    assert states() == {run.pk: RunState.QUEUED}


def test_a_viewer_may_not_cancel(victor: User, account: Account, connection: Connection) -> None:
    run = make_run(connection)

    answer = by_token(victor, account).delete(STATUS, provider="meta")

    assert (answer.status, answer.body["error"]) == (403, "Forbidden")
    assert states() == {run.pk: RunState.QUEUED}
