"""When a waiting sync will start and end, as the ledger and the budgets tell."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from sync import moments
from sync.engine.forecast import forecasts, with_budgets
from sync.engine.limits import limits_of
from sync.engine.platform import budget_store
from sync.google.operations import operations_of
from sync.ledger.pause import pause
from sync.ledger.waiting import waiting_for
from sync.models import Account, Connection, Queue, SyncAttempt, SyncRun
from sync.models.choices import CredentialStatus, Outcome, RunState
from tests.factories import make_connection, make_run

SECOND = timedelta(seconds=1)


def worked(connection: Connection, seconds: int) -> None:
    """A sync of the connection that succeeded, and held its slot so long."""
    run, now = make_run(connection, state=RunState.SUCCEEDED), timezone.now()
    SyncAttempt.objects.create(
        run=run,
        lease_token=uuid4(),
        worker="w",
        started_at=now - seconds * SECOND,
        ended_at=now,
        outcome=Outcome.SUCCEEDED,
    )


def seconds_until(moment: datetime) -> float:
    return (moment - timezone.now()).total_seconds()


def test_a_run_with_a_free_slot_starts_now_and_ends_after_its_usual_work(connection: Connection) -> None:
    worked(connection, 10)
    worked(connection, 20)
    run = make_run(connection)

    forecast = forecasts([run])[run.pk]

    assert seconds_until(forecast.starts_at) == pytest.approx(0, abs=1)
    assert seconds_until(forecast.ends_at) == pytest.approx(15, abs=1)


def test_later_places_start_later(account: Account) -> None:
    for seconds in (20, 40):
        worked(make_connection(account), seconds)
    make_run(make_connection(account), state=RunState.RUNNING)
    Queue.objects.update(concurrency=1)
    now = timezone.now()
    runs = [make_run(make_connection(account), queued_at=now + n * SECOND) for n in range(3)]

    told = forecasts(runs)

    assert [round(seconds_until(told[run.pk].starts_at) / 30) for run in runs] == [1, 2, 3]


def test_a_deferred_run_starts_when_it_is_due_and_its_turn_has_come(account: Account) -> None:
    worked(make_connection(account), 30)
    due = timezone.now() + 300 * SECOND
    run = make_run(make_connection(account), state=RunState.DEFERRED, available_at=due)
    assert forecasts([run])[run.pk].starts_at == due

    Queue.objects.update(concurrency=1)
    make_run(make_connection(account), state=RunState.RUNNING)

    assert forecasts([run])[run.pk].starts_at == due + 30 * SECOND


def test_a_run_whose_connection_syncs_starts_when_that_has_ended(connection: Connection) -> None:
    worked(connection, 60)
    make_run(connection, state=RunState.RUNNING)
    run = make_run(connection)

    assert seconds_until(forecasts([run])[run.pk].starts_at) == pytest.approx(60, abs=1)


def test_no_time_is_told_for_what_waits_for_a_person(account: Account) -> None:
    paused, lost = make_connection(account), make_connection(account)
    runs = [make_run(paused), make_run(lost)]
    pause(paused, by="carol")
    lost.credential.status = CredentialStatus.RECONNECT_NEEDED
    lost.credential.save()
    of_paused_queue = make_run(make_connection(account, "google"))
    pause(Queue.objects.get(provider="google"), by="carol")

    fresh = SyncRun.objects.filter(pk__in=[run.pk for run in [*runs, of_paused_queue]])

    assert forecasts(fresh) == {}


def test_a_spent_budget_is_told_with_whose_it_is_and_until_when(connection: Connection) -> None:
    """A person may use the reserve, too."""
    store, limits = budget_store(), limits_of(connection)
    store.refill([])
    for _ in range(8):  # of 10 a minute, 8 are for the background
        assert store.take(limits, uuid4().hex, call_seconds=1) is None
    scheduled = make_run(connection)

    forecast = forecasts([scheduled])[scheduled.pk]

    assert seconds_until(forecast.starts_at) == pytest.approx(60, abs=2)
    words = with_budgets(waiting_for([scheduled]), {scheduled.pk: forecast})[scheduled.pk]
    expected = f"{connection.external_id} may call again at {moments.told(forecast.starts_at)}"
    assert words == f"the call budget: {expected}"
    SyncRun.objects.update(priority=1)
    scheduled.refresh_from_db()
    assert seconds_until(forecasts([scheduled])[scheduled.pk].starts_at) == pytest.approx(0, abs=1)


@pytest.mark.parametrize("key", ["provider:meta", "connection:meta:act_9:ads_management"])
def test_a_park_is_told_also_where_nothing_is_counted(account: Account, key: str) -> None:
    run = make_run(make_connection(account, external_id="act_9"))
    budget_store().park(key, 600, "the platform's limit is used up")

    told = forecasts([run])[run.pk]

    assert told.starts_at - timezone.now() == pytest.approx(timedelta(minutes=10), abs=timedelta(seconds=5))
    assert told.calls_again in ("Meta", "act_9 (ads_management)")


def test_a_use_case_that_the_run_does_not_need_delays_nothing(account: Account) -> None:
    run = make_run(make_connection(account, external_id="act_9"))
    budget_store().park("connection:meta:act_9:ads_insights", 600, "the platform's limit is used up")

    assert forecasts([run])[run.pk].calls_again == ""


def test_a_project_without_operations_delays_every_account_of_google_until_some_leave_the_day(
    account: Account, other_account: Account, settings: Settings
) -> None:
    settings.GOOGLE_DAILY_OPERATIONS = 3
    google, meta = make_connection(other_account, "google"), make_connection(account)
    runs = [make_run(google), make_run(meta)]
    ledger = operations_of(account, background=False)
    assert ledger is not None
    for number in range(3):
        ledger.take(str(number))

    told = forecasts(runs)

    assert seconds_until(told[runs[0].pk].starts_at) == pytest.approx(86_400 + 60, abs=60)
    assert seconds_until(told[runs[1].pk].starts_at) == pytest.approx(0, abs=5)
    words = with_budgets(waiting_for(runs), told)
    assert words[runs[0].pk].startswith("the call budget: Google's project may call again at ")


def test_many_runs_are_told_in_a_fixed_number_of_queries(account: Account) -> None:
    def queries(number: int) -> int:
        for _ in range(number):
            make_run(make_connection(account))
        runs = list(SyncRun.objects.select_related("connection__credential", "connection__account__plan"))
        with CaptureQueriesContext(database) as captured:
            assert len(forecasts(runs)) == len(runs)
        # the limits that people set are read once in two seconds, whoever asks
        return sum("sync_calllimit" not in query["sql"] for query in captured)

    assert queries(3) == queries(30)
