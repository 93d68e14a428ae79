"""Whether a worker still does its part: it hears its broker, and its database answers.

A worker that does not is ended, for its supervisor to start it anew. A busy one is left alone, and so
is one whose broker is away: Celery connects again by itself.
"""

import time

from celery.worker import state
from django.conf import settings

from sync.ledger import broker

LONGEST_LOOK = 15.0  # seconds that one look may count for: a machine that was suspended is not deaf


class Watchdog:
    """Looks every few seconds, and adds up for how long something has been wrong without a break."""

    def __init__(self, queues: tuple[str, ...], children: int) -> None:
        self._queues, self._children = queues, children
        self._looked_at = time.monotonic()
        self._taken = -1
        self._deaf_for = self._without_database_for = 0.0

    def look(self, *, database_answers: bool) -> str:
        """Why the worker is to end; empty while it is well."""
        passed = min(time.monotonic() - self._looked_at, LONGEST_LOOK)
        self._looked_at = time.monotonic()
        self._without_database_for = 0.0 if database_answers else self._without_database_for + passed
        self._deaf_for = self._deaf_for + passed if self._is_deaf() else 0.0
        if self._deaf_for >= settings.WATCHDOG_DEAF_SECONDS:
            return (
                f"it is deaf: for {self._deaf_for:.0f} s messages waited while it took none with a child free"
            )
        if self._without_database_for >= settings.WATCHDOG_DATABASE_SECONDS:
            return f"the database has not answered for {self._without_database_for:.0f} s"
        return ""

    def _is_deaf(self) -> bool:
        """Since the last look no child began a task, though one is free and messages wait."""
        taken = state.all_total_count[0]
        is_idle = taken == self._taken and len(state.reserved_requests) < self._children
        self._taken = taken
        return is_idle and self._messages_wait()

    def _messages_wait(self) -> bool:
        try:
            return any(broker.messages(self._queues).values())
        except broker.AWAY:
            return False
