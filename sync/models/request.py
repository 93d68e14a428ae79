"""What was asked for. One request may make many runs, and share those of others."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from sync.models.account import Account
from sync.models.base import TimeOrdered
from sync.models.choices import Trigger


class SyncRequest(TimeOrdered):
    """Who asked for what, when and how. Its runs are those it made and those it joined."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="sync_requests")
    trigger = models.CharField(max_length=10, choices=Trigger)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    source = models.CharField(max_length=20, help_text="Which way in: api, admin, command, beat, cron.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            # serves the manual syncs of the last hour and of today
            models.Index(
                fields=["account", "created_at"],
                condition=Q(trigger=Trigger.MANUAL),
                name="request_manual_recent",
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)


class JoinedRequest(models.Model):
    """A request that found a run which covers it, and so shares it."""

    run = models.ForeignKey("sync.SyncRun", models.CASCADE, related_name="joined_by")
    request = models.ForeignKey(SyncRequest, models.CASCADE, related_name="joined")
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "run"], name="joined_once")]

    def __str__(self) -> str:
        return f"{self.request_id} joined {self.run_id}"
