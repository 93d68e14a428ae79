"""Daily metrics, and which days of them are complete.

Insights lie in one partition per month of their day, made and dropped by `sync.engine.insights.partitions`.
Behind the connection and the level the columns are the fields of `providers.records.InsightRecord` in the
same order; the merge relies on it. Their time is the ad account's: a day is a day of its time zone.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q

from providers.records import Level
from sync.models.connection import Connection

LEVELS = [(level.value, level.value.replace("_", " ").capitalize()) for level in Level]


class Insight(models.Model):
    """One entity's metrics for one day; no row: no delivery. Never add money of two currencies.

    A day of one level lies together, so sums over days read what they need; one entity's days are found by
    skipping from day to day in the same key. There is no constraint on the connection: PostgreSQL would lock
    all connections whenever a month's partition is made or dropped.
    """

    pk = models.CompositePrimaryKey("connection_id", "level", "day", "external_id")
    connection = models.ForeignKey(
        Connection, models.CASCADE, related_name="insights", db_index=False, db_constraint=False
    )
    level = models.CharField(max_length=10, choices=LEVELS)
    external_id = models.CharField(
        max_length=80, help_text="Of the entity; at account level the ad account's."
    )
    day = models.DateField()
    campaign_external_id = models.CharField(max_length=80, blank=True)
    ad_group_external_id = models.CharField(max_length=80, blank=True)
    currency = models.CharField(max_length=3, help_text="Of all money in the row.")
    attribution = models.CharField(max_length=40, help_text="By which rule conversions were counted.")
    impressions = models.BigIntegerField()
    clicks = models.BigIntegerField()
    spend_micros = models.BigIntegerField()
    conversions = models.DecimalField(max_digits=24, decimal_places=6)
    conversion_value_micros = models.BigIntegerField()
    conversions_by_type: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()
    reach = models.BigIntegerField(null=True, help_text="Null where it is not measured; can't be added up.")
    video_views = models.BigIntegerField(null=True)
    extra: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(
        help_text="The platform's other metrics, under its own names."
    )
    run_id: "models.UUIDField[UUID, UUID]" = models.UUIDField(help_text="Which made the row what it is.")
    updated_at = models.DateTimeField(help_text="When a metric differed last.")

    def __str__(self) -> str:
        return f"{self.level} {self.external_id} on {self.day}"


class InsightDay(models.Model):
    """A day of one level that was read to its end: the proof that no row of it is missing.

    A day without such a row is a gap. `read_at` says how late in the day, or after it, the figures are from.
    """

    pk = models.CompositePrimaryKey("connection_id", "level", "day")
    connection = models.ForeignKey(
        Connection, models.CASCADE, related_name="insight_days", db_index=False
    )  # the key begins with it
    level = models.CharField(max_length=10, choices=LEVELS)
    day = models.DateField()
    read_at: "models.DateTimeField[datetime, datetime]" = models.DateTimeField(
        help_text="When the reading began: what the platform knew then is here."
    )
    rows = models.PositiveIntegerField()
    attribution = models.CharField(max_length=40)
    run_id: "models.UUIDField[UUID, UUID]" = models.UUIDField()
    is_final = models.BooleanField(default=False, help_text="Read when nothing moves any more.")

    class Meta:
        indexes = [
            # what may have to be read again: some weeks of days, however long the history
            models.Index(fields=["connection"], condition=Q(is_final=False), name="insight_day_not_final"),
        ]

    def __str__(self) -> str:
        return f"{self.level} on {self.day}: {self.rows} rows"
