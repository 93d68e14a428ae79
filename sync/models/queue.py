"""The state of each provider's queue, and of each account in it."""

from django.db import models

from sync.models.account import Account
from sync.models.base import Pausable
from sync.models.choices import Provider


class Queue(Pausable):
    """One provider in one region: its slots, its pause, and its virtual time.

    A claim locks this row, so the order and the number of running runs are exact over all machines.
    """

    provider = models.CharField(max_length=10, choices=Provider)
    region = models.CharField(max_length=20)
    concurrency = models.PositiveSmallIntegerField(help_text="Runs at once, over all workers and machines.")
    virtual_time = models.FloatField(default=0, editable=False)  # the tag of the run that started last

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


class Lane(models.Model):
    """One account's place in a queue: start-time fair queueing over accounts.

    `tag` grows by 1/weight with every start, so the account that had the least is next. A lane that
    slept is lifted to the queue's virtual time at its next start: nobody saves up turns.
    """

    queue = models.ForeignKey(Queue, models.CASCADE, related_name="lanes")
    account = models.ForeignKey(Account, models.CASCADE, related_name="lanes")
    tag = models.FloatField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["queue", "account"], name="one_lane_per_queue_account")
        ]

    def __str__(self) -> str:
        return f"{self.account} in {self.queue}"
