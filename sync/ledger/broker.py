"""The broker, asked with little patience: a person's request, a probe or a watchdog waits for the answer.

Celery's own consumers have longer timeouts, in the settings. Whatever can't be sent is the tick's.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from celery import current_app
from kombu import Connection, Producer
from kombu.exceptions import KombuError
from kombu.exceptions import OperationalError as KombuOperationalError
from kombu.pools import producers
from redis.exceptions import RedisError

ANSWER_SECONDS = 1  # for a server beside us
AWAY = (KombuError, KombuOperationalError, RedisError, OSError)  # how its absence shows

_BRISK = {
    "socket_timeout": ANSWER_SECONDS,
    "socket_connect_timeout": ANSWER_SECONDS,
    "max_retries": 0,  # to connect: kombu's default goes on for seconds, even for a message without retries
}


def connect() -> Connection:
    """A connection of one's own, to be closed."""
    return current_app.connection_for_write(transport_options=_BRISK)


@contextmanager
def pooled() -> Iterator[Producer]:
    """A producer whose connection is kept, for what happens often."""
    with producers[connect()].acquire(block=True, timeout=ANSWER_SECONDS) as producer:
        yield producer


def count(channel: Any, queue: str) -> int:
    """The messages that wait in a queue, in all priorities."""
    return int(channel.queue_declare(queue=queue).message_count)


def messages(queues: Iterable[str]) -> dict[str, int]:
    """How many wait in each queue. Raises one of `AWAY`."""
    with connect() as broker:
        channel = broker.default_channel
        return {queue: count(channel, queue) for queue in queues}
