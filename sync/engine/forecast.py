"""When waiting runs will start and end, from the queue's order and pace and from the call budgets.

An estimate that is honest about what it can't know: no time is told for what waits for a person.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from redis.exceptions import RedisError

from sync import moments
from sync.engine.limits import limits_of_run
from sync.engine.platform import budget_store
from sync.google.operations import operations_of
from sync.ledger.pace import Pace, pace_of, work_of
from sync.ledger.position import positions
from sync.models import Account, Queue, SyncRun
from sync.models.choices import WAITING, Priority, Provider, RunState

DayFreeAt = Callable[[Account, bool], datetime | None]

BUDGETS_ASKED = 20  # runs at most, the first to start: each costs a round trip


class Forecast(NamedTuple):
    """When a waiting run is expected to start and to end. `calls_again` is set, with whose calls they are,
    when the budget is what the start waits for."""

    starts_at: datetime
    ends_at: datetime
    calls_again: str = ""


def forecasts(runs: Iterable[SyncRun], places: dict[UUID, int] | None = None) -> dict[UUID, Forecast]:
    """For each waiting run whose start can be told. Give `places` where they are known already."""
    waiting = [run for run in runs if run.state in WAITING and not _is_held(run)]
    places = positions(waiting) if places is None else places
    queues = {(queue.provider, queue.region): queue for queue in Queue.objects.filter(paused_at=None)}
    paces: dict[tuple[str, str], Pace] = {}
    works = work_of({run.connection_id for run in waiting}) if waiting else {}
    day_free_at = cache(_day_free_at)  # the same for all runs of an account
    told = {}
    waiting.sort(key=lambda run: (places.get(run.pk, float("inf")), run.available_at or run.queued_at))
    for number, run in enumerate(waiting):
        if queue := queues.get((run.provider, run.region)):
            key = run.provider, run.region
            paces[key] = pace = paces.get(key) or pace_of(queue)
            starts_at = _start(run, pace, places.get(run.pk), works)
            work = works.get(run.connection_id, pace.turn)
            asked = run.state == RunState.QUEUED and number < BUDGETS_ASKED
            calls_at, whose = _budget(run, day_free_at) if asked else (starts_at, "")
            told[run.pk] = _told(starts_at, work, calls_at, whose)
    return told


def with_budgets(words: dict[UUID, str], told: dict[UUID, Forecast]) -> dict[UUID, str]:
    """What runs wait for, with the budget in the place of the queue where that is what they wait for."""
    return words | {
        pk: f"the call budget: {forecast.calls_again} may call again at {moments.told(forecast.starts_at)}"
        for pk, forecast in told.items()
        if forecast.calls_again
    }


def _is_held(run: SyncRun) -> bool:
    return run.connection.condition != "active"


def _start(run: SyncRun, pace: Pace, place: int | None, works: dict[UUID, timedelta]) -> datetime:
    now = timezone.now()
    if run.state == RunState.DEFERRED:
        rank = list(Priority).index(Priority(run.priority))
        return max(now, run.available_at or now) + pace.until_start(pace.ahead_of_newcomer(rank))
    if place is None:  # its connection is syncing
        return now + works.get(run.connection_id, pace.turn)
    return now + pace.until_start(place - 1)


def _told(starts_at: datetime, work: timedelta, calls_at: datetime, whose: str) -> Forecast:
    if calls_at > starts_at:
        return Forecast(calls_at, calls_at + work, whose)
    return Forecast(starts_at, starts_at + work)


def _day_free_at(account: Account, background: bool) -> datetime | None:
    """When Google's project lets the account work again; None: now."""
    day = operations_of(account, background=background)
    return day.standing().free_at if day else None


def _budget(run: SyncRun, day_free_at: DayFreeAt) -> tuple[datetime, str]:
    """When the run's next call could be taken, and from whose budget it is missing until then."""
    is_background = run.priority != Priority.MANUAL
    limits = limits_of_run(run)
    if is_background:
        limits = [limit.within(settings.BUDGET_RESERVE) for limit in limits]
    try:
        meters = budget_store().meters(limits)
    except RedisError:
        return timezone.now(), ""  # nothing is known of budgets, so nothing is said
    latest, whose = timezone.now(), ""
    for meter in meters:
        moments = [meter.parked_until, meter.free_at, meter.background_until if is_background else None]
        until = max((datetime.fromtimestamp(at, UTC) for at in moments if at), default=latest)
        if until > latest:
            latest, whose = until, meter.label
    day = day_free_at(run.connection.account, is_background) if run.provider == Provider.GOOGLE else None
    return (day, "Google's project") if day and day > latest else (latest, whose)
