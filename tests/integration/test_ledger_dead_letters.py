"""Dead letters by cause, and what a person is done with."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from sync.ledger import finish
from sync.ledger.claim import claim
from sync.ledger.dead_letters import by_cause, resolve
from sync.ledger.finish import Failure, Success
from sync.ledger.lease import Lease
from sync.ledger.recover import take_back_lost
from sync.models import Account, Connection, SeenIds, SyncRun
from sync.models.choices import EntityKind, RunState
from tests.factories import make_connection, make_run

DENIED = Failure(
    "API_ERROR", "access_denied", "No access.", is_retryable=False, platform_code="200", trace_id="T9"
)
CAUSE: dict[str, Any] = {
    "error_category": "API_ERROR",
    "error_code": "access_denied",
    "platform_code": "200",
    "error_message": "No access.",
}


def dead(account: Account, **columns: Any) -> SyncRun:
    return make_run(make_connection(account), state=RunState.FAILED, **{**CAUSE, **columns})


def test_a_dead_letter_keeps_what_the_platform_said(connection: Connection) -> None:
    make_run(connection)
    run = claim("meta", "default", worker="w")
    assert run is not None

    finish.fail(Lease.of(run), DENIED, calls=1)

    dead_letter = SyncRun.objects.dead_letters().get()
    assert (dead_letter.error_category, dead_letter.error_code) == ("API_ERROR", "access_denied")
    assert (dead_letter.platform_code, dead_letter.trace_id) == ("200", "T9")


def test_success_leaves_nothing_of_an_earlier_failure(connection: Connection) -> None:
    make_run(connection, **CAUSE, trace_id="T9")
    run = claim("meta", "default", worker="w")
    assert run is not None

    finish.succeed(Lease.of(run), Success(calls=1))

    run.refresh_from_db()
    assert (run.error_code, run.platform_code, run.trace_id) == ("", "", "")


def test_a_lost_worker_is_its_own_cause(connection: Connection) -> None:
    past = timezone.now() - timedelta(seconds=1)
    make_run(
        connection,
        state=RunState.RUNNING,
        starts_without_progress=3,
        lease_expires_at=past,
        **CAUSE,
        trace_id="T9",
    )

    take_back_lost()

    (cause,) = by_cause(SyncRun.objects.all())
    assert (cause.category, cause.code, cause.platform_code) == ("UNKNOWN", "lost_worker", "")
    assert cause.example.trace_id == ""


def test_dead_letters_are_grouped_by_category_code_and_platforms_code(
    account: Account, other_account: Account
) -> None:
    now = timezone.now()
    dead(account, finished_at=now - timedelta(hours=3))
    newest = dead(other_account, finished_at=now - timedelta(hours=1))
    dead(account, platform_code="10")
    dead(account, error_code="reconnect_needed", platform_code="")
    dead(account, resolved_at=now)
    make_run(make_connection(account), state=RunState.SUCCEEDED)

    causes = by_cause(SyncRun.objects.all())

    assert sorted((cause.code, cause.platform_code, cause.number) for cause in causes) == [
        ("access_denied", "10", 1),
        ("access_denied", "200", 2),
        ("reconnect_needed", "", 1),
    ]
    assert (causes[0].number, causes[0].accounts, causes[0].example) == (2, 2, newest)
    assert causes[0].newest - causes[0].oldest == timedelta(hours=2)


@pytest.mark.parametrize("words", [["API_ERROR"], ["access_denied"], ["200"], ["200", "API_ERROR"]])
def test_a_cause_is_found_by_any_of_its_words(account: Account, words: list[str]) -> None:
    run = dead(account)
    dead(account, error_category="UNKNOWN", error_code="defect", platform_code="")

    assert list(SyncRun.objects.dead_letters().caused_by(*words)) == [run]
    assert not SyncRun.objects.dead_letters().caused_by(*words, "defect").exists()


def test_what_a_person_is_done_with_stays_in_the_history_and_is_counted_no_more(account: Account) -> None:
    run, other = dead(account), dead(account, platform_code="10")
    SeenIds.objects.create(run=run, entity=EntityKind.AD, external_ids=["1"])

    resolved = resolve(SyncRun.objects.caused_by("200"), by="carol", reason="The shop was sold")

    run.refresh_from_db()
    assert resolved == [run]
    assert (run.state, run.error_code) == (RunState.FAILED, "access_denied")
    assert list(run.interventions.values_list("action", "by", "reason")) == [
        ("resolved", "carol", "The shop was sold")
    ]
    assert list(SyncRun.objects.dead_letters()) == [other]
    assert [cause.number for cause in by_cause(SyncRun.objects.all())] == [1]
    assert not SeenIds.objects.exists()


def test_only_dead_letters_are_resolved(account: Account) -> None:
    for state in RunState:
        if state != RunState.FAILED:
            make_run(make_connection(account), state=state)

    assert resolve(SyncRun.objects.all(), by="carol") == []
    assert not SyncRun.objects.exclude(resolved_at=None).exists()
