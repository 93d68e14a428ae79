"""Ask the broker how it is: its answer's delay, and the messages that wait in each queue."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import redis
from celery import current_app
from django.core.management.base import CommandError
from kombu.exceptions import OperationalError


@dataclass(frozen=True)
class BrokerState:
    """A moment's reading."""

    ping_ms: float
    messages: dict[str, int]  # by queue, in all priorities


def broker_state(queues: Iterable[str]) -> BrokerState:
    """Or a `CommandError` where no broker answers."""
    try:
        with current_app.connection_for_read() as broker:
            channel: Any = broker.default_channel  # the stubs know no queues
            started = time.perf_counter()
            channel.client.ping()
            took = time.perf_counter() - started
            messages = {name: int(channel.queue_declare(queue=name).message_count) for name in queues}
    except (OperationalError, redis.RedisError, OSError):
        raise CommandError("The broker does not answer: check CELERY_BROKER_URL, and that it runs.") from None
    return BrokerState(round(took * 1000, 3), messages)
