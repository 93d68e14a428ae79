"""Where a waiting run stands in its queue, by the claim's own order."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from uuid import UUID

from django.db import connection as database

from sync.ledger.order import CLAIMABLE, CLASS, START_TAG, parameters
from sync.models import SyncRun
from sync.models.choices import RunState

# An account's second run starts with a tag one turn later than its first, its third two turns later:
# without that, 10,000 runs of one account would seem to stand before the first of another.
_LINE = f"""
    SELECT id, row_number() OVER (
        ORDER BY class, tag + (turn - 1)::float / weight, queued_at, id) AS place
    FROM (
        SELECT run.id, run.queued_at, {CLASS} AS class, {START_TAG} AS tag,
            COALESCE((SELECT plan.weight FROM sync_plan plan WHERE plan.id = account.plan_id), 1) AS weight,
            row_number() OVER (
                PARTITION BY run.account_id ORDER BY {CLASS}, run.queued_at, run.id) AS turn
        FROM {CLAIMABLE}) due
"""  # noqa: S608  (our own texts)


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
        cursor.execute(
            f"SELECT id, place FROM ({_LINE}) line WHERE id = ANY(%(ids)s)",  # noqa: S608
            {**parameters(provider, region), "ids": ids},
        )
        return dict(cursor.fetchall())


def oldest_wait(provider: str, region: str) -> timedelta | None:
    """How long the run that has been due longest waits; None when nothing could start."""
    with database.cursor() as cursor:
        cursor.execute(
            f"SELECT statement_timestamp() - min(run.queued_at) FROM {CLAIMABLE}",  # noqa: S608
            parameters(provider, region),
        )
        wait: timedelta | None = cursor.fetchone()[0]
    return wait
