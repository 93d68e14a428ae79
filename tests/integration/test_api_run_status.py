"""GET /api/sync/status/{jobId}: a run by itself, and a request's runs together."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sync import moments
from sync.ledger.claim import claim
from sync.ledger.finish import Failure, defer, fail
from sync.ledger.lease import Lease
from sync.models import Account, Change, Connection, SyncAttempt, SyncRun
from sync.models.choices import ConnectionStatus, DeferReason, Kind, Provider, RunState, Trigger
from tests.factories import make_connection, make_request, make_run
from tests.integration.api_callers import MANUAL, Caller, Id, Moment, assert_shape, by_token, written

ATTEMPT = {
    "jobId": Id,
    "worker": str,
    "startedAt": Moment,
    "endedAt": (Moment, None),
    "outcome": (str, None),
    "message": (str, None),
    "errorCategory": (str, None),
    "errorCode": (str, None),
    "platformCode": (str, None),
    "traceId": (str, None),
    "calls": int,
}
BODY = {
    "jobId": Id,
    "jobIds": [Id],
    "syncHistoryId": Id,
    "status": str,
    "healthStatus": str,
    "progress": int,
    "stage": str,
    "recordsProcessed": dict.fromkeys(("campaigns", "adGroups", "ads", "insights", "total"), int),
    "queuePosition": (int, None),
    "waitingFor": (str, None),
    "estimatedStartAt": (Moment, None),
    "estimatedTimeRemaining": (int, None),
    "startedAt": (Moment, None),
    "completedAt": (Moment, None),
    "duration": (int, None),
    "provider": str,
    "syncType": str,
    "errorMessage": (str, None),
    "errorCategory": (str, None),
    "retryCount": int,
    "detectedChanges": dict,
    "changesByEntity": dict,
    "accessIssues": list,
    "dataDiscrepancies": list,
    "attempts": list,
}
FAILURE = Failure(
    category="NETWORK_ERROR",
    code="unreachable",
    message="Meta could not be reached.",
    is_retryable=True,
    platform_code="2",
    trace_id="AbC",
)


@pytest.fixture
def caller(bob: User, account: Account) -> Caller:
    return by_token(bob, account)


def job(caller: Caller, job_id: object) -> Any:
    answer = caller.get(f"/api/sync/status/{job_id}")
    assert answer.status == 200
    assert_shape(answer.body, BODY)
    return answer.body


def test_a_request_that_was_just_accepted_is_pending(caller: Caller, connection: Connection) -> None:
    accepted = caller.post(MANUAL, {"provider": "meta"}).body

    body = job(caller, accepted["jobId"])

    assert body["jobId"] == body["syncHistoryId"] == accepted["jobId"]
    assert body["jobIds"] == accepted["jobIds"]
    assert (body["status"], body["syncType"], body["provider"]) == ("pending", "MANUAL", "meta")
    assert (body["queuePosition"], body["waitingFor"]) == (1, "a worker to take it")
    assert (body["progress"], body["healthStatus"], body["stage"]) == (0, "HEALTHY", "queued")
    assert body["startedAt"] is body["completedAt"] is body["duration"] is None
    assert 0 < body["estimatedTimeRemaining"] <= 60_000  # a free slot, and a middling account's work
    assert body["estimatedStartAt"] is not None
    assert body["attempts"] == body["accessIssues"] == body["dataDiscrepancies"] == []


def test_a_run_is_found_by_its_own_id(caller: Caller, connection: Connection) -> None:
    run = make_run(connection)

    body = job(caller, run.pk)

    assert body["jobId"] == str(run.pk)
    assert body["jobIds"] == [str(run.pk)]


def test_a_running_run_tells_its_stage_progress_and_time_left(caller: Caller, connection: Connection) -> None:
    make_run(connection)
    run = claim("meta", "default", worker="worker-1")
    assert run is not None
    a_minute_ago = timezone.now() - timedelta(minutes=1)
    SyncAttempt.objects.update(started_at=a_minute_ago)
    SyncRun.objects.update(
        checkpoint={"stream": "ads", "cursor": "c"},
        expected={"ads": 200},
        campaigns_count=10,
        ad_groups_count=20,
        ads_count=50,
        changes={"updated": 3, "created": 1},
    )

    body = job(caller, run.pk)

    assert (body["status"], body["stage"], body["progress"]) == ("running", "fetching_ads", 75)
    records = {"campaigns": 10, "adGroups": 20, "ads": 50, "insights": 0, "total": 80}
    assert body["recordsProcessed"] == records
    assert body["detectedChanges"] == {"updated": 3, "created": 1}
    assert body["estimatedTimeRemaining"] == pytest.approx(20_000, abs=2_000)
    [attempt] = body["attempts"]
    assert_shape(attempt, ATTEMPT)
    assert (attempt["worker"], attempt["outcome"], attempt["endedAt"]) == ("worker-1", None, None)


def test_a_failed_attempt_is_told_and_the_run_waits_for_the_next(
    caller: Caller, connection: Connection
) -> None:
    run = make_run(connection)
    claimed = claim("meta", "default", worker="worker-1")
    assert claimed is not None
    fail(Lease.of(claimed), FAILURE, calls=4)

    body = job(caller, run.pk)

    assert (body["status"], body["healthStatus"], body["retryCount"]) == ("pending", "PARTIAL", 1)
    assert (body["errorMessage"], body["errorCategory"]) == ("Meta could not be reached.", "NETWORK_ERROR")
    assert body["waitingFor"].startswith("the next attempt, after: Meta could not be reached, until")
    [attempt] = body["attempts"]
    assert_shape(attempt, ATTEMPT)
    assert attempt["outcome"] == "failed"
    assert (attempt["errorCode"], attempt["platformCode"], attempt["traceId"]) == ("unreachable", "2", "AbC")
    assert attempt["calls"] == 4


def test_a_dead_letter_was_retried_one_time_less_than_it_failed(
    caller: Caller, connection: Connection
) -> None:
    run = make_run(connection, state=RunState.FAILED, failed_attempts=3, ads_count=1)

    body = job(caller, run.pk)

    assert (body["status"], body["healthStatus"], body["retryCount"]) == ("FAILED", "PARTIAL", 2)
    assert (body["duration"], body["stage"]) == (10, "failed")
    assert body["completedAt"]


def test_a_deferred_run_is_pending_with_its_progress_kept(caller: Caller, connection: Connection) -> None:
    make_run(connection, checkpoint={"stream": "ad_groups"})
    run = claim("meta", "default", worker="worker-1")
    assert run is not None
    until = timezone.now() + timedelta(minutes=1)
    defer(Lease.of(run), until=until, reason=DeferReason.BUDGET, waiting_for="10 calls a minute", calls=10)

    body = job(caller, run.pk)

    assert (body["status"], body["progress"], body["retryCount"]) == ("pending", 33, 0)
    assert body["waitingFor"] == f"the call budget: 10 calls a minute, until {moments.told(until)}"
    assert body["queuePosition"] is None
    assert body["estimatedStartAt"] == written(until)
    assert body["estimatedTimeRemaining"] > 1000 * (until - timezone.now()).total_seconds()


@pytest.mark.parametrize(
    ("states", "status", "health"),
    [
        ([RunState.SUCCEEDED, RunState.SUCCEEDED], "SUCCESS", "HEALTHY"),
        ([RunState.SUCCEEDED, RunState.RUNNING], "running", "HEALTHY"),
        ([RunState.QUEUED, RunState.RUNNING], "running", "HEALTHY"),
        ([RunState.QUEUED, RunState.SUCCEEDED], "pending", "HEALTHY"),
        ([RunState.DEFERRED, RunState.FAILED], "pending", "PARTIAL"),
        ([RunState.FAILED, RunState.SUCCEEDED], "FAILED", "PARTIAL"),
        ([RunState.FAILED, RunState.FAILED], "FAILED", "UNHEALTHY"),
        ([RunState.FAILED, RunState.CANCELLED], "FAILED", "PARTIAL"),
        ([RunState.CANCELLED, RunState.SUCCEEDED], "CANCELLED", "PARTIAL"),
    ],
)
def test_a_requests_status_is_its_runs_together(
    caller: Caller, account: Account, states: list[str], status: str, health: str
) -> None:
    request = make_request(account)
    for state in states:
        make_run(make_connection(account), state=state, request=request)

    body = job(caller, request.pk)

    assert len(body["jobIds"]) == 2
    assert (body["status"], body["healthStatus"]) == (status, health)
    assert (body["completedAt"] is None) is (status in ("pending", "running"))


def test_a_requests_numbers_are_its_runs_together(caller: Caller, account: Account) -> None:
    request = make_request(account, trigger=Trigger.MANUAL)
    start = timezone.now() - timedelta(minutes=10)
    for minute in (1, 4):
        make_run(
            make_connection(account),
            state=RunState.SUCCEEDED,
            request=request,
            started_at=start + timedelta(minutes=minute),
            finished_at=start + timedelta(minutes=minute + 1),
            ads_count=minute,
            changes={"updated": minute},
        )

    body = job(caller, request.pk)

    assert body["recordsProcessed"]["ads"] == body["detectedChanges"]["updated"] == 5
    assert (body["progress"], body["duration"]) == (100, 240)


def test_a_request_that_joined_a_run_follows_it(caller: Caller, connection: Connection) -> None:
    scheduled = make_run(connection)
    accepted = caller.post(MANUAL, {"provider": "meta"}).body

    by_request, by_run = job(caller, accepted["jobId"]), job(caller, scheduled.pk)

    assert accepted["joined"] is True
    metrics = SyncRun.objects.get(kind=Kind.INSIGHTS)
    assert by_run["jobIds"] == [str(scheduled.pk)]
    assert by_request["jobIds"] == [str(scheduled.pk), str(metrics.pk)]
    assert by_request["syncType"] == "MANUAL"


def test_a_connection_that_lost_its_access_is_an_issue(caller: Caller, account: Account) -> None:
    connection = make_connection(account, status=ConnectionStatus.ACCESS_DENIED)
    run = make_run(connection, state=RunState.FAILED)
    make_run(connection, request=run.request)

    assert job(caller, run.request_id)["accessIssues"] == [
        {"connectionId": str(connection.pk), "externalId": connection.external_id, "issue": "access_denied"}
    ]


def test_what_lacks_and_what_does_not_add_up_is_told_and_makes_it_partial(
    caller: Caller, connection: Connection
) -> None:
    run = make_run(
        connection,
        state=RunState.SUCCEEDED,
        access_issues=["Meta does not let the ads be read."],
        data_discrepancies=["3 ads belong to ad groups that the platform does not list: 1."],
        changes={"updated": 3},
    )
    for external_id, field in (("1", "name"), ("1", "status"), ("2", "name")):
        make_change(run, entity="ad", external_id=external_id, field=field)
    make_change(run, entity="campaign", external_id="1", action="removed")

    body = job(caller, run.pk)

    whose = {"connectionId": str(connection.pk), "externalId": connection.external_id}
    assert body["accessIssues"] == [{**whose, "issue": "Meta does not let the ads be read."}]
    assert body["dataDiscrepancies"] == [
        {**whose, "issue": "3 ads belong to ad groups that the platform does not list: 1."}
    ]
    assert body["changesByEntity"] == {"campaigns": {"removed": 1}, "adGroups": {}, "ads": {"updated": 2}}
    assert (body["status"], body["healthStatus"]) == ("SUCCESS", "PARTIAL")


def make_change(run: SyncRun, **columns: Any) -> None:
    Change.objects.create(connection=run.connection, run_id=run.pk, **{"action": "updated", **columns})


@pytest.mark.parametrize("job_id", [uuid4(), "1", "not-a-uuid", "a/b"])
def test_an_unknown_id_is_not_found(caller: Caller, job_id: object) -> None:
    answer = caller.get(f"/api/sync/status/{job_id}")

    assert (answer.status, answer.body["error"]) == (404, "Not found")
    assert answer.body["message"]


def test_the_number_of_queries_does_not_grow(caller: Caller, account: Account) -> None:
    request = make_request(account)

    def fill(number: int) -> None:
        for provider in Provider.values:
            for state in (RunState.QUEUED, RunState.DEFERRED, RunState.RUNNING, RunState.FAILED):
                for _ in range(number):
                    make_run(make_connection(account, provider), state=state, request=request)

    def queries() -> int:
        with CaptureQueriesContext(database) as captured:
            job(caller, request.pk)
        # the limits that people set are read once in two seconds, whoever asks
        return sum("sync_calllimit" not in query["sql"] for query in captured)

    fill(1)
    few = queries()
    fill(5)

    assert queries() == few <= 30
