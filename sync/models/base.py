"""What several models share."""

from datetime import datetime
from uuid import UUID

from django.db import models
from uuid_utils.compat import uuid7


class TimeOrdered(models.Model):
    """A row with a UUIDv7 id: safe to show, and ordered by the time it was made."""

    id: "models.UUIDField[UUID, UUID]" = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        abstract = True


class Pausable(models.Model):
    """A condition that the claim checks: nothing waiting is rewritten, and pauses may overlap.

    Written by `sync.ledger.pause` only, which also keeps the story.
    """

    paused_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True, blank=True, editable=False
    )
    # a name, not a key: also those are told who work at a command line, or have left
    paused_by = models.CharField(max_length=150, blank=True, db_default="", default="", editable=False)
    pause_reason = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def pause_note(self) -> str:
        """` by alice: budget review`, as far as it is known: to follow "paused"."""
        by = f" by {self.paused_by}" if self.paused_by else ""
        reason = f": {self.pause_reason}" if self.pause_reason else ""
        return f"{by}{reason}"
