"""Many workers at one project's operations, and a budget store that refuses or forgets beside them."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from providers.base import Usage
from providers.errors import BudgetSpent, Scope
from providers.http import CALL_SECONDS
from sync.engine.limits import limits_of
from sync.engine.platform import budget_store, gate_for
from sync.engine.set_limits import clear_limits, set_limits
from sync.google.operations import PROJECT, Operations, operations_of
from sync.google.project import project_name
from sync.ledger import finish
from sync.ledger.lease import Lease
from sync.models import Account, CallLimit, Connection, GoogleProject, OperationCount
from sync.models.choices import DeferReason, LimitScope, Provider, RunState, Trigger
from sync.schedule.cleanup import clean_up
from tests.factories import make_account, make_connection, make_run
from tests.processes import ROOT, environment, eventually

LIMIT = 60
TAKE_ALL = """
import django; django.setup()
from providers.errors import BudgetSpent
from sync.google.operations import operations_of
from sync.models import Account
ledger, taken = operations_of(Account.objects.get(), background=False), 0
try:
    while True:
        ledger.take(str(taken))
        taken += 1
except BudgetSpent:
    print(taken)
"""


@pytest.fixture
def customer(account: Account, settings: Any) -> Connection:
    """A Google connection in a project of few operations, with windows that stand in no way."""
    settings.GOOGLE_DAILY_OPERATIONS = LIMIT
    settings.CONNECTION_WINDOWS = {"google": ((1000, 60.0),)}
    budget_store().refill([])
    return make_connection(account, Provider.GOOGLE)


def used(subject: str = PROJECT) -> int:
    return sum(OperationCount.objects.filter(subject=subject).values_list("calls", flat=True))


def ledger_of(account: Account, *, background: bool = False) -> Operations:
    ledger = operations_of(account, background=background)
    assert ledger is not None
    return ledger


def take_all(account: Account) -> int:
    """Take until it is refused; how many that were."""
    ledger, taken = ledger_of(account), 0
    try:
        while True:
            ledger.take(str(taken))
            taken += 1
    except BudgetSpent:
        return taken
    finally:
        database.close()


def all_at_once(number: int, start: Callable[[], list[Any]]) -> list[Any]:
    """What many that `start` begins bring back, let loose when all of them wait for the project's row."""
    with transaction.atomic():
        GoogleProject.objects.select_for_update().get()
        begun = start()
        eventually(lambda: _waiting() == number, seconds=40, what=f"{number} at the row")
    return begun


def _waiting() -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_eight_threads_take_as_many_as_there_are(settings: Any) -> None:
    settings.GOOGLE_DAILY_OPERATIONS = LIMIT
    account = make_account()
    GoogleProject.objects.create(name=project_name())

    with ThreadPoolExecutor(8) as pool:
        futures = all_at_once(8, lambda: [pool.submit(take_all, account) for _ in range(8)])
        taken = [future.result() for future in futures]

    assert sum(taken) == used() == used(str(account.pk)) == LIMIT
    assert len([number for number in taken if number]) > 1  # no one of them had it all


@pytest.mark.django_db(transaction=True)
def test_three_processes_take_as_many_as_there_are(settings: Any) -> None:
    settings.GOOGLE_DAILY_OPERATIONS = LIMIT
    make_account()
    GoogleProject.objects.create(name=project_name())
    told = environment(GOOGLE_DAILY_OPERATIONS=str(LIMIT), GOOGLE_CLIENT_ID=django_settings.GOOGLE_CLIENT_ID)

    def start() -> list[subprocess.Popen[str]]:
        command = [sys.executable, "-c", TAKE_ALL]
        return [
            subprocess.Popen(command, cwd=ROOT, env=told, stdout=subprocess.PIPE, text=True) for _ in range(3)
        ]

    taken = [int(process.communicate(timeout=60)[0]) for process in all_at_once(3, start)]

    assert sum(taken) == used() == LIMIT
    assert len([number for number in taken if number]) > 1


def test_a_call_that_a_window_refuses_costs_no_operation(customer: Connection, settings: Any) -> None:
    settings.CONNECTION_WINDOWS = {"google": ((2, 60.0),)}
    gate = gate_for(customer, background=False)
    for _ in range(2):
        gate.settle(gate.take(), Usage())

    with pytest.raises(BudgetSpent, match="2 calls a minute"):
        gate.take()

    assert used() == used(str(customer.account_id)) == 2


def test_a_call_that_the_ledger_refuses_costs_no_window(customer: Connection, settings: Any) -> None:
    settings.GOOGLE_DAILY_OPERATIONS = 1
    gate = gate_for(customer, background=False)
    gate.take()

    with pytest.raises(BudgetSpent, match=r"^Google's project may make 1 operations in 24 hours$"):
        gate.take()

    settings.GOOGLE_DAILY_OPERATIONS = 0  # no limit: the windows alone
    gate_for(customer, background=False).take()
    assert used() == 1


def test_a_budget_store_that_forgot_everything_gives_no_operation_back(customer: Connection) -> None:
    gate = gate_for(customer, background=False)
    for _ in range(LIMIT):
        gate.settle(gate.take(), Usage())

    redis.Redis.from_url(django_settings.REDIS_URL).flushdb()

    with pytest.raises(BudgetSpent, match="60 operations in 24 hours"):
        gate.take()


def test_people_find_the_reserve_that_background_work_leaves(customer: Connection) -> None:
    background, person = (gate_for(customer, background=each) for each in (True, False))
    for _ in range(48):
        background.take()
    with pytest.raises(BudgetSpent, match="60 operations in 24 hours, 48 of them in the background"):
        background.take()

    for _ in range(12):
        person.take()
    with pytest.raises(BudgetSpent):
        person.take()


def test_one_tenant_can_not_use_up_what_another_comes_for(
    customer: Connection, other_account: Account
) -> None:
    GoogleProject.objects.update_or_create(name=project_name(), defaults={"weights": 2})
    greedy, late = ledger_of(customer.account, background=True), ledger_of(other_account, background=True)
    for number in range(42):  # 70 % of the day: lent, for nobody else wants it
        greedy.take(str(number))
    with pytest.raises(BudgetSpent, match="this account has used its share of 24, the rest is for others"):
        greedy.take("one more")

    for number in range(6):
        late.take(str(number))

    with pytest.raises(BudgetSpent, match="48 of them in the background"):
        late.take("beyond the day")


def test_a_day_that_is_planned_is_not_lent_to_the_first_who_comes(
    customer: Connection, other_account: Account
) -> None:
    for _ in range(3):
        make_connection(other_account, Provider.GOOGLE)
    GoogleProject.objects.create(
        name=project_name(),
        weights=2,
        connections_count=4,
        operations_per_sync=3,
        interval=timedelta(hours=8),
    )  # 36 operations a day are planned, 27 of them the other account's
    greedy, late = ledger_of(customer.account, background=True), ledger_of(other_account, background=True)

    assert (greedy.quota.share, greedy.quota.utmost) == (24, 30)
    for number in range(30):
        greedy.take(str(number))
    with pytest.raises(BudgetSpent, match="this account has used its share of 24"):
        greedy.take("one more")

    for number in range(18):
        late.take(str(number))


def test_a_call_that_outlasts_the_longest_counts_once_more_from_its_end(
    customer: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("sync.google.operations.time.monotonic", lambda: now[0])
    ledger = ledger_of(customer.account)
    ledger.take("quick")
    ledger.take("slow")

    now[0] += CALL_SECONDS
    ledger.settle("quick")
    now[0] += 0.1
    ledger.settle("slow")

    assert used() == used(str(customer.account_id)) == 3


def test_a_look_makes_no_row_and_the_first_take_makes_the_one_to_lock(customer: Connection) -> None:
    ledger = ledger_of(customer.account)
    ledger.standing()
    assert not GoogleProject.objects.exists()

    ledger.take("ticket")

    assert GoogleProject.objects.get().name == project_name()
    assert used() == 1


def test_two_clients_of_one_project_share_its_operations(account: Account, settings: Any) -> None:
    settings.GOOGLE_CLIENT_ID = "123456789-web.apps.googleusercontent.com"
    ledger_of(account).take("1")
    settings.GOOGLE_CLIENT_ID = "123456789-tv.apps.googleusercontent.com"
    ledger_of(account).take("2")
    settings.GOOGLE_CLIENT_ID = "987654321-web.apps.googleusercontent.com"
    ledger_of(account).take("3")

    counted = OperationCount.objects.filter(subject=PROJECT).order_by("project")
    assert list(counted.values_list("project", "calls")) == [("123456789", 2), ("987654321", 1)]


def test_a_day_among_the_providers_windows_is_heeded_too(account: Account, settings: Any) -> None:
    settings.PROVIDER_WINDOWS = {"meta": (), "google": ((2_880, 86_400.0), (10, 1.0))}

    assert ledger_of(account).quota.limit == 2_880
    (app,) = [limit for limit in limits_of(make_connection(account, "google")) if limit.scope == Scope.APP]
    assert [window.seconds for window in app.windows] == [1.0]


def test_those_who_wait_come_back_one_after_another(customer: Connection) -> None:
    ledger = ledger_of(customer.account)
    now = timezone.now().replace(second=0, microsecond=0)
    for number in range(1, LIMIT + 1):  # one leaves the day every minute
        for subject in (PROJECT, str(customer.account_id)):
            OperationCount.objects.create(
                project=ledger.project, subject=subject, until=now - timedelta(minutes=number), calls=1
            )

    moments = []
    for trigger in (Trigger.MANUAL, Trigger.MANUAL, Trigger.SCHEDULED, Trigger.MANUAL):
        waits = make_connection(customer.account, Provider.GOOGLE)
        run = make_run(waits, state=RunState.RUNNING, trigger=trigger)
        with pytest.raises(BudgetSpent) as caught:
            ledger.take("one more")
        free_at = datetime.fromtimestamp(caught.value.retry_at, UTC)
        moments.append(free_at)
        finish.defer(Lease.of(run), until=free_at, reason=DeferReason.BUDGET, waiting_for="", calls=0)

    first = now - timedelta(minutes=LIMIT) + timedelta(hours=24)  # the oldest of all leaves
    # five for each, and a person is not behind what is scheduled
    assert moments == [first + timedelta(minutes=number) for number in (4, 9, 14, 14)]


def test_a_day_that_people_set_holds_instead_of_the_settings(customer: Connection) -> None:
    day = CallLimit(scope=LimitScope.PROVIDER, provider=Provider.GOOGLE, calls=2, seconds=86_400)
    set_limits([day], by="carol")
    gate = gate_for(customer, background=False)
    for _ in range(2):
        gate.settle(gate.take(), Usage())

    with pytest.raises(BudgetSpent, match=r"^Google's project may make 2 operations in 24 hours$"):
        gate.take()

    clear_limits(CallLimit.objects.all(), by="carol")
    gate_for(customer, background=False).take()


def test_what_has_left_the_day_is_cleaned_up_and_nothing_else(customer: Connection) -> None:
    now = timezone.now()
    for seconds in (-1, 1):
        left = now - timedelta(hours=24) - timedelta(seconds=seconds)
        OperationCount.objects.create(project="7", subject=PROJECT, until=left, calls=1)

    assert clean_up().operations == 1
    assert OperationCount.objects.get().until > now - timedelta(hours=24)
