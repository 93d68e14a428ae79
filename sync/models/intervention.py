"""What people did to the queue: the record that stays when its effect is over."""

from collections.abc import Iterable

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from sync.models.account import Account
from sync.models.choices import Action
from sync.models.connection import Connection
from sync.models.queue import Queue
from sync.models.run import SyncRun

SUBJECTS = {Queue: "queue", Account: "account", Connection: "connection", SyncRun: "run"}


class InterventionQuerySet(models.QuerySet["Intervention"]):
    """Which interventions."""

    def record(
        self, action: Action, subjects: Iterable[models.Model], *, by: str, reason: str = ""
    ) -> "list[Intervention]":
        """Write down that somebody did this to each of the subjects."""
        return self.bulk_create(
            Intervention(
                action=action,
                by=by,
                reason=reason,
                **{SUBJECTS[subject._meta.concrete_model]: subject},  # type: ignore[index]  # no mixin's
            )
            for subject in subjects
        )


class Intervention(models.Model):
    """One act of a person on one queue, account, connection or run; it is kept as long as that is."""

    at = models.DateTimeField(db_default=Now())
    action = models.CharField(max_length=10, choices=Action)
    by = models.CharField(max_length=150, help_text="A user's name; of a command, the machine's user.")
    reason = models.CharField(max_length=200, blank=True)
    queue = models.ForeignKey(Queue, models.CASCADE, null=True, blank=True, related_name="interventions")
    account = models.ForeignKey(Account, models.CASCADE, null=True, blank=True, related_name="interventions")
    connection = models.ForeignKey(
        Connection, models.CASCADE, null=True, blank=True, related_name="interventions"
    )
    run = models.ForeignKey(SyncRun, models.CASCADE, null=True, blank=True, related_name="interventions")

    objects = InterventionQuerySet.as_manager()

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(
                name="intervention_on_one_subject",
                condition=Q(queue__isnull=False, account=None, connection=None, run=None)
                | Q(queue=None, account__isnull=False, connection=None, run=None)
                | Q(queue=None, account=None, connection__isnull=False, run=None)
                | Q(queue=None, account=None, connection=None, run__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.action} by {self.by}"

    @property
    def subject(self) -> Queue | Account | Connection | SyncRun | None:
        """What it was done to: one of them, by the constraint."""
        return self.queue or self.account or self.connection or self.run
