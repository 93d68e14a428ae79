"""A run waits for its user to reconnect, goes on by itself then, and ends when nobody ever does."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from sync.ledger import reconnect
from sync.ledger.claim import claim
from sync.models import Account, Connection, Credential, SeenIds, SyncRun
from sync.models.choices import ConnectionStatus, CredentialStatus, EntityKind, RunState
from sync.schedule.upkeep import keep_up
from tests.factories import make_connection, make_run

MINUTE = timedelta(minutes=1)


def too_long() -> datetime:
    return timezone.now() - timedelta(days=settings.RECONNECT_DAYS) - MINUTE


def not_yet() -> datetime:
    return timezone.now() - timedelta(days=settings.RECONNECT_DAYS) + MINUTE


def lose(connection: Connection, since: datetime) -> None:
    Credential.objects.filter(pk=connection.credential_id).lose()
    Credential.objects.filter(pk=connection.credential_id).update(lost_at=since)


def waiting(account: Account, since: datetime, **columns: Any) -> SyncRun:
    return make_run(make_connection(account), queued_at=since, **columns)


def test_a_run_that_waited_too_long_for_its_user_is_a_dead_letter(account: Account) -> None:
    run = waiting(account, too_long())
    lose(run.connection, too_long())
    SeenIds.objects.create(run=run, entity=EntityKind.AD, external_ids=["1"])

    assert keep_up().given_up == 1

    dead_letter = SyncRun.objects.dead_letters().get()
    assert (dead_letter.error_category, dead_letter.error_code) == ("API_ERROR", "reconnect_needed")
    assert "within 30 days" in dead_letter.error_message
    assert (dead_letter.failed_attempts, dead_letter.attempts.count()) == (0, 0)
    assert not SeenIds.objects.exists()


@pytest.mark.parametrize("status", [ConnectionStatus.ACCESS_DENIED, ConnectionStatus.DISCONNECTED])
def test_a_run_of_an_ad_account_that_is_closed_ends_as_well(account: Account, status: str) -> None:
    run = waiting(account, too_long())
    Connection.objects.update(status=status)

    assert reconnect.give_up_unconnected() == [run]


def test_the_time_counts_from_the_loss_of_the_grant_and_from_when_the_run_was_due(account: Account) -> None:
    lost_lately, due_lately, healthy, deferred = (
        waiting(account, too_long()),
        waiting(account, not_yet()),
        waiting(account, too_long()),
        waiting(account, too_long(), state=RunState.DEFERRED),
    )
    lose(lost_lately.connection, not_yet())
    lose(due_lately.connection, too_long())
    lose(deferred.connection, too_long())

    assert reconnect.give_up_unconnected() == []
    assert set(SyncRun.objects.open()) == {lost_lately, due_lately, healthy, deferred}


def test_many_end_in_small_batches(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnect, "BATCH", 2)
    for _ in range(3):
        lose(waiting(account, too_long()).connection, too_long())
    Connection.objects.filter(runs=waiting(account, too_long())).update(status=ConnectionStatus.DISCONNECTED)

    assert [keep_up().given_up for _ in range(4)] == [2, 1, 1, 0]


def test_a_second_look_at_a_dead_grant_does_not_renew_the_time(connection: Connection) -> None:
    Credential.objects.all().lose()
    since = Credential.objects.get().lost_at

    assert Credential.objects.all().lose() == 0
    assert since is not None
    assert Credential.objects.get().lost_at == since


def test_what_waited_goes_on_by_itself_after_the_reconnect(connection: Connection) -> None:
    run = make_run(connection)
    lose(connection, not_yet())
    assert claim("meta", "default", worker="w") is None

    Credential.objects.update(status=CredentialStatus.ACTIVE, lost_at=None)

    assert claim("meta", "default", worker="w") == run
