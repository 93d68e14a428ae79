"""What the platforms send that this version does not know, and what they no longer have."""

from collections.abc import Mapping
from datetime import datetime

from django.db import connection, models

from providers.drift import DriftKind, Oddity
from sync.models.choices import Provider

MOST = 50  # kinds of oddities of one run: a platform that answers nonsense must not fill the table

# One statement a run, its rows in one order: two workers that meet the same must not wait in a circle.
RECORD = """
    INSERT INTO sync_drift AS known (provider, kind, place, value, count, first_seen_at, last_seen_at)
    SELECT %s, kind, place, value, count, statement_timestamp(), statement_timestamp()
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[]) AS told (kind, place, value, count)
    ORDER BY kind, place, value
    ON CONFLICT ON CONSTRAINT one_row_per_drift DO UPDATE SET
        count = known.count + excluded.count, last_seen_at = excluded.last_seen_at
    RETURNING kind, place, value, old.id IS NULL
"""


class DriftQuerySet(models.QuerySet["Drift"]):
    """Which of them."""

    def record(self, provider: str, heard: Mapping[Oddity, int]) -> list[Oddity]:
        """Count what a run met; which of it nobody met before."""
        most = sorted(heard.items(), key=lambda item: -item[1])[:MOST]
        columns = [[oddity[place] for oddity, _ in most] for place in range(3)]
        with connection.cursor() as cursor:
            cursor.execute(RECORD, [provider, *columns, [count for _, count in most]])
            return [Oddity(DriftKind(kind), *rest) for kind, *rest, is_new in cursor.fetchall() if is_new]


class Drift(models.Model):
    """One word, key, field or version, as often as it was met: by pages, or by answers."""

    provider = models.CharField(max_length=10, choices=Provider)
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.name.title()) for kind in DriftKind])
    place = models.CharField(max_length=80, help_text="Where it stood: what was read, and the path in a row.")
    value = models.CharField(max_length=80)
    count = models.PositiveBigIntegerField()
    first_seen_at: "models.DateTimeField[datetime, datetime]" = models.DateTimeField()
    last_seen_at: "models.DateTimeField[datetime, datetime]" = models.DateTimeField()

    objects = DriftQuerySet.as_manager()

    class Meta:
        ordering = ["-last_seen_at"]
        verbose_name_plural = "drift"
        constraints = [
            models.UniqueConstraint(fields=["provider", "kind", "place", "value"], name="one_row_per_drift")
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()} {self.place} {self.value}"
