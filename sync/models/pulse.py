"""Which processes are at work: a row per worker, rewritten every few seconds, and one for the tick."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Pulse(models.Model):
    """When something was last known to work. A row that grew old belongs to something that died."""

    name = models.CharField(
        max_length=120, primary_key=True, help_text="A worker's node name; or the tick's task."
    )
    queues: "ArrayField[list[str], list[str]]" = ArrayField(models.TextField(), default=list, blank=True)
    concurrency = models.PositiveSmallIntegerField(default=0, help_text="Tasks at once.")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
