"""Renew leases from a thread of their own, so that slow work at the platform can't starve them.

One thread for all runs of a process, started with its first: to start one for each costs more than to open a
platform's client. A short run ends before its lease is renewed once.
"""

import os
import threading
import time
from types import TracebackType

import structlog
from django.conf import settings
from django.db import Error, connection

from sync.ledger.lease import Lease, LeaseLost

logger = structlog.get_logger(__name__)

BEATS = 6  # to a lease: it is renewed from the second on, so before a third of it is over


class Heartbeat:
    """Renews while its `with` block runs.

    A lost lease only ends the beats: the work notices at its next fenced write.
    """

    def __init__(self, lease: Lease) -> None:
        self._lease = lease

    def __enter__(self) -> None:
        _heart.hold(self._lease)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _heart.let_go(self._lease)


class _Heart:
    """The thread, and the leases that it renews: at each beat all that were held at the last one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held = set[Lease]()
        self._renewed: Lease | None = None  # just now
        self._is_connected = False
        self._next_at = 0.0  # by the monotonic clock
        self._thread: threading.Thread | None = None

    def hold(self, lease: Lease) -> None:
        with self._changed:
            self._held.add(lease)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
                self._thread.start()
            elif time.monotonic() + _pause() < self._next_at:  # a lease that is shorter than the last
                self._changed.notify_all()

    def let_go(self, lease: Lease) -> None:
        """No renewal of it is under way afterwards."""
        with self._changed:
            self._held.discard(lease)
            self._changed.wait_for(lambda: self._renewed != lease)
            if self._is_connected:  # of a long run: its connection is closed with it
                self._changed.notify_all()

    def _beat(self) -> None:
        known = set[Lease]()
        while True:
            with self._changed:
                self._next_at = time.monotonic() + _pause()
                self._changed.wait(_pause())
                due, known = known & self._held, set(self._held)
            for lease in due:
                self._renew_held(lease)
            if not due and self._is_connected:
                connection.close()
                self._is_connected = False

    def _renew_held(self, lease: Lease) -> None:
        with self._changed:
            if lease not in self._held:
                return
            self._renewed, self._is_connected = lease, True
        try:
            _renew(lease)
        except LeaseLost:
            logger.warning("lease lost", run=str(lease.run_id))
            with self._changed:
                self._held.discard(lease)
        finally:
            with self._changed:
                self._renewed = None
                self._changed.notify_all()


def _renew(lease: Lease) -> None:
    try:
        lease.renew()
    except Error as exc:
        logger.warning("lease not renewed", run=str(lease.run_id), error=type(exc).__name__)
        connection.close()  # the next beat connects anew


def _pause() -> float:
    return float(settings.LEASE.total_seconds() / BEATS)


_heart = _Heart()


def _begin() -> None:
    """A process that is forked has none of its parent's threads, but their locks."""
    global _heart
    _heart = _Heart()


os.register_at_fork(after_in_child=_begin)
