"""A worker's hold on a run: renewed while it works, worthless once another has taken the run over."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from sync.models import SyncRun
from sync.models.choices import RunState
from sync.models.run_queries import SyncRunQuerySet


class LeaseLost(Exception):
    """Another worker has the run, or somebody ended it: stop, and write nothing more."""


@dataclass(frozen=True)
class Lease:
    """The fence of every write that a worker makes for a run."""

    run_id: UUID
    token: UUID

    @classmethod
    def of(cls, run: SyncRun) -> "Lease":
        """The lease under which a just claimed run is held."""
        if run.lease_token is None:
            raise LeaseLost(f"run {run.pk} is not running")
        return cls(run.pk, run.lease_token)

    def held(self) -> SyncRunQuerySet:
        """The run, if this lease still holds it: filter and write are one UPDATE."""
        return SyncRun.objects.filter(pk=self.run_id, state=RunState.RUNNING, lease_token=self.token)

    def renew(self) -> None:
        """Hold the run for another lease time, by the database's clock."""
        if not self.held().update(lease_expires_at=Now() + settings.LEASE):
            raise LeaseLost(f"run {self.run_id} was taken over")
