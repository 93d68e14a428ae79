"""Hints: tell a provider's workers that there may be work.

A lost, doubled or late hint changes nothing, for the ledger decides what runs; the tick heals lost
ones. No more wait at the broker than the queue has slots, so a queue that nobody serves for a weekend
holds a handful of messages. That is counted at the broker: a note of our own would outlive a lost hint.
"""

import time
from datetime import datetime
from typing import Any

import structlog
from celery import current_app
from django.utils import timezone

from sync.ledger import broker
from sync.models import Queue, queue_name
from sync.models.choices import Priority

logger = structlog.get_logger(__name__)

HINT_SECONDS = 60  # a hint that nobody took by then has expired, and the tick sends a new one
LOWEST_BROKER_PRIORITY = 9
REST_SECONDS = 3  # after a failure nobody waits for the broker again this long; below the tick's interval
SOON_SECONDS = 6  # the tick's interval and a second: what is due later, a later tick tells
STEP_SECONDS = 0.25  # hints for a moment to come are for steps of this: twenty in a tick's interval at most
LATE_SECONDS = 0.02  # behind the moment itself, for clocks differ a little

_rests_until = 0.0  # what this process knows of the broker
_told: dict[str, int] = {}  # queue name → the last step that this process sent a hint for


def nudge(provider: str, region: str, *, priority: int) -> bool:
    """Send a hint unless enough wait already. False when none was sent; then the tick will."""
    return _send(provider, region, priority=priority)


def nudge_at(provider: str, region: str, moment: datetime) -> bool:
    """Send a hint for a run that will be due soon, so that it need not wait for the tick after that."""
    name, now = queue_name(provider, region), timezone.now().timestamp()
    step = -int(-moment.timestamp() // STEP_SECONDS)  # rounded up
    wait = step * STEP_SECONDS + LATE_SECONDS - now
    if moment.timestamp() < now or wait > SOON_SECONDS or _told.get(name) == step:
        return False
    sent = _send(provider, region, priority=Priority.SCHEDULED, countdown=wait)
    if sent:
        _told[name] = step
    return sent


def _send(provider: str, region: str, *, priority: int, **options: Any) -> bool:
    global _rests_until
    queue = Queue.objects.filter(provider=provider, region=region).first()
    if queue is None or time.monotonic() < _rests_until:
        return False
    try:
        with broker.pooled() as producer:
            if broker.count(producer.channel, queue.name) >= queue.concurrency:
                return False
            current_app.send_task(
                "sync.work",
                (provider, region),
                queue=queue.name,
                priority=min(priority, LOWEST_BROKER_PRIORITY),
                expires=HINT_SECONDS,
                producer=producer,
                retry=False,
                **options,
            )
    except broker.AWAY as exc:
        _rests_until = time.monotonic() + REST_SECONDS
        logger.warning("hint not sent", queue=queue.name, error=type(exc).__name__)
        return False
    return True
