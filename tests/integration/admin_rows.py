"""A row of everything that the admin shows, with what hangs on it."""

from uuid import uuid4

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.utils import timezone
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from django_celery_results.models import GroupResult, TaskResult

from providers.drift import DriftKind, Oddity
from sync.models import (
    Account,
    Ad,
    AdGroup,
    ApiToken,
    CallLimit,
    Campaign,
    Change,
    Connection,
    DeadLetter,
    Drift,
    Intervention,
    KindLimit,
    Plan,
    Queue,
    SyncAttempt,
    SyncRun,
    UnknownCode,
)
from sync.models.choices import Action, ChangeAction, EntityKind, Outcome, RunState
from tests.factories import make_account, make_connection, make_member, make_run, make_token

SCHEDULES = (PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule)
ADDABLE = (Account, CallLimit, KindLimit, Plan, ApiToken, User, Group, *SCHEDULES)


def one_of_each(user: User) -> dict[type[Model], Model]:
    """The rows by their models."""
    return {type(row): row for row in make_rows(user)} | {DeadLetter: DeadLetter.objects.get()}


def make_rows(user: User, number: int = 0) -> tuple[Model, ...]:
    """One row of everything, another one with each number."""
    plan = Plan.objects.create(name=f"Basic {number}")
    account = make_account("Acme", plan=plan)
    member = make_member(account, f"alice{number}")
    connection = make_connection(account, name="Shoes")
    run = make_run(connection, state=RunState.FAILED, error_category="API_ERROR", error_message="No access")
    make_attempts(run)
    make_token(account, member, name="frontend")
    interval = IntervalSchedule.objects.create(every=5 + number, period="seconds")
    return (
        plan,
        CallLimit.objects.create(scope="account", account=account, calls=10, seconds=60, set_by="carol"),
        account,
        connection,
        connection.credential,
        run,
        run.request,
        *make_catalog(connection),
        make_change(run),
        Queue.objects.get(),
        *Intervention.objects.record(Action.REPLAYED, [run], by="carol"),
        KindLimit.objects.create(region=f"default{number}", kind="campaigns", concurrency=3),
        ApiToken.objects.get(user=member),
        member,
        Group.objects.create(name=f"Operators {number}"),
        make_log_entry(user, connection),
        make_unknown_code(number),
        make_drift(number),
        interval,
        PeriodicTask.objects.create(name=f"Tick {number}", task="sync.tick", interval=interval),
        CrontabSchedule.objects.create(hour="4"),
        SolarSchedule.objects.create(event="sunrise", latitude=52, longitude=13 + number),
        ClockedSchedule.objects.create(clocked_time=timezone.now()),
        TaskResult.objects.create(task_id=str(uuid4()), task_name="sync.tick", status="SUCCESS"),
        GroupResult.objects.create(group_id=str(uuid4())),
    )


def make_attempts(run: SyncRun) -> None:
    for outcome in (Outcome.DEFERRED, Outcome.FAILED, ""):
        SyncAttempt.objects.create(
            run=run,
            lease_token=uuid4(),
            worker="worker@host",
            started_at=timezone.now(),
            ended_at=timezone.now() if outcome else None,
            outcome=outcome,
            calls=7,
            platform_code="190/463",
            trace_id="AbCdTrace",
        )


def make_unknown_code(number: int) -> UnknownCode:
    UnknownCode.objects.record("meta", f"987654/{number}", 400, "AbCdTrace")
    return UnknownCode.objects.latest("first_seen_at")


def make_drift(number: int) -> Drift:
    Drift.objects.record("meta", {Oddity(DriftKind.WORD, "campaigns.objective", f"OUTCOME_{number}"): 2})
    return Drift.objects.latest("first_seen_at")


def make_catalog(connection: Connection) -> tuple[Model, ...]:
    same = {
        "connection": connection,
        "status": "active",
        "platform_status": "ACTIVE",
        "raw": {"bid_strategy": "LOWEST_COST"},
    }
    return (
        Campaign.objects.create(**same, external_id="1", name="Summer", daily_budget_micros=12_345_670_000),
        AdGroup.objects.create(**same, external_id="2", name="Women", campaign_external_id="1"),
        Ad.objects.create(
            **same, external_id="3", name="Boots", campaign_external_id="1", ad_group_external_id="2"
        ),
    )


def make_change(run: SyncRun) -> Change:
    return Change.objects.create(
        connection=run.connection,
        run_id=run.pk,
        entity=EntityKind.CAMPAIGN,
        external_id="1",
        action=ChangeAction.UPDATED,
        field="daily_budget_micros",
        old=10_000_000,
        new=12_000_000,
    )


def make_log_entry(user: User, row: Model) -> LogEntry:
    LogEntry.objects.log_actions(user.pk, [row], CHANGE, change_message="Paused.")
    return LogEntry.objects.latest("pk")
