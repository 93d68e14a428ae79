"""What a budget store without memory is told: every call that still counts, and no fewer."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from providers.budget import PastCall
from providers.errors import BudgetSpent, TooMuchData
from providers.meta.client import PAGE_SIZE
from providers.records import Stream
from providers.sandbox.process import Sandbox
from sync.connect import connect_ad_account, connect_all
from sync.engine.past_calls import IN_FLIGHT, past_calls
from sync.engine.platform import budget_store, gate_for
from sync.management.probe import probe
from sync.models import Account, Connection, Plan, SyncAttempt
from sync.models.choices import Outcome, RunState
from tests.factories import make_run
from tests.integration.client_callers import meta_client, read
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.platforms import connect, platform  # noqa: F401  (fixtures)

MINUTE = timedelta(minutes=1)


def attempt(connection: Connection, *, ended_ago: timedelta | None, calls: int = 7) -> SyncAttempt:
    now = timezone.now()
    return SyncAttempt.objects.create(
        run=make_run(connection, state=RunState.SUCCEEDED),
        lease_token=uuid4(),
        worker="w",
        started_at=now - (ended_ago or MINUTE),
        ended_at=now - ended_ago if ended_ago is not None else None,
        calls=calls,
    )


def told(connection: Connection, **asking: object) -> list[PastCall]:
    key = f"connection:{connection.provider}:{connection.external_id}"
    return [call for call in past_calls(**asking) if call.key == key]  # type: ignore[arg-type]  # by name


def test_an_ended_attempt_counts_from_its_end(connection: Connection) -> None:
    ended = attempt(connection, ended_ago=30 * MINUTE)

    (call,) = told(connection)

    assert ended.ended_at is not None
    assert (call.calls, call.at, call.name) == (7, ended.ended_at.timestamp(), str(ended.lease_token))


def test_a_running_attempt_counts_what_may_be_in_flight_until_its_latest_end(connection: Connection) -> None:
    attempt(connection, ended_ago=None)

    (call,) = told(connection)

    assert call.calls == 7 + IN_FLIGHT
    assert call.at == pytest.approx(timezone.now().timestamp() + 35, abs=2)


def test_a_lost_attempt_may_have_made_calls_that_no_page_tells_of(connection: Connection) -> None:
    lost = attempt(connection, ended_ago=MINUTE)
    SyncAttempt.objects.update(outcome=Outcome.LOST)

    (call,) = told(connection)

    assert lost.ended_at is not None
    assert call.calls == 7 + IN_FLIGHT
    assert call.at == lost.ended_at.timestamp() + 35  # its worker may be alive, with a call in flight


def test_the_dearest_page_costs_no_more_calls_than_are_taken_to_be_in_flight(
    sandbox: Sandbox, ad_account: str
) -> None:
    sandbox.fault("meta", "too_much_data", account=ad_account, rows=5)
    client = meta_client(sandbox, ad_account, page_size=PAGE_SIZE)

    with pytest.raises(TooMuchData):
        read(client, Stream.ADS)

    assert 4 < client.calls < IN_FLIGHT


def test_the_attempt_that_asks_knows_its_own_number(connection: Connection) -> None:
    asking = attempt(connection, ended_ago=None)

    (call,) = told(connection, asking=asking.lease_token, made=9)

    assert call.calls == 9


def test_calls_of_no_run_are_told_to_all_that_they_count_for(
    platform: Sandbox, account: Account, settings: Any
) -> None:
    settings.CONNECTION_WINDOWS = {"meta": ((3, 600.0),), "google": ()}
    connection = connect(platform, account, "meta")
    probe(connection)
    connect_ad_account(account, "meta", connection.external_id, connection.credential.secret)
    connect_all(account, "meta", connection.credential.secret)
    platform.fault("meta", "server_error", account=connection.external_id)
    assert probe(connection).error  # refused by the platform, and counted all the same

    budget_store().client.flushdb()

    with pytest.raises(BudgetSpent, match=f"{connection.external_id} may make 3 calls in 600 s"):
        gate_for(connection, background=False).take()
    assert sum(call.calls for call in past_calls() if call.key == "provider:meta") == 4
    assert {call.key for call in past_calls()} >= {f"account:{account.pk}"}


def test_what_is_older_than_every_window_is_not_told(connection: Connection) -> None:
    attempt(connection, ended_ago=61 * MINUTE)

    assert told(connection) == []


def test_only_keys_with_windows_are_told(connection: Connection, account: Account) -> None:
    attempt(connection, ended_ago=MINUTE)
    assert len(list(past_calls())) == 1  # neither the app nor the account has windows

    account.plan = Plan.objects.create(name="Agency", calls_per_hour=100)
    account.save()

    assert {call.key for call in past_calls()} >= {f"account:{account.pk}"}
