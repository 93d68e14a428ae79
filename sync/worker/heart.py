"""The worker's pulse: a thread of its parent process, so that busy children don't hold it up.

At each beat it also asks the watchdog.
"""

import os
import threading
from typing import Any

import structlog
from celery.signals import worker_ready, worker_shutdown
from django.db import DatabaseError, connection
from django.utils import timezone

from sync import alive
from sync.worker.stop import stop
from sync.worker.watchdog import Watchdog

logger = structlog.get_logger(__name__)

EVERY_SECONDS = 5  # one upsert: nothing beside a worker's own writes


class _Heart(threading.Thread):
    """Shows every few seconds that the worker is there."""

    def __init__(self, consumer: Any) -> None:
        super().__init__(name="pulse", daemon=True)
        self._consumer = consumer
        self._queues = tuple(consumer.app.amqp.queues.consume_from)
        self._children = consumer.controller.concurrency
        self._watchdog = Watchdog(self._queues, self._children)
        self._started_at = timezone.now()
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.is_set():
            reason = self._watchdog.look(database_answers=self._beat())
            if reason:
                logger.critical("worker ends itself", worker=self._consumer.hostname, reason=reason)
                stop(os.EX_SOFTWARE)
                return
            self._stopped.wait(EVERY_SECONDS)

    def stop(self) -> None:
        """End the pulse and take the row away: a worker that ended in good order is not dead."""
        self._stopped.set()
        self.join(timeout=EVERY_SECONDS)
        try:
            alive.forget(self._consumer.hostname)
        except DatabaseError as exc:
            logger.warning("pulse not removed", error=type(exc).__name__)  # it falls silent by itself

    def _beat(self) -> bool:
        """Whether the database took it."""
        try:
            alive.record(
                self._consumer.hostname,
                started_at=self._started_at,
                queues=self._queues,
                concurrency=self._children,
            )
            alive.forget_old()
        except DatabaseError as exc:
            logger.warning("pulse not written", error=type(exc).__name__)  # the next one may be
            return False
        else:
            return True
        finally:
            connection.close()  # none is left open while the pool forks a child


_hearts: list[_Heart] = []  # the one of this process, once its consumer is ready


@worker_ready.connect
def on_worker_ready(sender: Any, **_: Any) -> None:
    """The worker takes messages from now on."""
    heart = _Heart(sender)
    _hearts.append(heart)
    heart.start()


@worker_shutdown.connect
def on_worker_shutdown(**_: Any) -> None:
    """The worker ended in good order."""
    while _hearts:
        _hearts.pop().stop()
