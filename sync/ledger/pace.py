"""How fast a queue goes: how many starts lie before a run, and how long a start holds its slot."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection as database
from django.db.models import Avg, Count, F, Sum

from sync.models import Lane, Queue, SyncAttempt, SyncRun
from sync.models.choices import RunState

SAMPLE = 200  # newest ended runs of all queues: an hour's work of a busy minute, read by an index
OWN_SAMPLE = 5  # newest ended runs of a connection
UNKNOWN = timedelta(seconds=30)  # of a queue that never did anything: a middling account


_WORK = """
    SELECT asked.id, sum(attempt.ended_at - attempt.started_at) / count(DISTINCT attempt.run_id)
    FROM unnest(%(connections)s::uuid[]) AS asked (id)
    CROSS JOIN LATERAL (
        SELECT run.id FROM sync_syncrun run
        WHERE run.connection_id = asked.id AND run.state = 'succeeded'
        ORDER BY run.created_at DESC LIMIT %(sample)s) newest
    JOIN sync_syncattempt attempt ON attempt.run_id = newest.id
    GROUP BY asked.id
"""


@dataclass(frozen=True)
class Pace:
    """A queue as it goes now."""

    slots: int
    busy: int
    turn: timedelta  # how long one start holds its slot, on average
    due: dict[int, tuple[int, int]]  # by class: runs that may start, and accounts that they belong to

    def until_start(self, ahead: int) -> timedelta:
        """From now to the start of a run that `ahead` others start before.

        The busy slots are taken to be halfway through: one of them falls free every turn / slots.
        """
        free = max(0, self.slots - self.busy)
        return timedelta() if ahead < free else self.turn * (ahead - free + 1) / self.slots

    def ahead_of_newcomer(self, rank: int) -> int:
        """Starts before that of a run which becomes due now: all of better classes, one of each account
        of its own."""
        better = sum(runs for one, (runs, _) in self.due.items() if one < rank)
        return better + self.due.get(rank, (0, 0))[1]


def pace_of(queue: Queue) -> Pace:
    """Three short queries, whatever waits and however long the history is."""
    running = SyncRun.objects.filter(provider=queue.provider, region=queue.region, state=RunState.RUNNING)
    lanes = Lane.objects.filter(queue=queue, head_at__isnull=False).values("rank")
    counted = lanes.annotate(runs=Sum("waiting"), accounts=Count("account", distinct=True))
    return Pace(
        slots=queue.concurrency,
        busy=running.count(),
        turn=_turn(queue),
        due={row["rank"]: (row["runs"], row["accounts"]) for row in counted},
    )


def work_of(connections: Iterable[UUID]) -> dict[UUID, timedelta]:
    """How long the last syncs of each connection worked, waiting left out; one query. Who never synced is
    left out, too."""
    with database.cursor() as cursor:
        cursor.execute(_WORK, {"connections": list(connections), "sample": OWN_SAMPLE})
        return dict(cursor.fetchall())


def _turn(queue: Queue) -> timedelta:
    newest = SyncRun.objects.filter(finished_at__isnull=False).order_by("-finished_at")[:SAMPLE]
    ended = newest.values_list("pk", "provider", "region")
    ids = [pk for pk, *where in ended if where == [queue.provider, queue.region]]
    attempts = SyncAttempt.objects.filter(run__in=ids, ended_at__isnull=False)
    held: timedelta | None = attempts.aggregate(time=Avg(F("ended_at") - F("started_at")))["time"]
    return held or UNKNOWN
