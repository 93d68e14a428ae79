"""Turns between accounts: who is away for a while saves none up."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sync.ledger import finish
from sync.ledger.claim import claim
from sync.ledger.finish import Success
from sync.ledger.lease import Lease
from sync.ledger.pause import pause, resume
from sync.models import Account, SyncRun
from tests.factories import make_account, make_connection, make_run


def claimed() -> SyncRun | None:
    return claim("meta", "default", worker="test")


def sync(account: Account, number: int) -> None:
    """So many syncs of the account, one after the other."""
    for _ in range(number):
        make_run(make_connection(account))
        run = claimed()
        assert run is not None
        assert run.account == account
        finish.succeed(Lease.of(run), Success(calls=1))


@pytest.fixture
def accounts(db: None) -> tuple[Account, Account]:
    """One that had two turns, and one that had three; both are overtaken by a third in every test."""
    seldom, often = make_account("Seldom"), make_account("Often")
    sync(seldom, 2)
    sync(often, 3)
    return seldom, often


def test_who_asked_for_nothing_has_no_older_right_than_others(accounts: tuple[Account, Account]) -> None:
    """All who come back stand at the same place, so the older run is first, whoever had fewer turns."""
    seldom, often = accounts
    sync(make_account("Busy"), 9)
    now = timezone.now()
    second = make_run(make_connection(seldom), queued_at=now)
    first = make_run(make_connection(often), queued_at=now - timedelta(seconds=1))

    assert [claimed(), claimed()] == [first, second]


def test_who_was_paused_has_no_older_right_than_others(accounts: tuple[Account, Account]) -> None:
    seldom, often = accounts
    now = timezone.now()
    second = make_run(make_connection(seldom), queued_at=now)
    first = make_run(make_connection(often), queued_at=now - timedelta(seconds=1))
    for account in accounts:
        pause(account, by="carol")
    sync(make_account("Busy"), 9)

    for account in accounts:
        resume(account, by="carol")

    assert [claimed(), claimed()] == [first, second]
