"""Places in the queue, against a model that writes down every start and counts those before."""

from collections import defaultdict
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sync.ledger.claim import claim
from sync.ledger.pause import pause
from sync.ledger.position import positions
from sync.models import Account, Connection, Lane, Plan, Queue, SyncRun
from sync.models.choices import Kind, Priority, RunState
from tests.factories import make_account, make_connection, make_run

TURN = 5_040_000
WEIGHTS = (None, None, 2, 3)  # of the accounts' plans


def modelled() -> dict[UUID, int]:
    """Every run's place: an account's runs start a turn apart, from the tag of its line on, and what
    starts at the same time in the order of the lines' oldest runs."""
    syncing = SyncRun.objects.running().values("connection")
    waiting = SyncRun.objects.filter(state=RunState.QUEUED, is_held=False).exclude(connection__in=syncing)
    lines = defaultdict(list)
    for run in waiting.select_related("account__plan").order_by("queued_at", "pk"):
        lines[run.rank, run.account].append(run)
    starts = {}
    for (rank, account), runs in lines.items():
        turn = TURN // (account.plan.weight if account.plan else 1)
        alive = Lane.objects.filter(account=account, rank=rank, head_at__isnull=False)
        tag = min(alive.values_list("tag", flat=True))
        for number, run in enumerate(runs):
            starts[run] = (rank, tag + number * turn, runs[0].queued_at, account.pk)
    places = {}
    for run, (rank, tag, _, account_id) in starts.items():
        own = rank, tag, run.queued_at, account_id
        others = sum(at < own for other, at in starts.items() if other.account_id != account_id)
        better = sum(other.rank < rank for other in starts if other.account_id == account_id)
        places[run.pk] = 1 + lines[rank, run.account].index(run) + others + better
    return places


def fill(waiting: list[tuple[int, int, int]], accounts: list[Account]) -> None:
    """Runs of some kinds, ages and classes, some of them further ones of a connection."""
    now = timezone.now()
    for number, priority, age in waiting:
        owner = accounts[number]
        known = Connection.objects.filter(account=owner).first()
        connection = known if known is not None and age % 2 else make_connection(owner)
        kind = list(Kind)[age % 3 if number % 2 else 0]
        make_run(connection, priority=priority, kind=kind, queued_at=now - timedelta(seconds=age // 4))


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(Priority.values), st.integers(0, 60)),
        min_size=4,
        max_size=20,
    ),
    st.integers(0, 6),
)
@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.django_db
def test_places_are_those_of_the_model(waiting: list[tuple[int, int, int]], running: int) -> None:
    """Whatever waits: with weights, several kinds, equal ages, and what a running run of its connection
    keeps from starting."""
    with transaction.atomic():
        plans = {weight: Plan.objects.create(name=str(uuid4()), weight=weight) for weight in (2, 3)}
        fill(waiting, [make_account(str(n), plan=plans.get(w or 0)) for n, w in enumerate(WEIGHTS)])
        Queue.objects.update(concurrency=running)
        while claim("meta", "default", worker="test"):
            pass

        expected = modelled()
        assert positions(SyncRun.objects.all()) == expected
        for run in SyncRun.objects.filter(state=RunState.QUEUED):
            assert positions([run]).get(run.pk) == expected.get(run.pk)
        transaction.set_rollback(True)


def test_nobody_has_a_place_in_a_paused_queue(connection: Connection) -> None:
    run = make_run(connection)
    assert positions([run]) == {run.pk: 1}

    pause(Queue.objects.get(), by="carol")

    assert positions([run]) == {}
