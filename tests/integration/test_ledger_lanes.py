"""The lanes: kept by triggers in step with the runs, and what they make cheap or possible."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sync.ledger import finish
from sync.ledger.cancel import cancel
from sync.ledger.claim import better_run_waits, claim, mend_holds, promote_due
from sync.ledger.finish import Success
from sync.ledger.lease import Lease
from sync.ledger.pause import pause, resume
from sync.ledger.position import positions
from sync.ledger.waiting import waiting_for
from sync.models import Account, Connection, KindLimit, Lane, Plan, Queue, SyncRun
from sync.models.choices import DeferReason, Kind, Priority, RunState, Trigger
from tests.factories import make_account, make_connection, make_run
from tests.lanes import rebuild_lanes
from tests.locks import begin


def claimed(provider: str = "meta") -> SyncRun | None:
    return claim(provider, "default", worker="test")


def lanes() -> dict[Any, tuple[int, Any]]:
    rows = Lane.objects.values_list("account_id", "kind", "rank", "waiting", "head_at")
    return {(account, kind, rank): (waiting, head) for account, kind, rank, waiting, head in rows}


def assert_lanes_are_in_step() -> None:
    """What the triggers counted is what counting everything anew finds."""
    kept = lanes()
    rebuild_lanes()
    assert lanes() == kept


def test_lanes_follow_a_run_through_its_life(connection: Connection) -> None:
    run = make_run(connection)
    assert [waiting for waiting, _ in lanes().values()] == [1]
    assert_lanes_are_in_step()

    running = claimed()
    assert running == run
    assert list(lanes().values()) == [(0, None)]

    finish.give_back(Lease.of(running), message="", calls=0)
    assert [waiting for waiting, _ in lanes().values()] == [1]
    cancel(SyncRun.objects.all(), by="carol")
    assert list(lanes().values()) == [(0, None)]
    assert_lanes_are_in_step()


def test_deleting_what_waits_empties_its_lane(connection: Connection) -> None:
    make_run(connection).delete()

    assert list(lanes().values()) == [(0, None)]


def test_a_lane_that_went_first_is_not_made_again_for_a_run_that_goes(connection: Connection) -> None:
    """As when an account is deleted with all that hangs on it: a new lane would refer to nothing."""
    run = make_run(connection)
    Lane.objects.all().delete()

    run.delete()

    assert not lanes()


def test_weights_give_turns_in_proportion(account: Account) -> None:
    Queue.objects.create(provider="meta", region="default", concurrency=20)
    heavy = make_account("Globex", plan=Plan.objects.create(name="Agency", weight=3))
    for owner in (account, heavy):
        for _ in range(8):
            make_run(make_connection(owner))

    names = [run.account.name for _ in range(8) if (run := claimed())]

    assert names.count("Globex") == 6


def test_the_turns_of_one_class_cost_nothing_in_another(account: Account) -> None:
    """Else somebody who syncs by hand a lot would wait a day for the next scheduled sync."""
    Queue.objects.create(provider="meta", region="default", concurrency=20)
    other = make_account("Globex")
    for _ in range(4):
        make_run(make_connection(account), trigger=Trigger.MANUAL)
        assert claimed()
    first = make_run(make_connection(account))
    make_run(make_connection(other))

    assert claimed() == first


def test_a_tenant_with_a_thousand_waiting_runs_delays_another_by_one_turn(account: Account) -> None:
    Queue.objects.create(provider="meta", region="default", concurrency=5)
    for _ in range(1_000):
        make_run(make_connection(account))
    assert claimed()
    assert claimed()
    late = make_run(make_connection(make_account("Globex")))

    assert positions([late]) == {late.pk: 1}
    assert claimed() == late


def test_a_kind_has_its_own_limit_over_all_providers(account: Account) -> None:
    KindLimit.objects.create(region="default", kind=Kind.CAMPAIGNS, concurrency=1)
    make_run(make_connection(account))
    google = make_run(make_connection(account, "google"))
    insights = make_run(make_connection(account, "google"), kind=Kind.INSIGHTS)
    assert claimed("meta")

    assert claimed("google") == insights
    assert waiting_for([google])[google.pk] == "a free slot: 1 of 1 slots busy"
    Queue.objects.update(concurrency=5)
    assert waiting_for([google])[google.pk] == "another campaigns sync to end: 1 of 1 at once are running"
    assert claimed("google") is None

    KindLimit.objects.update(concurrency=2)
    assert claimed("google") == google


def test_who_gave_way_keeps_its_age_and_who_had_its_turn_does_not(account: Account) -> None:
    Queue.objects.create(provider="meta", region="default", concurrency=1)
    old = timezone.now() - timedelta(minutes=5)
    run = make_run(make_connection(account), queued_at=old)
    for keeps_age in (True, False):
        lease = Lease.of(claimed() or run)
        finish.defer(
            lease,
            until=timezone.now(),
            reason=DeferReason.GAVE_WAY,
            waiting_for="",
            calls=0,
            keeps_age=keeps_age,
        )
        run.refresh_from_db()
        assert (run.queued_at == old) == keeps_age
        make_run(make_connection(account), queued_at=timezone.now() - timedelta(seconds=1))

    assert claimed() != run


def test_a_run_gives_way_to_a_better_one_of_its_own_connection_whatever_is_free(
    connection: Connection,
) -> None:
    make_run(connection)
    running = claimed()
    assert running is not None
    assert not better_run_waits(running)

    make_run(connection, trigger=Trigger.MANUAL, kind=Kind.INSIGHTS)

    assert better_run_waits(running)


def test_a_risen_run_does_not_give_way_to_its_new_class(account: Account) -> None:
    Queue.objects.create(provider="meta", region="default", concurrency=1)
    make_run(make_connection(account), queued_at=timezone.now() - timedelta(minutes=11))
    running = claimed()
    assert running is not None
    make_run(make_connection(account), trigger=Trigger.MANUAL)

    assert not better_run_waits(running)


def test_a_run_whose_hold_was_missed_is_not_started(connection: Connection) -> None:
    """It may enter the queue at the very moment at which its connection is paused."""
    run = make_run(connection)
    pause(connection, by="carol")
    SyncRun.objects.update(is_held=False)  # as the race leaves it

    assert claimed() is None
    run.refresh_from_db()
    assert run.is_held
    assert_lanes_are_in_step()


def test_a_run_that_a_race_left_held_is_released_by_the_upkeep(connection: Connection) -> None:
    run = make_run(connection)
    SyncRun.objects.update(is_held=True)
    assert claimed() is None

    assert mend_holds() == 1

    assert claimed() == run


def test_pausing_an_account_touches_its_lanes_and_no_run(account: Account) -> None:
    run = make_run(make_connection(account))
    before = SyncRun.objects.values().get()

    pause(account, by="carol")

    assert list(lanes().values()) == [(1, None)]
    assert SyncRun.objects.values().get() == before
    assert claimed() is None
    resume(account, by="carol")
    assert claimed() == run


def test_pauses_overlap(account: Account) -> None:
    connection = make_connection(account)
    run = make_run(connection)
    pause(account, by="carol")
    pause(connection, by="carol")
    resume(account, by="carol")
    assert claimed() is None
    pause(account, by="carol")
    resume(connection, by="carol")
    assert claimed() is None

    resume(account, by="carol")

    assert claimed() == run


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(Priority.values), st.integers(0, 500)),
        min_size=1,
        max_size=14,
    ),
    st.integers(1, 3),
)
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.django_db
def test_the_first_place_is_always_the_one_that_starts(
    waiting: list[tuple[int, int, int]], slots: int
) -> None:
    """Whatever waits, with weights, and with runs that are blocked by a running one of their connection."""
    with transaction.atomic():
        plan = Plan.objects.create(name=str(uuid4()), weight=2)
        accounts = [make_account(str(n), plan=plan if n == 2 else None) for n in range(4)]
        now = timezone.now()
        for number, priority, age in waiting:
            owner = accounts[number]
            known = Connection.objects.filter(account=owner).first()
            kind = list(Kind)[age % 3]
            connection = known if known is not None and age % 2 else make_connection(owner)
            make_run(connection, priority=priority, kind=kind, queued_at=now - timedelta(seconds=age))
        Queue.objects.update(concurrency=slots)
        running: list[SyncRun] = []
        left = True
        while left:
            places = positions(SyncRun.objects.all())
            assert sorted(places.values())[:1] in ([1], [])
            expected = [run for run, place in places.items() if place == 1]
            while len(running) >= slots or (running and not expected):
                finish.succeed(Lease.of(running.pop(0)), Success(calls=0))
                expected = [run for run, place in positions(SyncRun.objects.all()).items() if place == 1]
            run = claimed()
            assert [run.pk] == expected if run else not expected
            if run:
                running.append(run)
            left = run is not None or SyncRun.objects.open().exists()
        assert_lanes_are_in_step()
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_lanes_stay_in_step_when_many_ask_at_the_same_moment() -> None:
    account = make_account()
    ready = [make_connection(account) for _ in range(8)]
    make_run(make_connection(account))  # the queue is there

    asked = [begin(partial(make_run, one)) for one in ready]
    for one in asked:
        one.result(timeout=20)

    assert [waiting for waiting, _ in lanes().values()] == [9]
    assert_lanes_are_in_step()


@pytest.mark.django_db(transaction=True)
def test_whoever_lets_runs_ripen_waits_for_its_turn_at_the_queue() -> None:
    """Two that change many lanes in different orders would wait for each other in a circle."""
    past = timezone.now() - timedelta(seconds=1)
    make_run(make_connection(make_account()), state=RunState.DEFERRED, available_at=past)

    with transaction.atomic():
        Queue.objects.select_for_update(no_key=True).get()  # as a claim holds it
        ripening = begin(lambda: promote_due("meta", "default"))
        assert not ripening.done()

    assert ripening.result(timeout=10) == 1
