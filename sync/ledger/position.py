"""Where a waiting run stands in its queue, by the claim's own order.

Summed up over lanes, so what it costs grows with the accounts that wait and not with their runs. An
account's second run starts one turn after its first: without that, 10,000 runs of one account would
seem to stand before the first of another.
"""

from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from uuid import UUID

from django.db import connection as database
from django.db.models import Min
from django.db.models.functions import Now

from sync.models import Lane, SyncRun
from sync.models.choices import RunState

# `blocked` may not start for another run of their connection is running: at most a few, and taken off.
# Ties beyond an account's next turn are judged by the age of its oldest run.
_PLACES = """
    WITH blocked AS (
        SELECT waits.account_id, waits.rank, waits.id, waits.queued_at
        FROM sync_syncrun running
        JOIN sync_syncrun waits ON waits.connection_id = running.connection_id
            AND waits.state = 'queued' AND NOT waits.is_held
        WHERE running.provider = %(provider)s AND running.region = %(region)s AND running.state = 'running'
    ), blocked_lane AS (
        SELECT account_id, rank, count(*) AS runs FROM blocked GROUP BY account_id, rank
    ), line AS (
        SELECT lane.account_id, lane.rank, min(lane.tag) AS tag,
            sync_turn(min(plan.weight)) AS turn,
            sum(lane.waiting) - COALESCE(min(blocked_lane.runs), 0) AS waiting,
            CASE WHEN min(blocked_lane.runs) IS NULL THEN min(lane.head_at) ELSE (
                SELECT min(free.queued_at) FROM sync_syncrun free
                WHERE free.provider = %(provider)s AND free.region = %(region)s
                  AND free.account_id = lane.account_id AND free.rank = lane.rank
                  AND free.state = 'queued' AND NOT free.is_held
                  AND NOT EXISTS (SELECT FROM blocked WHERE blocked.id = free.id)) END AS head_at
        FROM sync_lane lane
        JOIN sync_queue queue ON queue.id = lane.queue_id AND queue.paused_at IS NULL
            AND queue.provider = %(provider)s AND queue.region = %(region)s
        JOIN sync_account account ON account.id = lane.account_id
        LEFT JOIN sync_plan plan ON plan.id = account.plan_id
        LEFT JOIN blocked_lane ON blocked_lane.account_id = lane.account_id AND blocked_lane.rank = lane.rank
        WHERE lane.head_at IS NOT NULL
        GROUP BY lane.account_id, lane.rank
    )
    SELECT run.id, 1 + own.earlier + (
        SELECT COALESCE(sum(CASE
            WHEN line.rank < run.rank THEN line.waiting
            ELSE LEAST(line.waiting, CASE
                WHEN start.tag < line.tag THEN 0
                ELSE (start.tag - line.tag + line.turn - 1) / line.turn
                    + ((start.tag - line.tag) %% line.turn = 0
                       AND (line.head_at, line.account_id) < (run.queued_at, run.account_id))::int END)
            END), 0)
        FROM line
        WHERE line.rank < run.rank OR line.rank = run.rank AND line.account_id <> run.account_id)
    FROM sync_syncrun run
    JOIN line mine ON mine.account_id = run.account_id AND mine.rank = run.rank
    CROSS JOIN LATERAL (
        SELECT count(*) AS earlier FROM sync_syncrun before
        WHERE before.provider = %(provider)s AND before.region = %(region)s
          AND before.account_id = run.account_id AND before.rank = run.rank
          AND before.state = 'queued' AND NOT before.is_held
          AND (before.queued_at, before.id) < (run.queued_at, run.id)
          AND NOT EXISTS (SELECT FROM blocked WHERE blocked.id = before.id)) own
    CROSS JOIN LATERAL (SELECT mine.tag + own.earlier * mine.turn AS tag) start
    WHERE run.id = ANY(%(ids)s) AND run.state = 'queued' AND NOT run.is_held
      AND NOT EXISTS (SELECT FROM blocked WHERE blocked.id = run.id)
"""


def position(run: SyncRun) -> int | None:
    """1 for the run that starts next; None when it can't start: ended, running, deferred or held."""
    return positions([run]).get(run.pk)


def positions(runs: Iterable[SyncRun]) -> dict[UUID, int]:
    """The places of those that can start, as things stand; one query per queue that they wait in."""

    def queue(run: SyncRun) -> tuple[str, str]:
        return run.provider, run.region

    queued = sorted((run for run in runs if run.state == RunState.QUEUED), key=queue)
    places: dict[UUID, int] = {}
    for (provider, region), waiting in groupby(queued, key=queue):
        places |= _places(provider, region, [run.pk for run in waiting])
    return places


def _places(provider: str, region: str, ids: list[UUID]) -> dict[UUID, int]:
    with database.cursor() as cursor:
        cursor.execute(_PLACES, {"provider": provider, "region": region, "ids": ids})
        return {run: int(place) for run, place in cursor.fetchall()}


def oldest_wait(provider: str, region: str) -> timedelta | None:
    """How long the run that has been due longest waits; None when nothing could start."""
    lanes = Lane.objects.filter(queue__provider=provider, queue__region=region, queue__paused_at=None)
    wait: timedelta | None = lanes.aggregate(wait=Now() - Min("head_at"))["wait"]
    return wait
