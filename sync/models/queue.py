"""The state of each provider's queue, and of each account in it."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models

from sync.models.account import Account
from sync.models.base import Pausable
from sync.models.choices import Kind, Provider


def _at_zero() -> list[int]:
    return [0, 0, 0]


class Queue(Pausable):
    """One provider in one region: its slots, its pause, and its virtual times.

    A claim locks this row, so the order and the number of running runs are exact over all machines.
    """

    provider = models.CharField(max_length=10, choices=Provider)
    region = models.CharField(max_length=20)
    concurrency = models.PositiveSmallIntegerField(help_text="Runs at once, over all workers and machines.")
    patience = models.PositiveIntegerField(
        default=600, help_text="Seconds after which a waiting run rises one class."
    )
    manual_patience = models.PositiveIntegerField(
        default=30, help_text="The same for a run that a person asked for by itself."
    )
    # by class: the greatest tag that started so far
    virtual_times: "ArrayField[list[int], list[int]]" = ArrayField(
        models.BigIntegerField(), size=3, default=_at_zero, editable=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "region"], name="one_queue_per_provider_region"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The Celery queue that hints for this queue go to."""
        return queue_name(self.provider, self.region)


def queue_name(provider: str, region: str) -> str:
    """`sync.<provider>` in the default region, `sync.<provider>.<region>` elsewhere."""
    return f"sync.{provider}" if region == "default" else f"sync.{provider}.{region}"


class KindLimit(models.Model):
    """How many runs of one kind may run at once in a region, over all providers; no row: no such limit."""

    region = models.CharField(max_length=20)
    kind = models.CharField(max_length=10, choices=Kind)
    concurrency = models.PositiveSmallIntegerField(help_text="Runs of the kind at once, over all providers.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["region", "kind"], name="one_limit_per_region_kind")]

    def __str__(self) -> str:
        return f"{self.concurrency} at once: {self.get_kind_display()} in {self.region}"


class Lane(models.Model):
    """One account's line of one kind in one class of a queue: start-time fair queueing over accounts.

    Kept by triggers on the runs and their conditions, so that a claim reads one index entry and a
    position sums up lanes, however many runs wait. `tag` grows by a turn (`sync_turn`) with every
    start of the account in the class, so the account that had the least is next.
    """

    queue = models.ForeignKey(Queue, models.CASCADE, related_name="lanes", db_index=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="lanes")
    kind = models.CharField(max_length=10, choices=Kind)
    rank = models.PositiveSmallIntegerField(help_text="The class: 0 is the best.")
    tag = models.BigIntegerField(default=0)
    waiting = models.IntegerField(default=0, help_text="Runs that may start.")
    head_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True, help_text="Since when the first of them is due. Empty: none may start."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["queue", "account", "kind", "rank"], name="one_lane_per_queue_account_kind_class"
            )
        ]
        indexes = [
            # the claim
            models.Index(
                fields=["queue", "kind", "rank", "tag", "head_at", "account"],
                condition=models.Q(head_at__isnull=False),
                name="lane_next",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} in {self.queue}: {self.kind}, class {self.rank}"
