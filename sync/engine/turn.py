"""One start of a run: its slot, and for how long it may keep it."""

import time

from django.conf import settings

from providers.base import Client
from providers.records import AdAccountRecord
from sync.engine.chunk import GaveWay
from sync.engine.stopping import WorkerStops, stop_asked
from sync.ledger.claim import better_run_waits
from sync.ledger.lease import Lease
from sync.models import SyncRun


class Turn:
    """What all work of a start needs."""

    def __init__(self, run: SyncRun, lease: Lease, client: Client) -> None:
        self.run = run
        self.lease = lease
        self.client = client
        self.account: AdAccountRecord | None = None  # as the platform described it, where it was asked
        self.authors_since = run.connection.authors_since  # whose changes wait for their authors when it ends
        self._ends_at = time.monotonic() + settings.TURN_SECONDS

    def check(self) -> None:
        """Between two chunks: raises when the slot is to be left to others, or the worker to stop."""
        if leaving := self.leaving():
            raise leaving

    def leaving(self) -> WorkerStops | GaveWay | None:
        """Why the slot is to be left as soon as everything that was read is committed."""
        if stop_asked():
            return WorkerStops()
        if better_run_waits(self.run):
            return GaveWay("a more urgent sync", keeps_age=True)
        if time.monotonic() > self._ends_at:
            return GaveWay("its next turn, for it is a long sync", keeps_age=False)
        return None
