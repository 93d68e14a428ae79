"""Renew a lease from a thread of its own, so that slow work at the platform can't starve it."""

import threading
from types import TracebackType

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from sync.ledger.lease import Lease, LeaseLost

logger = structlog.get_logger(__name__)


class Heartbeat:
    """Renews while its `with` block runs. A short run ends before the first beat and costs nothing.

    A lost lease only ends the beats: the work notices at its next fenced write.
    """

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat {lease.run_id}", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        every = settings.LEASE.total_seconds() / 3  # two beats may fail before the lease ends
        try:
            while not self._stop.wait(every):
                self._renew()
        except LeaseLost:
            logger.warning("lease lost", run=str(self._lease.run_id))
        finally:
            connection.close()

    def _renew(self) -> None:
        try:
            self._lease.renew()
        except DatabaseError as exc:
            logger.warning("lease not renewed", run=str(self._lease.run_id), error=type(exc).__name__)
            connection.close()  # the next beat connects anew
