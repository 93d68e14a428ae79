"""What several models share."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.utils import timezone
from uuid_utils.compat import uuid7


class TimeOrdered(models.Model):
    """A row with a UUIDv7 id: safe to show, and ordered by the time it was made."""

    id: "models.UUIDField[UUID, UUID]" = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        abstract = True


class Pausable(models.Model):
    """A condition that the claim checks: nothing waiting is rewritten, and pauses may overlap."""

    paused_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True, blank=True, editable=False
    )
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    pause_reason = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        abstract = True

    def pause(self, *, by: AbstractBaseUser | None, reason: str = "") -> None:
        """Start nothing more of this until `resume`; what runs goes on to its end."""
        self.paused_at, self.paused_by, self.pause_reason = timezone.now(), by, reason  # type: ignore[assignment]
        self.save(update_fields=["paused_at", "paused_by", "pause_reason"])

    def resume(self) -> None:
        """Let it start again."""
        self.paused_at, self.paused_by, self.pause_reason = None, None, ""
        self.save(update_fields=["paused_at", "paused_by", "pause_reason"])
