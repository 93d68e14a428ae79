"""How syncs ended, day by day: what is left of runs that are no longer kept. Days are UTC's."""

from typing import Any

from django.db import models

from sync.models.choices import Kind
from sync.models.connection import Connection


class DailyStatistic(models.Model):
    """How a connection's runs of one kind ended on one day, counted when it was over.

    A day without such a row had none. A dead letter that is replayed later counts on both days.
    """

    pk = models.CompositePrimaryKey("connection_id", "day", "kind")
    connection = models.ForeignKey(
        Connection, models.CASCADE, related_name="statistics", db_index=False
    )  # the key begins with it
    day = models.DateField()
    kind = models.CharField(max_length=10, choices=Kind)
    succeeded = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()
    cancelled = models.PositiveIntegerField()
    calls = models.PositiveBigIntegerField(help_text="Of all of them, at the platform.")
    seconds = models.FloatField(help_text="From start to end, of those that succeeded.")
    error_categories: "models.JSONField[dict[str, int], dict[str, int]]" = models.JSONField(
        default=dict, help_text="How many failed of which category."
    )

    class Meta:
        indexes = [models.Index(fields=["day"], name="dailystatistic_day")]  # serves the clean-up

    def __str__(self) -> str:
        return f"{self.kind} on {self.day}: {self.succeeded} succeeded, {self.failed} failed"


class CountedDay(models.Model):
    """A day of which all that ended is counted: made with its rows, so that nobody counts it again."""

    day: "models.DateField[Any, Any]" = models.DateField(primary_key=True)

    def __str__(self) -> str:
        return str(self.day)
