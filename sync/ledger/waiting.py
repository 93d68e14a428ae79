"""Why a run has not started, in words for people: derived from the conditions that the claim checks.

Said is what stands in the way first: a pause, a lost grant, the time it is deferred to, another sync
of the ad account, the slots; else it is just the next worker's turn.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count

from sync import moments
from sync.models import Connection, KindLimit, Queue, SyncRun
from sync.models.base import Pausable
from sync.models.choices import WAITING, ConnectionStatus, CredentialStatus, DeferReason, RunState

# Load runs with these, or each run costs further queries.
RELATED = ("connection__credential", "connection__account")

DEFERRED = {
    DeferReason.BUDGET: "the call budget",
    DeferReason.RETRY: "the next attempt",
    DeferReason.REPORT: "the platform's report",
    DeferReason.GAVE_WAY: "a more urgent sync",
    DeferReason.OUTAGE: "the platform to answer",
}
EXPLAINED = (DeferReason.BUDGET, DeferReason.OUTAGE)  # by a sentence, which nothing can wait for


@dataclass(frozen=True)
class Conditions:
    """What all runs of the queues share, read once for many runs."""

    queues: dict[tuple[str, str], Queue]
    busy: dict[tuple[str, str], int]  # slots in use
    kinds: dict[tuple[str, str], tuple[int, int]]  # runs of a kind in a region, and how many may run at once
    syncing: frozenset[UUID]  # connections that have a running run


def waiting_for(runs: Iterable[SyncRun]) -> dict[UUID, str]:
    """For each waiting run, what it waits for. A handful of queries, however many runs."""
    waiting = [run for run in runs if run.state in WAITING]
    if not waiting:
        return {}
    conditions = _conditions(waiting)
    return {run.pk: _words(run, conditions) for run in waiting}


def _conditions(waiting: list[SyncRun]) -> Conditions:
    running = SyncRun.objects.running().exclude(pk__in=[run.pk for run in waiting])  # claimed just now
    counted = list(running.order_by().values_list("provider", "region", "kind").annotate(runs=Count("pk")))
    connections = {run.connection_id for run in waiting}
    busy: Counter[tuple[str, str]] = Counter()
    of_kind: Counter[tuple[str, str]] = Counter()
    for provider, region, kind, runs in counted:
        busy[provider, region] += runs
        of_kind[region, kind] += runs
    return Conditions(
        queues={(row.provider, row.region): row for row in Queue.objects.all()},
        busy=dict(busy),
        kinds={
            (limit.region, limit.kind): (of_kind[limit.region, limit.kind], limit.concurrency)
            for limit in KindLimit.objects.all()
        },
        syncing=frozenset(
            running.filter(connection_id__in=connections).values_list("connection_id", flat=True)
        ),
    )


def _words(run: SyncRun, conditions: Conditions) -> str:
    key = run.provider, run.region
    return (
        _pause(conditions.queues.get(key), f"{run.get_provider_display()} is paused")
        or _pause(run.connection.account, "the account is paused")
        or _pause(run.connection, "the ad account is paused")
        or _connection(run.connection)
        or _deferral(run)
        or _turn(run, conditions)
    )


def _pause(row: Pausable | None, words: str) -> str:
    if row is None or row.paused_at is None:
        return ""
    return f"{words}{row.pause_note}"


def _connection(connection: Connection) -> str:
    if connection.status == ConnectionStatus.ACCESS_DENIED:
        return "access to the ad account, which the platform denies"
    if connection.status != ConnectionStatus.ACTIVE:
        return "the ad account to be connected again"
    if connection.credential.status != CredentialStatus.ACTIVE:
        return f"its user to reconnect {connection.get_provider_display()}"
    return ""


def _deferral(run: SyncRun) -> str:
    """What a deferred run waits for, and until when; empty for any other."""
    if run.state != RunState.DEFERRED or run.available_at is None:
        return ""
    reason = DEFERRED[DeferReason(run.defer_reason)]
    if told := run.waiting_for.removesuffix("."):
        reason = f"{reason}: {told}" if run.defer_reason in EXPLAINED else told
    then = "; the next try is at" if run.defer_reason == DeferReason.OUTAGE else ", until"
    return f"{reason}{then} {moments.told(run.available_at)}"


def _turn(run: SyncRun, conditions: Conditions) -> str:
    key = run.provider, run.region
    if run.connection_id in conditions.syncing:
        return "another sync of this ad account, which is running"
    queue, busy = conditions.queues.get(key), conditions.busy.get(key, 0)
    if queue is not None and busy >= queue.concurrency:
        return f"a free slot: {busy} of {queue.concurrency} slots busy"
    running, most = conditions.kinds.get((run.region, run.kind), (0, 1))
    if running >= most:
        return f"another {run.kind} sync to end: {running} of {most} at once are running"
    return "a worker to take it"
