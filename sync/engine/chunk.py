"""One chunk of a run: what it writes commits together with the words that say so, fenced by the lease."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import orjson
from django.conf import settings
from django.db import connection, transaction

from sync import prepared
from sync.ledger.lease import Lease, LeaseLost
from sync.models import SyncRun
from sync.prepared import Asked, Rows

HELD = "id = %(run)s AND state = 'running' AND lease_token = %(token)s"
HOLDS = f"EXISTS (SELECT FROM sync_syncrun WHERE {HELD})"
LOCK = f"SELECT cancel_requested_at FROM sync_syncrun WHERE {HELD} FOR UPDATE"  # noqa: S608  (our own text)
# The attempt's calls are for `past_calls`.
CLOSE = f"""
    WITH attempt AS (UPDATE sync_syncattempt SET calls = %(calls)s WHERE lease_token = %(token)s)
    UPDATE sync_syncrun SET
        checkpoint = %(checkpoint)s::jsonb, expected = %(expected)s::jsonb, changes = %(changes)s::jsonb,
        campaigns_count = campaigns_count + %(campaigns_count)s,
        ad_groups_count = ad_groups_count + %(ad_groups_count)s,
        ads_count = ads_count + %(ads_count)s,
        insights_count = insights_count + %(insights_count)s,
        lease_expires_at = statement_timestamp() + %(lease)s, starts_without_progress = 0
    WHERE {HELD}
"""  # noqa: S608  (our own words)
NOTHING = {"campaigns_count": 0, "ad_groups_count": 0, "ads_count": 0, "insights_count": 0}


class CancelRequested(Exception):
    """Somebody asked to stop the run; its last chunk is committed."""


class GaveWay(Exception):
    """The slot is left to others, and the last chunk is committed; says what the run waits for now."""

    def __init__(self, waiting_for: str, *, keeps_age: bool) -> None:
        super().__init__(waiting_for)
        self.keeps_age = keeps_age  # of a place among its account's runs


class Chunk(NamedTuple):
    """What is asked and said in a chunk's round trips."""

    answers: list[Rows]  # to what was to be asked `first`
    behind: list[Asked]  # is run at its end, in the same trip as its last words


@contextmanager
def chunk(
    run: SyncRun, lease: Lease, *, calls: int, first: Sequence[Asked] = (), **counted: int
) -> Iterator[Chunk]:
    """Its transaction; `counted` are records by the run's column that counts them. What is asked `first` goes
    in the same trip as the question whether the lease holds: it writes nothing unless that is so (`HOLDS`).

    Raises `LeaseLost` before it writes anything, `CancelRequested` after its commit.
    """
    fence, commits = {"run": lease.run_id, "token": lease.token}, not connection.in_atomic_block
    with transaction.atomic():
        held, *answers = prepared.together((LOCK, fence), *first)
        if not held:
            raise LeaseLost(f"run {run.pk} was taken over")
        behind: list[Asked] = []
        yield Chunk(answers, behind)
        words = {name: _json(getattr(run, name)) for name in ("checkpoint", "expected", "changes")}
        values = {"calls": calls, "lease": settings.LEASE, **NOTHING, **counted, **words}
        prepared.together(*behind, (CLOSE, fence | values), commits=commits)
    [(cancel_requested_at,)] = held
    if cancel_requested_at:
        raise CancelRequested


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
