"""Whether everything that syncing needs does its work; each reason why not is a sentence for an operator.

For readiness and the external health check. Cheap enough to be asked every few seconds.
"""

from dataclasses import dataclass
from datetime import timedelta

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from redis.exceptions import RedisError

from providers.drift import DriftKind
from sync import alive
from sync.google.day import google_day
from sync.ledger import broker
from sync.ledger.claim import slots_free
from sync.ledger.position import oldest_wait
from sync.models import Drift, Queue
from sync.stale import stale_data

ANSWER_SECONDS = 2  # for a server beside us; a probe has given up by then
LATELY = timedelta(days=1)  # of warnings: who looks once a day sees them
OVERDUE_SECONDS = 60  # the tick nudges every 5 s, so with a free slot a run starts within seconds
MAINTENANCE = str(settings.CELERY_TASK_DEFAULT_QUEUE)


def troubles() -> list[str]:
    """Why AdTiger is not ready; empty when it is."""
    servers = [*_redis(), *_broker()]
    if not database_answers():
        return ["The database does not answer.", *servers]
    if pending := _migrations():
        return [*pending, *servers]  # nothing further can be asked
    return [*servers, *_workers(), *_tick(), *_overdue()]


def warnings() -> list[str]:
    """What an operator should look at though everything does its work."""
    return [*_google_day(), *_forgetful_budgets(), *_ending_versions(), *_stale()]


def _google_day() -> list[str]:
    try:
        day = google_day()
    except (DatabaseError, InterfaceError):
        return []  # away, or without its migrations: `troubles` tells
    return day.warnings if day else []


def _forgetful_budgets() -> list[str]:
    """A store that evicts forgets calls one by one, which no refill notices."""
    try:
        with _client() as client:
            policy = client.info("memory")["maxmemory_policy"]
    except RedisError:
        return []  # `troubles` tells
    if policy == "noeviction":
        return []
    return [
        f"The budgets' server may forget calls, for its maxmemory-policy is {policy}: set it to noeviction."
    ]


def _stale() -> list[str]:
    try:
        return stale_data()
    except (DatabaseError, InterfaceError, RedisError):
        return []  # `troubles` tells


def _ending_versions() -> list[str]:
    """What sooner or later fails every sync of a platform. Other drift fails none."""
    recent = Drift.objects.filter(
        kind__in=[DriftKind.VERSION, DriftKind.FIELD], last_seen_at__gt=timezone.now() - LATELY
    )
    try:
        met = [(found.get_provider_display(), found.kind, found.value) for found in recent]
    except (DatabaseError, InterfaceError):
        return []  # `troubles` tells
    words = {DriftKind.FIELD: "no longer has the field", DriftKind.VERSION: "says of its API's version"}
    return [
        f"{platform} {words[DriftKind(kind)]}: {value}. `manage.py drift` tells more."
        for platform, kind, value in met
    ]


@dataclass(frozen=True)
class Service:
    """How a queue is served: by how many living workers, and since when its oldest due sync waits."""

    queue: str
    workers: int
    oldest_due_seconds: int | None  # None: nothing could start now


def services() -> list[Service]:
    """Of each queue, by name; empty where the database can't tell."""
    try:
        serving = alive.workers_by_queue()
        waits = {queue.name: oldest_wait(queue.provider, queue.region) for queue in Queue.objects.all()}
    except (DatabaseError, InterfaceError):
        return []
    return [
        Service(name, serving[name], round(wait.total_seconds()) if wait is not None else None)
        for name, wait in sorted({MAINTENANCE: None, **waits}.items())
    ]


def database_answers() -> bool:
    """Whether PostgreSQL takes a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (OperationalError, InterfaceError):
        return False
    return True


def _migrations() -> list[str]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{len(plan)} migrations are not applied. Run: python manage.py migrate"] if plan else []


def _redis() -> list[str]:
    try:
        with _client() as client:
            client.ping()
    except RedisError:
        return ["Redis does not answer: no call can be taken from a budget."]
    return []


def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS
    )


def _broker() -> list[str]:
    try:
        broker.messages([MAINTENANCE])
    except broker.AWAY:
        return ["The broker does not answer: workers hear of nothing."]
    return []


def _workers() -> list[str]:
    needed = {queue.name for queue in Queue.objects.all()} | {MAINTENANCE}
    missing = sorted(needed - alive.served_queues())
    return [f"No worker serves the queue {name}." for name in missing]


def _tick() -> list[str]:
    if alive.tick_is_fresh():
        return []
    last = alive.last_tick()
    since = f"since {last:%Y-%m-%d %H:%M:%S} UTC" if last else "yet"
    return [f"The tick has not run {since}: beat, or the worker of {MAINTENANCE}, does not do its work."]


def _overdue() -> list[str]:
    reasons = []
    for queue in Queue.objects.filter(paused_at=None):
        wait = oldest_wait(queue.provider, queue.region) if slots_free(queue) else None
        if wait is not None and wait.total_seconds() > OVERDUE_SECONDS:
            seconds = round(wait.total_seconds())
            reasons.append(f"{queue.name}: a sync has been due for {seconds} s, though a slot is free.")
    return reasons
