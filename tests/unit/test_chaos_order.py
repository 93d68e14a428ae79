"""The judge of chaos sees a claim that passed over the run which was first, and accuses no right one."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from tests.chaos.journal import Event
from tests.chaos.order import Lock, slots_exceeded, violations

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
NONE: dict[str, Any] = {}
numbers = count(1)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def event(source: str, row: dict[str, Any], seconds: float, before: dict[str, Any] = NONE) -> Event:
    """Written and committed at that moment, by a transaction of its own."""
    number = next(numbers)
    return Event(number, at(seconds), at(seconds), at(seconds), str(number), source, row, before)


def run(name: str, *, connection: str = "", queued: float = 0, **columns: Any) -> dict[str, Any]:
    return {
        "id": name,
        "connection_id": connection or f"connection of {name}",
        "account_id": "account",
        "provider": "meta",
        "region": "default",
        "state": "queued",
        "priority": 5,
        "trigger": "scheduled",
        "queued_at": at(queued),
        "rank": {1: 0, 5: 1, 10: 2}[columns.get("priority", 5)],
        "is_held": False,
        "lease_token": None,
        "starts_without_progress": 0,
        **columns,
    }


def world(runs: Iterable[dict[str, Any]]) -> list[Event]:
    """Everything that these runs need to be startable at second 1."""
    events = [
        event("sync_queue", {"id": 1, "provider": "meta", "region": "default", "concurrency": 1}, 0),
        event("sync_credential", {"id": "credential", "status": "active"}, 0),
    ]
    for row in runs:
        connection = {"id": row["connection_id"], "credential_id": "credential", "status": "active"}
        events += [
            event("sync_account", {"id": row["account_id"], "paused_at": None}, 0),
            event("sync_connection", connection | {"paused_at": None}, 0),
            event("sync_syncrun", row, row["queued_at"].timestamp() - START.timestamp()),
        ]
    return sorted(events, key=lambda one: one.committed)


def claim(row: dict[str, Any], seconds: float) -> Event:
    return event("sync_syncrun", row | {"state": "running", "lease_token": f"{seconds}"}, seconds, row)


OLD, NEW = run("old", queued=0.1), run("new", queued=0.2)
URGENT = run("urgent", queued=0.3, priority=1, trigger="manual")


def test_the_first_run_may_start() -> None:
    assert violations([*world([OLD, NEW, URGENT]), claim(URGENT, 1), claim(OLD, 2)], []) == []


def test_a_worse_class_that_starts_before_a_better_one_is_seen() -> None:
    (sentence,) = violations([*world([OLD, URGENT]), claim(OLD, 1)], [])
    assert "run old was started before urgent, which is of a better class" in sentence


def test_a_younger_run_of_the_same_account_and_class_that_starts_first_is_seen() -> None:
    (sentence,) = violations([*world([OLD, NEW]), claim(NEW, 1)], [])
    assert "run new was started before old, which is older" in sentence


def test_between_accounts_age_does_not_decide() -> None:
    other = run("other", queued=0.2, account_id="other account")
    assert violations([*world([OLD, other]), claim(other, 1)], []) == []


def test_an_account_that_is_given_one_turn_after_the_other_while_another_waits_is_seen() -> None:
    greedy = [run(f"greedy {number}", queued=number / 100) for number in range(6)]
    patient = run("patient", queued=0.5, account_id="patient account")
    events = world([*greedy, patient])
    turns = [claim(row, 1 + number) for number, row in enumerate(greedy)]
    assert violations([*events, *turns[:3], claim(patient, 3.5), *turns[3:]], []) == []
    (fourth, *_) = violations([*events, *turns], [])
    assert "greedy 3 was started before any of account patient account, in the 4th turn" in fourth


def test_a_run_that_waited_past_its_patience_and_did_not_rise_is_seen() -> None:
    patient, other = run("patient", queued=0, priority=10), run("other", queued=100, account_id="other")
    late = claim(run("late", queued=900, account_id="late"), 1300)
    events = world([patient, other])
    assert violations([*events, claim(other, 603)], []) == []  # it has some seconds to rise
    first, *_ = violations([*events, late], [])
    assert "before patient, which waited past its patience and is still of class 2" in first
    risen = event("sync_syncrun", patient | {"rank": 0}, 1201)
    assert "patient, which is of a better class" in violations([*events, risen, late], [])[0]


def test_a_hold_that_a_race_missed_is_to_be_mended_within_seconds() -> None:
    held = OLD | {"is_held": True}
    assert violations([*world([held, NEW]), claim(NEW, 3)], []) == []
    assert violations([*world([held, NEW]), claim(NEW, 6)], []) != []


@pytest.mark.parametrize(
    "held",
    [
        event("sync_account", {"id": "account", "paused_at": "2026-11-24"}, 0.5),
        event("sync_credential", {"id": "credential", "status": "reconnect_needed"}, 0.5),
        event(
            "sync_connection",
            {"id": "connection of old", "credential_id": "credential", "status": "access_denied"},
            0.5,
        ),
        event("sync_syncrun", run("sibling", connection="connection of old", state="running"), 0.5),
        event("sync_syncrun", OLD | {"state": "cancelled"}, 0.5),
    ],
)
def test_a_run_that_could_not_start_was_not_passed_over(held: Event) -> None:
    held.row.setdefault("paused_at", None)
    events = [*world([OLD, NEW]), held]
    assert violations([*events, claim(NEW, 1)], []) == []


def test_a_run_that_somebody_held_at_that_moment_may_be_passed_over() -> None:
    events = world([OLD, NEW])
    number = next(numbers)
    joining = Event(number, at(0.9), at(0.95), at(1.1), str(number), "sync_syncrun", OLD, OLD)
    assert violations([*events, claim(NEW, 1), joining], []) == []
    assert violations([*events, claim(NEW, 1)], [Lock("connection of old", at(0.9), at(1.1))]) == []
    assert violations([*events, claim(NEW, 1)], [Lock("connection of old", at(0.2), at(0.4))]) != []


def test_what_runs_at_the_beginning_of_a_journal_is_no_claim() -> None:
    running = event("sync_syncrun", run("running", state="running", lease_token="1"), 0)
    assert violations([running, *world([OLD])], []) == []
    assert list(slots_exceeded([running, *world([OLD])])) == []


def test_more_running_runs_than_slots_are_seen() -> None:
    events = [*world([OLD, NEW]), claim(OLD, 1)]
    assert list(slots_exceeded(events)) == []
    (sentence,) = slots_exceeded([*events, claim(NEW, 2)])
    assert "2 runs of meta were running in 1 slots" in sentence
