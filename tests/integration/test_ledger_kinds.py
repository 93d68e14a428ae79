"""Runs of several kinds: within a class an account's oldest starts first, whatever each reads."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sync.ledger.claim import claim
from sync.models import Account, Queue, SyncRun
from sync.models.choices import Kind
from tests.factories import make_account, make_connection, make_run


def claimed() -> SyncRun | None:
    return claim("meta", "default", worker="test")


@pytest.fixture(autouse=True)
def ten_slots(db: None) -> None:
    Queue.objects.create(provider="meta", region="default", concurrency=10)


def waiting(account: Account, kind: Kind, ago: float) -> SyncRun:
    return make_run(make_connection(account), kind=kind, queued_at=timezone.now() - timedelta(seconds=ago))


def test_the_first_run_of_a_new_kind_passes_no_older_one(account: Account) -> None:
    first, second = waiting(account, Kind.CAMPAIGNS, 30), waiting(account, Kind.CAMPAIGNS, 20)
    assert claimed() == first

    third = waiting(account, Kind.ADS, 10)

    assert [claimed(), claimed()] == [second, third]


def test_a_kind_that_rested_passes_no_older_run_of_another(account: Account) -> None:
    """Nor is it passed, whatever other accounts did meanwhile."""
    other = make_account("Globex")
    blocked = waiting(account, Kind.CAMPAIGNS, 60)
    make_run(blocked.connection, kind=Kind.INSIGHTS, state="running")
    for _ in range(3):
        waiting(other, Kind.CAMPAIGNS, 50)
        claimed()

    older = waiting(account, Kind.ADS, 20)
    younger = waiting(account, Kind.CAMPAIGNS, 10)

    mine = [run for run in (claimed(), claimed(), claimed()) if run and run.account_id == account.pk]
    assert mine == [older, younger]
