"""How many calls a run can make before its budget makes it wait for longer than a page cursor lives."""

from typing import NamedTuple

from django.conf import settings
from redis.exceptions import RedisError

from sync.engine.limits import limits_of_run
from sync.engine.platform import budget_store
from sync.models import SyncRun
from sync.models.choices import Priority


class Room(NamedTuple):
    """What the windows that are longer than a cursor's life let through."""

    calls: int
    left: int  # of them, now


def room_of(run: SyncRun) -> Room | None:
    """None where nothing makes it wait for so long, or where the platform's cursors live on."""
    lasts = settings.CURSOR_LASTS.get(run.provider)
    if lasts is None:
        return None
    limits = limits_of_run(run)
    if run.priority != Priority.MANUAL:
        limits = [limit.within(settings.BUDGET_RESERVE) for limit in limits]
    long = [
        limit._replace(windows=tuple(one for one in limit.windows if one.seconds > lasts.total_seconds()))
        for limit in limits
    ]
    calls = min((window.calls for limit in long for window in limit.windows), default=None)
    if calls is None:
        return None
    try:
        left = min(meter.limit - meter.used for meter in budget_store().meters(long) if meter.limit)
    except RedisError:
        left = calls  # nothing is called without it anyway
    return Room(calls, left)
