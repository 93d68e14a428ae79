"""Syncs of Google are stretched to what a day allows, and everybody is told: the API, the operator."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sync.google.pace import measure
from sync.models import Account, Connection, GoogleProject, Plan, SyncRun
from sync.models.choices import CredentialStatus, Provider, RunState
from sync.schedule.hourly import request_due, request_hour
from tests.factories import make_account, make_connection, make_run
from tests.integration.api_callers import by_token, written
from tests.integration.test_api_status import status

HOUR = timedelta(hours=1)
PACE = (
    "Google's project may make 400 operations in 24 hours, too few for hourly syncs of 40 ad accounts at 5.0 "
    "operations each: each is synced every 18 h 30 min."
)


@pytest.fixture
def crowd(account: Account, settings: Any) -> list[Connection]:
    """40 Google connections, all due, in a project whose schedule may plan with 260 operations a day."""
    settings.GOOGLE_DAILY_OPERATIONS = 400
    one = make_connection(account, Provider.GOOGLE, next_sync_at=timezone.now())
    return [one] + [
        make_connection(account, Provider.GOOGLE, credential=one.credential, next_sync_at=timezone.now())
        for _ in range(39)
    ]


def measured() -> GoogleProject:
    measure()
    return GoogleProject.objects.get()


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_two_days_of_a_crowd_use_what_the_schedule_plans_with(crowd: list[Connection]) -> None:
    begin, step = timezone.now().replace(minute=0, second=0, microsecond=0), timedelta(minutes=30)
    asked: list[int] = []  # syncs in each half hour
    for number in range(5 * 48):
        request_due(begin + number * step)
        asked.append(SyncRun.objects.count())
        SyncRun.objects.all().delete()

    # two runs each, of five operations together
    days = [5 * sum(asked[start : start + 48]) / 2 for start in range(48, 4 * 48)]  # sliding, in operations

    assert max(days) <= 320  # all that background work may use
    assert sum(days) / len(days) == pytest.approx(260, rel=0.05)


def test_next_sync_is_told_as_it_is(crowd: list[Connection], bob: User, account: Account) -> None:
    now = timezone.now()
    request_due(now)

    body = status(by_token(bob, account))

    slots = sorted(Connection.objects.values_list("next_sync_at", flat=True))
    assert body["nextSync"]["scheduledAt"] == written(slots[0])
    told = {one["connection"]["nextSyncAt"] for one in body["providers"]}
    assert told == {written(slot) for slot in slots}
    assert now + 9 * HOUR < slots[-1] < now + 37 * HOUR


def test_the_operator_sees_why(crowd: list[Connection], admin_client: Client) -> None:
    request_due(timezone.now())

    assert PACE in printed("limits")
    assert json.loads(printed("limits", "--json"))["google"]["interval"] == 18 * 3600 + 1800
    assert PACE in printed("queue")
    assert json.loads(printed("queue", "--json"))["queues"][0]["notes"] == [PACE]
    assert PACE.replace("'", "&#x27;") in admin_client.get(reverse("admin:index")).content.decode()


def test_what_a_day_allows_is_synced_hourly(account: Account, connection: Connection) -> None:
    google = make_connection(account, Provider.GOOGLE, next_sync_at=timezone.now())
    now = timezone.now()

    request_due(now)

    google.refresh_from_db()
    assert google.next_sync_at == google.slot_after(now)
    assert "synced every" not in printed("limits")


def test_meta_stays_hourly_beside_a_stretched_google(crowd: list[Connection], connection: Connection) -> None:
    now = timezone.now()
    Connection.objects.filter(pk=connection.pk).update(next_sync_at=now)

    request_hour(now)

    connection.refresh_from_db()
    assert connection.next_sync_at == connection.slot_after(now)


def test_a_larger_day_brings_the_next_syncs_forward(crowd: list[Connection], settings: Any) -> None:
    now = timezone.now()
    request_due(now)
    settings.GOOGLE_DAILY_OPERATIONS = 0

    request_due(now)

    assert max(Connection.objects.values_list("next_sync_at", flat=True)) <= now + 2 * HOUR


@pytest.mark.parametrize(
    ("before", "after", "released"), [(400, 401, True), (400, 0, True), (400, 399, False)]
)
def test_who_waits_for_a_day_that_grows_tries_again_at_once(
    account: Account, settings: Any, before: int, after: int, released: bool
) -> None:
    settings.GOOGLE_DAILY_OPERATIONS = before
    tomorrow = timezone.now() + timedelta(hours=20)
    google, meta = (make_connection(account, provider) for provider in (Provider.GOOGLE, Provider.META))
    waits = make_run(google, state=RunState.DEFERRED, available_at=tomorrow)
    retried = make_run(google, state=RunState.DEFERRED, available_at=tomorrow, defer_reason="retry")
    of_meta = make_run(meta, state=RunState.DEFERRED, available_at=tomorrow)
    request_due(timezone.now())

    settings.GOOGLE_DAILY_OPERATIONS = after
    request_due(timezone.now())

    early = set(SyncRun.objects.filter(available_at__lt=tomorrow).values_list("pk", flat=True))
    assert early == ({waits.pk} if released else set())
    assert {retried.pk, of_meta.pk}.isdisjoint(early)


def test_only_one_of_those_who_measure_is_told_of_a_larger_day(account: Account, settings: Any) -> None:
    make_connection(account, Provider.GOOGLE)
    measure()
    settings.GOOGLE_DAILY_OPERATIONS += 1

    assert [measure().has_grown for _ in range(2)] == [True, False]


def test_a_sync_is_planned_with_what_recent_ones_used(account: Account, settings: Any) -> None:
    google = make_connection(account, Provider.GOOGLE)
    for calls in (3, 7, 0):
        run = make_run(google, state=RunState.SUCCEEDED, calls=calls)
        if calls:  # what one request asks for is one sync
            make_run(google, state=RunState.SUCCEEDED, calls=1, kind="insights", request=run.request)
    make_run(google, state=RunState.SUCCEEDED, calls=99, trigger="manual")
    make_run(make_connection(account), state=RunState.SUCCEEDED, calls=99)
    make_run(google, state=RunState.SUCCEEDED, calls=99, finished_at=timezone.now() - timedelta(hours=25))

    assert measured().operations_per_sync == 6


def test_those_count_that_are_synced_and_by_their_weight(account: Account, other_account: Account) -> None:
    account.plan = Plan.objects.create(name="Agency", weight=5)
    account.save()
    make_connection(account, Provider.GOOGLE)
    make_connection(account, Provider.GOOGLE)
    make_connection(other_account, Provider.GOOGLE)
    lost = make_connection(make_account("Lost"), Provider.GOOGLE)
    lost.credential.status = CredentialStatus.RECONNECT_NEEDED
    lost.credential.save()
    make_connection(make_account("Meta only"))

    project = measured()

    assert (project.weights, project.connections_count) == (6, 3)


def test_where_nobody_uses_google_nothing_is_told_of_it(connection: Connection) -> None:
    request_due(timezone.now())

    assert not GoogleProject.objects.exists()
    assert "Google" not in printed("limits")


def test_without_a_limit_nothing_is_measured(account: Account, settings: Any) -> None:
    settings.GOOGLE_DAILY_OPERATIONS = 0

    assert measure() == (HOUR, False)
    assert not GoogleProject.objects.exists()
    assert "operations" not in printed("limits")
