"""How many rows were too much for the platform lately, of an ad account and level.

A hint beside the budgets: while it lasts, what is as much is divided before it is asked for, for a refusal
costs a call and counts against the application. After a day the whole is tried once more.
"""

from datetime import timedelta

from redis.exceptions import RedisError

from providers.errors import TooMuchData
from providers.records import InsightSlice
from sync.engine.platform import budget_store
from sync.models import SyncRun

PREFIX = "adtiger:too_much"
KEPT = timedelta(days=1)
ALIKE = 0.9  # of a number of rows is as much: both are estimates


def remember_refusal(run: SyncRun, slice: InsightSlice, rows: int) -> None:
    """So many rows, about, were too much."""
    try:
        budget_store().client.set(_key(run, slice), rows, ex=KEPT)
    except RedisError:
        return


def check_refused(run: SyncRun, slice: InsightSlice, rows: int) -> None:
    """Raises `TooMuchData` where as many were too much lately."""
    try:
        told = budget_store().client.get(_key(run, slice))
    except RedisError:
        return
    if told is not None and rows >= ALIKE * int(told):
        raise TooMuchData("As much was refused lately")


def _key(run: SyncRun, slice: InsightSlice) -> str:
    return f"{PREFIX}:{run.connection_id}:{slice.level.value}"
