"""Where a waiting run stands in its queue, by the claim's own order.

Summed up over lanes, so what it costs grows with the accounts that wait and not with their runs. An
account's second run starts one turn after its first: without that, 10,000 runs of one account would
seem to stand before the first of another.
"""

from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connection as database
from django.db.models import Min
from django.db.models.functions import Now

from sync.models import Lane, SyncRun
from sync.models.choices import Kind, RunState

USUAL_KIND = Kind.CAMPAIGNS  # of scheduled and of full syncs
OTHER_KINDS = [kind for kind in Kind if kind != USUAL_KIND]


def _before(line: str, turn: str) -> str:
    """SQL: how many runs of a line start before `own`. Its nth starts n turns after the line's tag; one
    that starts at the same time does so before if the line's oldest run is older."""
    return f"""COALESCE(sum(CASE
        WHEN {line}.rank < own.rank THEN {line}.waiting
        WHEN own.start < {line}.tag THEN 0
        ELSE LEAST({line}.waiting, (
            own.start - {line}.tag + {turn}
            - (({line}.head_at, {line}.account_id) > (own.queued_at, own.account_id))::int) / {turn})
        END), 0)"""


# Nearly all accounts have one lane and weight 1, so all lanes are summed up as if they were such, in one
# scan without joins. The `odd` ones, and those that ask, are taken off again and added as what they are.
# `blocked` may not start for another run of their connection is running: at most a few, and taken off.
# Ties beyond an account's next turn are judged by the age of its oldest run.
_PLACES = f"""
    WITH queue AS (
        SELECT id FROM sync_queue
        WHERE provider = %(provider)s AND region = %(region)s AND paused_at IS NULL
    ), run AS (
        SELECT id, account_id, rank, queued_at FROM sync_syncrun
        WHERE id = ANY(%(ids)s) AND state = 'queued' AND NOT is_held
    ), blocked AS (
        SELECT waits.account_id, waits.rank, waits.id, waits.queued_at
        FROM sync_syncrun running
        JOIN sync_syncrun waits ON waits.connection_id = running.connection_id
            AND waits.state = 'queued' AND NOT waits.is_held
        WHERE running.provider = %(provider)s AND running.region = %(region)s AND running.state = 'running'
    ), blocked_lane AS (
        SELECT account_id, rank, count(*) AS runs FROM blocked GROUP BY account_id, rank
    ), odd AS (
        SELECT account_id FROM run
        UNION SELECT account_id FROM blocked
        UNION SELECT account_id FROM sync_lane WHERE queue_id = (SELECT id FROM queue)
            AND kind = ANY(%(other_kinds)s) AND head_at IS NOT NULL
        UNION SELECT account.id FROM sync_plan plan JOIN sync_account account ON account.plan_id = plan.id
            WHERE plan.weight <> 1
    ), odd_lane AS MATERIALIZED (
        SELECT lane.* FROM odd CROSS JOIN LATERAL (
            SELECT * FROM sync_lane
            WHERE account_id = odd.account_id AND queue_id = (SELECT id FROM queue) AND head_at IS NOT NULL
            OFFSET 0) lane
    ), line AS MATERIALIZED (
        SELECT lane.account_id, lane.rank, min(lane.tag) AS tag,
            sync_turn((SELECT plan.weight FROM sync_account account
                JOIN sync_plan plan ON plan.id = account.plan_id
                WHERE account.id = lane.account_id)) AS turn,
            sum(lane.waiting) - COALESCE(min(blocked_lane.runs), 0) AS waiting,
            CASE WHEN min(blocked_lane.runs) IS NULL THEN min(lane.head_at) ELSE (
                SELECT min(free.queued_at) FROM sync_syncrun free
                WHERE free.provider = %(provider)s AND free.region = %(region)s
                  AND free.account_id = lane.account_id AND free.rank = lane.rank
                  AND free.state = 'queued' AND NOT free.is_held
                  AND NOT EXISTS (SELECT FROM blocked WHERE blocked.id = free.id)) END AS head_at
        FROM odd_lane lane
        LEFT JOIN blocked_lane ON blocked_lane.account_id = lane.account_id AND blocked_lane.rank = lane.rank
        GROUP BY lane.account_id, lane.rank
    ), own AS MATERIALIZED (
        SELECT run.*, earlier.runs AS earlier, mine.tag + earlier.runs * mine.turn AS start
        FROM run
        JOIN line mine ON mine.account_id = run.account_id AND mine.rank = run.rank
        CROSS JOIN LATERAL (
            SELECT count(*) AS runs FROM sync_syncrun before
            WHERE before.provider = %(provider)s AND before.region = %(region)s
              AND before.account_id = run.account_id AND before.rank = run.rank
              AND before.state = 'queued' AND NOT before.is_held
              AND (before.queued_at, before.id) < (run.queued_at, run.id)
              AND NOT EXISTS (SELECT FROM blocked WHERE blocked.id = before.id)) earlier
        WHERE NOT EXISTS (SELECT FROM blocked WHERE blocked.id = run.id)
    )
    SELECT own.id, 1 + own.earlier
        + (SELECT {_before("lane", "sync_turn(1)")} FROM sync_lane lane
           WHERE lane.queue_id = (SELECT id FROM queue) AND lane.head_at IS NOT NULL
             AND lane.rank <= own.rank)
        - (SELECT {_before("lane", "sync_turn(1)")} FROM odd_lane lane WHERE lane.rank <= own.rank)
        + (SELECT {_before("line", "line.turn")} FROM line
           WHERE line.rank < own.rank OR line.rank = own.rank AND line.account_id <> own.account_id)
    FROM own
"""  # noqa: S608  (our own words)


def positions(runs: Iterable[SyncRun]) -> dict[UUID, int]:
    """The places of those that can start, as things stand: 1 for the run that starts next, none for what is
    ended, running, deferred or held. One query per queue that they wait in.
    """

    def queue(run: SyncRun) -> tuple[str, str]:
        return run.provider, run.region

    queued = sorted((run for run in runs if run.state == RunState.QUEUED), key=queue)
    places: dict[UUID, int] = {}
    for (provider, region), waiting in groupby(queued, key=queue):
        places |= _places(provider, region, [run.pk for run in waiting])
    return places


def _places(provider: str, region: str, ids: list[UUID]) -> dict[UUID, int]:
    values: dict[str, Any] = {
        "provider": provider,
        "region": region,
        "ids": ids,
        "other_kinds": OTHER_KINDS,
    }
    with database.cursor() as cursor:
        cursor.execute(_PLACES, values)
        return {run: int(place) for run, place in cursor.fetchall()}


def oldest_wait(provider: str, region: str) -> timedelta | None:
    """How long the run that has been due longest waits; None when nothing could start."""
    lanes = Lane.objects.filter(queue__provider=provider, queue__region=region, queue__paused_at=None)
    wait: timedelta | None = lanes.aggregate(wait=Now() - Min("head_at"))["wait"]
    return wait
