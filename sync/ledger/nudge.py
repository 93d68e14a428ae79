"""Hints: tell a provider's workers that there may be work.

A lost, doubled or late hint changes nothing, for the ledger decides what runs; the tick heals lost
ones. At most one hint is outstanding per slot of a queue, so a queue that nobody serves for a
weekend holds a handful of messages.
"""

import structlog
from celery import current_app
from django.core.cache import cache
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from sync.models import Queue

logger = structlog.get_logger(__name__)

HINT_SECONDS = 60  # a hint that nobody took by then has expired, and the tick sends a new one
LOWEST_BROKER_PRIORITY = 9


def nudge(provider: str, region: str, *, priority: int) -> bool:
    """Send a hint unless enough are outstanding. False when none was sent; then the tick will."""
    queue = Queue.objects.filter(provider=provider, region=region).first()
    if queue is None:
        return False
    try:
        slot = _reserve(queue)
    except RedisError as exc:
        return _not_sent(queue, exc)
    if slot is None:
        return False
    hint = _key(queue.name, slot)
    try:
        current_app.send_task(
            "sync.work",
            (provider, region),
            queue=queue.name,
            priority=min(priority, LOWEST_BROKER_PRIORITY),
            expires=HINT_SECONDS,
            headers={"hint": hint},
            retry=False,
        )
    except (RedisError, OperationalError) as exc:
        hint_taken(hint)  # or nothing could be sent for a minute after the broker is back
        return _not_sent(queue, exc)
    return True


def _not_sent(queue: Queue, exc: Exception) -> bool:
    logger.warning("hint not sent", queue=queue.name, error=type(exc).__name__)
    return False


def hint_taken(key: str | None) -> None:
    """A worker took the hint: another may be sent in its place."""
    if key is None:
        return
    try:
        cache.delete(key)
    except RedisError:
        logger.warning("hint not released", hint=key)  # it expires by itself


def _reserve(queue: Queue) -> int | None:
    for slot in range(queue.concurrency):
        if cache.add(_key(queue.name, slot), 1, timeout=HINT_SECONDS):
            return slot
    return None


def _key(name: str, slot: int) -> str:
    return f"hint:{name}:{slot}"
