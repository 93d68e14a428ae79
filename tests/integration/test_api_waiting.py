"""What the status says about waiting: the place in the queue, and the reason in words."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from sync.ledger.claim import claim
from sync.ledger.finish import Success, succeed
from sync.ledger.lease import Lease
from sync.ledger.pause import pause
from sync.ledger.position import oldest_wait, positions
from sync.ledger.waiting import waiting_for
from sync.models import Account, Connection, Plan, Queue, SyncRun
from sync.models.choices import ConnectionStatus, CredentialStatus, DeferReason, Kind, Provider, RunState
from tests.factories import make_account, make_connection, make_run

NOON = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=1)
NOON_TOLD = f"{NOON:%Y-%m-%d} 12:00:00 UTC"  # of another day than today


def words(run: SyncRun) -> str:
    return waiting_for([SyncRun.objects.get(pk=run.pk)])[run.pk]


def test_a_run_that_could_start_waits_for_a_worker(connection: Connection) -> None:
    assert words(make_run(connection)) == "a worker to take it"


def test_busy_slots_are_counted(account: Account) -> None:
    for _ in range(2):
        make_run(make_connection(account), state=RunState.RUNNING)

    assert words(make_run(make_connection(account))) == "a free slot: 2 of 2 slots busy"
    google = make_run(make_connection(account, Provider.GOOGLE))
    assert words(google) == "a worker to take it"


def test_another_sync_of_the_ad_account_is_named(connection: Connection) -> None:
    make_run(connection, state=RunState.RUNNING)

    assert (
        words(make_run(connection, kind=Kind.INSIGHTS)) == "another sync of this ad account, which is running"
    )


def test_a_run_that_was_claimed_meanwhile_does_not_wait_for_itself(connection: Connection) -> None:
    run = make_run(connection)
    claim("meta", "default", worker="w")

    assert waiting_for([run]) == {run.pk: "a worker to take it"}


@pytest.mark.parametrize(
    ("reason", "text", "expected"),
    [
        (
            DeferReason.BUDGET,
            "10 calls a minute of act_1",
            "the call budget: 10 calls a minute of act_1, until " + NOON_TOLD,
        ),
        (DeferReason.RETRY, "Meta did not answer.", "Meta did not answer, until " + NOON_TOLD),
        (DeferReason.BUDGET, "", "the call budget, until " + NOON_TOLD),
        (DeferReason.RETRY, "", "the next attempt, until " + NOON_TOLD),
        (DeferReason.REPORT, "", "the platform's report, until " + NOON_TOLD),
        (DeferReason.GAVE_WAY, "", "a more urgent sync, until " + NOON_TOLD),
    ],
)
def test_a_deferral_tells_its_reason_and_its_end(
    connection: Connection, reason: DeferReason, text: str, expected: str
) -> None:
    run = make_run(
        connection, state=RunState.DEFERRED, available_at=NOON, defer_reason=reason, waiting_for=text
    )

    assert words(run) == expected


def test_a_pause_tells_who_and_why(connection: Connection, alice: User) -> None:
    run = make_run(connection)

    pause(connection, by="alice", reason="budget review")
    assert words(run) == "the ad account is paused by alice: budget review"
    pause(connection.account, by="alice")
    assert words(run) == "the account is paused by alice"
    pause(Queue.objects.get(), by="carol", reason="maintenance")
    assert words(run) == "Meta is paused by carol: maintenance"


def test_a_pause_comes_before_a_deferral(connection: Connection) -> None:
    run = make_run(connection, state=RunState.DEFERRED)
    pause(connection, by="carol")

    assert words(run) == "the ad account is paused by carol"


def test_a_lost_grant_waits_for_its_user(connection: Connection) -> None:
    run = make_run(connection)
    connection.credential.status = CredentialStatus.RECONNECT_NEEDED
    connection.credential.save()

    assert words(run) == "its user to reconnect Meta"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (ConnectionStatus.ACCESS_DENIED, "access to the ad account, which the platform denies"),
        (ConnectionStatus.DISCONNECTED, "the ad account to be connected again"),
    ],
)
def test_an_ad_account_that_can_not_be_read_is_told(account: Account, status: str, expected: str) -> None:
    assert words(make_run(make_connection(account, status=status))) == expected


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED])
def test_what_does_not_wait_waits_for_nothing(connection: Connection, state: str) -> None:
    run = make_run(connection, state=state)

    assert waiting_for([run]) == {}
    assert positions([run]) == {}


def claimed_order() -> list[SyncRun]:
    """Start and end everything, one after the other."""
    order = []
    while run := claim("meta", "default", worker="w"):
        order.append(run)
        succeed(Lease.of(run), Success(calls=0))
    return order


def test_the_places_are_those_in_which_the_claim_starts_them(account: Account) -> None:
    heavy = make_account("Heavy", plan=Plan.objects.create(name="Double", weight=2))
    light = make_account("Light")
    start = timezone.now() - timedelta(minutes=1)
    runs = [
        make_run(make_connection(one), queued_at=start + timedelta(seconds=n))
        for n, one in enumerate([account] * 5 + [heavy] * 5 + [light] * 3)
    ]

    places = positions(runs)

    assert sorted(places.values()) == list(range(1, 14))
    assert claimed_order() == sorted(runs, key=lambda run: places[run.pk])


def test_one_tenants_crowd_does_not_stand_before_anothers_first_run(account: Account) -> None:
    earlier = timezone.now() - timedelta(minutes=1)
    for _ in range(30):
        make_run(make_connection(account), queued_at=earlier)
    first = make_run(make_connection(make_account("Small")))

    assert positions([first]) == {first.pk: 2}


def test_the_longest_wait_is_that_of_what_could_start(account: Account) -> None:
    assert oldest_wait("meta", "default") is None

    held = make_connection(account)
    make_run(held, queued_at=timezone.now() - timedelta(hours=1))
    pause(held, by="carol")
    make_run(make_connection(account), queued_at=timezone.now() - timedelta(minutes=2))

    wait = oldest_wait("meta", "default")
    assert wait is not None
    assert timedelta(minutes=2) <= wait < timedelta(minutes=3)
