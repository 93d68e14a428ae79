"""Ask the broker how it is: its answer's delay, and the messages that wait in each queue."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.management.base import CommandError

from sync.ledger import broker


@dataclass(frozen=True)
class BrokerState:
    """A moment's reading."""

    ping_ms: float
    messages: dict[str, int]  # by queue, in all priorities


def broker_state(queues: Iterable[str]) -> BrokerState:
    """Or a `CommandError` where no broker answers."""
    try:
        with broker.connect() as connection:
            channel: Any = connection.default_channel  # the stubs know no client
            started = time.perf_counter()
            channel.client.ping()
            took = time.perf_counter() - started
            messages = {name: broker.count(channel, name) for name in queues}
    except broker.AWAY:
        raise CommandError("The broker does not answer: check CELERY_BROKER_URL, and that it runs.") from None
    return BrokerState(round(took * 1000, 3), messages)
