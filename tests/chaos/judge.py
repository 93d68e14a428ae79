"""What became of everything that was asked for in one scenario, counted in the database and at the platform.

Each breach is a sentence under the name of its column; none means that every promise was kept.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count

from adtiger.up.comparison import compare
from providers.sandbox.process import Sandbox
from sync.ledger.waiting import RELATED, waiting_for
from sync.models import Ad, AdGroup, Campaign, Connection, SyncAttempt, SyncRequest, SyncRun
from sync.models.choices import ENDED, Outcome, RunState
from tests.chaos import order
from tests.chaos.journal import Event
from tests.chaos.tenants import Tenants
from tests.chaos.traffic import Told

A_MOMENT = timedelta(seconds=1)  # between two statements of one transaction, on a busy machine
SHOWN = 5  # breaches of a kind: one explains a hundred


@dataclass
class Verdict:
    """One row of the table."""

    scenario: str
    requested: int = 0
    succeeded: int = 0
    cancelled: int = 0
    dead_letters: Counter[str] = field(default_factory=Counter)
    recovery: float | None = None  # seconds from the healing until everything asked for had ended
    breaches: dict[str, list[str]] = field(default_factory=dict)

    def add(self, column: str, sentences: Iterable[str]) -> None:
        """Breaches of one kind."""
        self.breaches.setdefault(column, []).extend(sentences)

    def count(self, column: str) -> int:
        """How many of a kind."""
        return len(self.breaches.get(column, []))

    @property
    def is_clean(self) -> bool:
        """Nothing was broken."""
        return not any(self.breaches.values())


@dataclass(frozen=True)
class Case:
    """What is judged: a scenario's tenants, what they were told, and what the ledger's rows went through."""

    scenario: str
    tenants: Tenants
    told: Told
    events: list[Event]
    sandbox: Sandbox
    windows: dict[str, Any]  # promised, as the referee takes them
    dead_letters: frozenset[str]  # the causes that the scenario explains


def judge(case: Case) -> Verdict:
    """Count it all."""
    verdict = Verdict(case.scenario)
    answers = _answers(case)
    runs = list(SyncRun.objects.filter(account__in=case.tenants.accounts).select_related(*RELATED))
    for run in (run for runs_of in answers.values() for run in runs_of):
        verdict.requested += 1
        verdict.succeeded += run.state == RunState.SUCCEEDED
        verdict.cancelled += run.state == RunState.CANCELLED
        if run.state == RunState.FAILED:
            verdict.dead_letters[run.error_code] += 1
    verdict.add("lost", _lost(case, answers))
    verdict.add("lost", _not_ended(runs))
    verdict.add("lost", _ended_twice(case))
    verdict.add("lost", _ended_unasked(case, runs))
    verdict.add("lost", _outdated(case))
    verdict.add("doubled", _overlapping(case))
    verdict.add("doubled", _done_twice(case))
    verdict.add("doubled", _written_late(case.events))
    verdict.add("order", order.violations(case.events, _locks(case)))
    verdict.add("order", order.slots_exceeded(case.events))
    verdict.add("windows", _windows_exceeded(case))
    verdict.add("catalog", _rows_doubled(case))
    verdict.add("catalog", _differing(case))
    return verdict


def _answers(case: Case) -> dict[UUID, list[SyncRun]]:
    """The runs that answer each request: made by it, or joined. Those of beat are among them."""
    answers: dict[UUID, list[SyncRun]] = {}
    for request in SyncRequest.objects.filter(account__in=case.tenants.accounts).prefetch_related(
        "made_runs", "joined__run"
    ):
        joined = [join.run for join in request.joined.all()]
        answers[request.pk] = [*request.made_runs.all(), *joined]
    return answers


def _lost(case: Case, answers: dict[UUID, list[SyncRun]]) -> Iterator[str]:
    for request in case.told.requests - answers.keys():
        yield f"request {request} was accepted, and is nowhere"
    for request, runs in answers.items():
        if not runs:
            yield f"request {request} has no run"
    yield from (f"PostgreSQL had to break a deadlock: {words}" for words in case.told.deadlocks)


def _not_ended(runs: list[SyncRun]) -> Iterator[str]:
    waits = waiting_for(runs)
    for run in runs:
        if run.is_open:
            why = waits.get(run.pk, f"held by {run.worker}")
            yield f"run {run.pk} of {run.connection} has not ended: {run.stage}, {why}"


def _ended_twice(case: Case) -> Iterator[str]:
    replayed = {str(run) for run in case.told.replayed}
    for event in case.events:
        was, is_now = event.before.get("state"), event.row["state"]
        was_replayed = was == RunState.FAILED and event.row["id"] in replayed
        if event.source == "sync_syncrun" and was in ENDED and is_now != was and not was_replayed:
            yield f"run {event.row['id']} had ended ({was}) and became {is_now}"


def _ended_unasked(case: Case, runs: list[SyncRun]) -> Iterator[str]:
    """Cancelled by nobody, or a dead letter of a cause that nothing in the scenario explains."""
    starts = _starts_without_progress(case.events)
    for run in runs:
        if run.state == RunState.CANCELLED and run.pk not in case.told.cancelled:
            yield f"run {run.pk} was cancelled by nobody"
        if run.state == RunState.FAILED and run.error_code not in case.dead_letters:
            yield f"run {run.pk} of {run.connection} failed as {run.error_code}: {run.error_message}"
        if run.error_code == "lost_worker" and starts[str(run.pk)] < settings.MAX_STARTS_WITHOUT_PROGRESS:
            yield f"run {run.pk} failed as lost_worker after {starts[str(run.pk)]} starts without a page"


def _starts_without_progress(events: list[Event]) -> Counter[str]:
    """Of each run, at the end; counted by the claims and the committed pages, not by its own column."""
    starts: Counter[str] = Counter()
    for event in events:
        if event.is_claim:
            starts[event.row["id"]] += 1
        elif event.source == "sync_syncrun" and event.row["starts_without_progress"] == 0:
            starts[event.row["id"]] = 0
    return starts


def _outdated(case: Case) -> Iterator[str]:
    """A success that its connection does not know of."""
    for connection in Connection.objects.filter(account__in=case.tenants.accounts):
        done = connection.runs.filter(state=RunState.SUCCEEDED).order_by("finished_at").last()
        known = connection.last_sync_at
        if done and done.finished_at and (known is None or known < done.finished_at - A_MOMENT):
            yield f"{connection} was last synced at {known}, though run {done.pk} ended at {done.finished_at}"


def _overlapping(case: Case) -> Iterator[str]:
    """Two attempts of one connection at the same time, by the database's clock."""
    attempts = SyncAttempt.objects.filter(run__account__in=case.tenants.accounts)
    rows = attempts.order_by("run__connection", "started_at").values_list(
        "run__connection", "run", "started_at", "ended_at"
    )
    for (connection, run, _, ended_at), (following, other, started_at, _) in pairwise(rows):
        if connection == following and (ended_at is None or started_at < ended_at):
            yield f"{connection}: run {other} started at {started_at}, run {run} ended at {ended_at}"


def _done_twice(case: Case) -> Iterator[str]:
    done = SyncAttempt.objects.filter(run__account__in=case.tenants.accounts, outcome=Outcome.SUCCEEDED)
    for run, times in Counter(done.values_list("run", flat=True)).items():
        if times > 1:
            yield f"run {run} was done {times} times"


def _written_late(events: list[Event]) -> Iterator[str]:
    """What a worker wrote after its run had been taken from it: an attempt that ended changes no more."""
    for event in events:
        if event.source == "sync_syncattempt" and event.before.get("ended_at"):
            yield f"run {event.row['run_id']} was written by an attempt that had ended"


def _rows_doubled(case: Case) -> Iterator[str]:
    for model in (Campaign, AdGroup, Ad):
        rows = model.objects.filter(connection__in=case.tenants.connections)
        doubled = rows.values("connection", "external_id").annotate(rows=Count("pk")).filter(rows__gt=1)
        yield from (f"{model.__name__} {row['external_id']} is there {row['rows']} times" for row in doubled)


def _windows_exceeded(case: Case) -> Iterator[str]:
    """By the platform's own count, refused calls included."""
    for window in case.sandbox.referee(case.windows)["windows"]:
        if window["exceeded"]:
            limit = f"{window['calls']} calls in {window['seconds']:g} s"
            yield f"{window['at']} had {window['highest']} calls; promised are {limit}"


def _differing(case: Case) -> Iterator[str]:
    for connection in case.tenants.connections:
        for row in compare(connection, case.sandbox.url):
            if not row.is_equal:
                some = ", ".join(row.differing[:SHOWN])
                yield f"{row.connection}: {len(row.differing)} {row.stream} differ, e.g. {some}"


def _locks(case: Case) -> Iterator[order.Lock]:
    return (order.Lock(str(one), since, until) for one, since, until in case.told.locks)
