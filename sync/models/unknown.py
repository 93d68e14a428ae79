"""The platforms' error codes that our tables do not know."""

from datetime import datetime

from django.db import connection, models

from sync.models.choices import Provider

# One statement, so that two workers that meet a code at once count it twice and make one row of it.
RECORD = """
    INSERT INTO sync_unknowncode AS known
        (provider, platform_code, http_status, count, first_seen_at, last_seen_at, last_trace_id)
    VALUES (%s, %s, %s, 1, statement_timestamp(), statement_timestamp(), %s)
    ON CONFLICT ON CONSTRAINT one_row_per_unknown_code DO UPDATE SET
        count = known.count + 1, last_seen_at = excluded.last_seen_at, last_trace_id = excluded.last_trace_id
    RETURNING count
"""


class UnknownCodeQuerySet(models.QuerySet["UnknownCode"]):
    """Which codes."""

    def record(self, provider: str, platform_code: str, http_status: int, trace_id: str) -> bool:
        """Count one more of it; whether it is the first."""
        with connection.cursor() as cursor:
            cursor.execute(RECORD, [provider, platform_code[:80], http_status, trace_id[:80]])
            return bool(cursor.fetchone()[0] == 1)


class UnknownCode(models.Model):
    """One code, as often as it was met. The platform's text is not kept, for it may hold data."""

    provider = models.CharField(max_length=10, choices=Provider)
    platform_code = models.CharField(max_length=80)
    http_status = models.PositiveSmallIntegerField(help_text="0: the error had none.")
    count = models.PositiveBigIntegerField()
    first_seen_at: "models.DateTimeField[datetime, datetime]" = models.DateTimeField()
    last_seen_at: "models.DateTimeField[datetime, datetime]" = models.DateTimeField()
    last_trace_id = models.CharField(max_length=80, blank=True, help_text="What the support asks for.")

    objects = UnknownCodeQuerySet.as_manager()

    class Meta:
        ordering = ["-last_seen_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "platform_code", "http_status"], name="one_row_per_unknown_code"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()} {self.platform_code}"
