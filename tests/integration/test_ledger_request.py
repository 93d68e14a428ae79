"""Asking for syncs: joining, covering, limits, races."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection as database
from django.db import transaction

from sync.errors import AlreadySyncing, ManualLimitReached
from sync.ledger.cancel import cancel
from sync.ledger.claim import claim
from sync.ledger.queues import ensure_queue
from sync.ledger.request import Requested, request_sync
from sync.ledger.scope import Scope
from sync.models import Account, Connection, SyncRequest, SyncRun
from sync.models.choices import Priority, RunState, Trigger
from tests.factories import make_account, make_connection, make_run
from tests.locks import begin


def ask(*connections: Connection, **options: object) -> Requested:
    options = {"trigger": Trigger.MANUAL, "source": "api", **options}
    return request_sync(connections[0].account, connections, **options)  # type: ignore[arg-type]  # by name


def test_a_request_makes_one_queued_run_per_connection(account: Account) -> None:
    first, second = make_connection(account), make_connection(account, "google")

    result = ask(first, second)

    assert {run.connection for run in result.made} == {first, second}
    assert {(run.state, run.priority) for run in result.made} == {(RunState.QUEUED, Priority.MANUAL)}
    assert set(SyncRun.objects.of_request(result.request)) == set(result.made)


def test_a_manual_request_joins_a_waiting_scheduled_run_and_raises_it(connection: Connection) -> None:
    scheduled = make_run(connection)

    result = ask(connection)

    scheduled.refresh_from_db()
    assert (result.joined, result.made) == ([scheduled], [])
    assert (scheduled.priority, scheduled.trigger) == (Priority.MANUAL, Trigger.MANUAL)
    assert list(SyncRun.objects.of_request(result.request)) == [scheduled]


@pytest.mark.parametrize("reason", ["budget", "retry", "gave_way"])
def test_a_deferred_run_that_a_person_asks_for_is_due_at_once(connection: Connection, reason: str) -> None:
    deferred = make_run(connection, state=RunState.DEFERRED, defer_reason=reason)

    ask(connection)

    assert claim("meta", "default", worker="w") == deferred


def test_what_a_run_read_before_a_person_asked_is_read_again(connection: Connection) -> None:
    read = {"checkpoint": {"stream": "ads", "cursor": "c"}, "campaigns_count": 5, "ads_count": 7}
    run = make_run(connection, state=RunState.DEFERRED, **read)

    ask(connection)

    run.refresh_from_db()
    assert (run.checkpoint, run.campaigns_count, run.ads_count) == ({}, 0, 0)


def test_a_scheduled_request_lets_a_run_go_on_where_it_stands(connection: Connection) -> None:
    run = make_run(connection, state=RunState.DEFERRED, checkpoint={"stream": "ads", "cursor": "c"})

    ask(connection, trigger=Trigger.SCHEDULED, source="beat")

    run.refresh_from_db()
    assert run.checkpoint == {"stream": "ads", "cursor": "c"}


def test_a_scheduled_request_does_not_wake_a_deferred_run(connection: Connection) -> None:
    make_run(connection, state=RunState.DEFERRED)

    ask(connection, trigger=Trigger.SCHEDULED, source="beat")

    assert claim("meta", "default", worker="w") is None


def test_a_scheduled_request_joins_a_waiting_manual_run_without_lowering_it(connection: Connection) -> None:
    manual = make_run(connection, trigger=Trigger.MANUAL)

    result = ask(connection, trigger=Trigger.SCHEDULED, source="beat")

    manual.refresh_from_db()
    assert (result.joined, manual.priority) == ([manual], Priority.MANUAL)


def test_a_second_manual_request_is_told_of_the_first_and_leaves_no_trace(connection: Connection) -> None:
    first = ask(connection)

    with pytest.raises(AlreadySyncing) as caught:
        ask(connection)

    assert caught.value.details["jobId"] == str(first.request.pk)
    assert SyncRequest.objects.count() == SyncRun.objects.count() == 1


def test_a_running_run_that_covers_the_request_takes_its_class(connection: Connection) -> None:
    make_run(connection)
    running = claim("meta", "default", worker="w")
    assert running is not None

    with pytest.raises(AlreadySyncing):
        ask(connection)

    running.refresh_from_db()
    assert running.priority == Priority.MANUAL


def test_a_running_run_that_is_being_cancelled_answers_no_request(connection: Connection) -> None:
    make_run(connection)
    running = claim("meta", "default", worker="w")
    cancel(SyncRun.objects.all(), by="carol")

    result = ask(connection)

    assert [run.state for run in result.made] == [RunState.QUEUED]
    assert result.made != [running]


def test_a_running_run_that_lacks_what_is_asked_for_is_followed_by_a_second(connection: Connection) -> None:
    make_run(connection, campaign_ids=["1"])
    claim("meta", "default", worker="w")

    result = ask(connection)

    assert [run.campaign_ids for run in result.made] == [[]]


@pytest.mark.parametrize(
    ("waiting", "asked", "united"),
    [
        (["1"], ["2"], ["1", "2"]),
        (["1", "2"], ["2"], ["1", "2"]),
        ([], ["2"], []),
        (["1"], [], []),
    ],
)
def test_scopes_are_united_when_a_request_joins(
    connection: Connection, waiting: list[str], asked: list[str], united: list[str]
) -> None:
    run = make_run(connection, campaign_ids=waiting)

    ask(connection, scope=Scope(campaign_ids=tuple(asked)))

    run.refresh_from_db()
    assert run.campaign_ids == united


def test_a_wider_scope_reads_from_the_beginning(connection: Connection) -> None:
    run = make_run(
        connection,
        state=RunState.DEFERRED,
        campaign_ids=["1"],
        checkpoint={"stream": "ads", "cursor": "c"},
        ads_count=5,
    )

    ask(connection)

    run.refresh_from_db()
    assert (run.checkpoint, run.ads_count) == ({}, 0)


def test_free_connections_start_and_busy_ones_are_skipped(account: Account) -> None:
    busy, free = make_connection(account), make_connection(account)
    ask(busy)

    result = ask(busy, free)

    assert [run.connection for run in result.made] == [free]
    assert [skipped.connection for skipped in result.skipped] == [busy]


def test_the_sixth_manual_request_of_an_hour_is_refused(account: Account) -> None:
    for _ in range(5):
        ask(make_connection(account), limited=True)

    with pytest.raises(ManualLimitReached) as caught:
        ask(make_connection(account), limited=True)

    assert (caught.value.used, caught.value.limit) == (5, 5)
    assert 3590 < caught.value.wait_seconds <= 3600
    assert SyncRun.objects.count() == 5


def test_joins_do_not_count_against_the_manual_limit(account: Account) -> None:
    for _ in range(6):
        connection = make_connection(account)
        make_run(connection)
        ask(connection, limited=True)


@pytest.mark.django_db(transaction=True)
def test_no_hint_is_sent_for_a_request_that_was_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    hints: list[object] = []
    monkeypatch.setattr("sync.ledger.request.nudge", lambda *queue, **_: hints.append(queue))
    connection = make_connection(make_account())
    ask(connection)
    with pytest.raises(AlreadySyncing):
        ask(connection)

    assert hints == [("meta", "default")]


@pytest.mark.django_db(transaction=True)
def test_eight_double_clicks_make_one_run() -> None:
    connection = make_connection(make_account())

    made = race(8, lambda: ask(connection))

    assert made == 1
    assert SyncRun.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_racing_requests_do_not_pass_the_manual_limit() -> None:
    account = make_account()
    connections = iter([make_connection(account) for _ in range(10)])

    made = race(10, lambda: ask(next(connections), limited=True))

    assert made == 5
    assert SyncRun.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_requests_at_both_providers_at_once_do_not_pass_the_manual_limit() -> None:
    """Nothing else that they lock is the same: not a connection, nor a lane."""
    account = make_account()
    for _ in range(account.manual_syncs_per_hour - 1):
        ask(make_connection(account), limited=True)
    meta, google = make_connection(account), make_connection(account, "google")
    ensure_queue("google", "default")

    with transaction.atomic():
        ask(meta, limited=True)
        one_too_many = begin(lambda: ask(google, limited=True))

    with pytest.raises(ManualLimitReached):
        one_too_many.result(timeout=10)


def race(threads: int, request: Callable[[], Requested]) -> int:
    """How many of the simultaneous requests were accepted."""
    start = threading.Barrier(threads)

    def one(_: int) -> int:
        start.wait()
        try:
            request()
        except (AlreadySyncing, ManualLimitReached):
            return 0
        finally:
            database.close()
        return 1

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(one, range(threads)))
