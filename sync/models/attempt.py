"""Each start of a run."""

from datetime import datetime

from django.db import models

from sync.models.choices import Outcome
from sync.models.run import SyncRun


class SyncAttempt(models.Model):
    """One start of a run: by whom, how long, how it ended, and what it cost."""

    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="attempts", db_index=False)
    lease_token = models.UUIDField(unique=True)
    worker = models.CharField(max_length=120)
    started_at = models.DateTimeField()
    ended_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True, blank=True
    )
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    calls = models.PositiveIntegerField(default=0, help_text="Calls made at the platform.")
    error_category = models.CharField(max_length=20, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    platform_code = models.CharField(max_length=80, blank=True)
    message = models.CharField(max_length=500, blank=True)
    trace_id = models.CharField(max_length=80, blank=True, help_text="What the platform's support asks for.")

    class Meta:
        ordering = ["started_at"]
        indexes = [models.Index(fields=["run", "started_at"], name="attempt_of_run")]

    def __str__(self) -> str:
        return f"{self.run_id} at {self.started_at:%Y-%m-%d %H:%M:%S}"
