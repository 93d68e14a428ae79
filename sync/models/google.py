"""Google's quota: the operations that a project made in the last 24 hours, and what is known of it.

In PostgreSQL, for the platform counts them over a whole day, and a budget store may lose its memory.
"""

import math
from datetime import datetime, timedelta

from django.db import models

from sync.models.connection import HOUR

DAY = timedelta(hours=24)


class GoogleProject(models.Model):
    """A project of Google's cloud, the one whose OAuth client asks for the grants. A take locks its row."""

    name = models.CharField(max_length=80, primary_key=True, help_text="Its number, as in the client id.")
    limit: "models.PositiveIntegerField[int | None, int | None]" = models.PositiveIntegerField(
        null=True, editable=False, help_text="Operations in 24 hours, as last measured; empty: no limit."
    )
    weights = models.PositiveIntegerField(
        default=0, editable=False, help_text="Of all accounts that share it; 0: not counted yet."
    )
    connections_count = models.PositiveIntegerField(default=0, editable=False, help_text="Those to sync.")
    operations_per_sync = models.FloatField(default=0, editable=False, help_text="As recent syncs used them.")
    interval = models.DurationField(default=HOUR, editable=False, help_text="Between two scheduled syncs.")

    warned_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True, editable=False, help_text="When so many were used that people were warned."
    )

    def __str__(self) -> str:
        return self.name

    def scheduled_operations(self, connections: int) -> int:
        """What the scheduled syncs of so many connections need in 24 hours."""
        return math.ceil(connections * self.operations_per_sync * (DAY / self.interval))


class OperationCount(models.Model):
    """The operations of one minute, of an account or of the project as a whole.

    A call counts in the minute in which it has ended at the latest. No foreign keys: the platform counts
    on when the account is gone, and a take checks none.
    """

    pk = models.CompositePrimaryKey("project", "subject", "until")
    project = models.CharField(max_length=80)
    subject = models.CharField(max_length=36, help_text="The account's id; empty for the project as a whole.")
    until: "models.DateTimeField[datetime, datetime]" = models.DateTimeField(help_text="The minute's end.")
    calls = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["until"], name="operationcount_until")]  # serves the clean-up

    def __str__(self) -> str:
        return f"{self.calls} of {self.subject or self.project} until {self.until:%H:%M}"
