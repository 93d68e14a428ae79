"""Which runs, in the words of the design."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from sync.models.account import Account
from sync.models.choices import ENDED, OPEN, WAITING, RunState
from sync.models.request import JoinedRequest, SyncRequest

if TYPE_CHECKING:
    from sync.models.run import SyncRun  # noqa: F401  (named in the queryset's type)


class SyncRunQuerySet(models.QuerySet["SyncRun"]):
    """Which runs."""

    def of_account(self, account: Account) -> Self:
        """The tenant's own."""
        return self.filter(account=account)

    def open(self) -> Self:
        """Not ended yet."""
        return self.filter(state__in=OPEN)

    def waiting(self) -> Self:
        """Queued or deferred."""
        return self.filter(state__in=WAITING)

    def running(self) -> Self:
        """Held by a lease, valid or not."""
        return self.filter(state=RunState.RUNNING)

    def ended(self) -> Self:
        """In a terminal state."""
        return self.filter(state__in=ENDED)

    def dead_letters(self) -> Self:
        """Failed for good, and neither replayed nor marked as done by a person."""
        return self.filter(state=RunState.FAILED, resolved_at=None)

    def caused_by(self, *words: str) -> Self:
        """With all of these as category, error code or platform's code."""
        runs = self
        for word in words:
            runs = runs.filter(Q(error_category=word) | Q(error_code=word) | Q(platform_code=word))
        return runs

    def lost(self) -> Self:
        """Running, but the worker let its lease expire, by the database's clock, which gave it."""
        return self.running().filter(lease_expires_at__lt=Now())

    def of_request(self, request: SyncRequest) -> Self:
        """The runs that a request made or joined."""
        joined = JoinedRequest.objects.filter(request=request).values_list("run_id", flat=True)
        return self.filter(Q(request=request) | Q(pk__in=list(joined)))  # a list: both sides use an index
