"""Dead letters: runs that failed for good, kept whole until a person or the retention removes them."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Max, Min, TextField
from django.db.models.functions import Cast, Now

from sync.errors import SyncError
from sync.models import Intervention, SeenIds, SyncRun
from sync.models.choices import Action
from sync.models.run_queries import SyncRunQuerySet


class NotADeadLetter(SyncError):
    """There is nothing to replay or resolve: it is open, ended well, or somebody else was quicker."""

    code = "not_a_dead_letter"
    title = "Not a dead letter"


@dataclass(frozen=True)
class Cause:
    """Dead letters with the same category, error code and platform's code."""

    category: str
    code: str
    platform_code: str
    number: int
    accounts: int
    oldest: datetime
    newest: datetime
    example: SyncRun  # the one that was asked for last: its message and trace id stand for the others'

    @property
    def key(self) -> str:
        """The three words as one, to name the cause in a URL."""
        return f"{self.category}|{self.code}|{self.platform_code}"

    @property
    def words(self) -> str:
        """`access_denied 200`: our code, and the platform's where it gave one."""
        return f"{self.code} {self.platform_code}".strip()


def by_cause(runs: SyncRunQuerySet) -> list[Cause]:
    """The dead letters among `runs` by cause, the most frequent first."""
    counted = (
        runs.dead_letters()
        .order_by()
        .values("error_category", "error_code", "platform_code")
        .annotate(
            number=Count("pk"),
            accounts=Count("account", distinct=True),
            oldest=Min("finished_at"),
            newest=Max("finished_at"),
            example=Max(Cast("pk", TextField())),  # ids are ordered by time
        )
        .order_by("-number", "-newest")
    )
    groups = list(counted)
    examples = SyncRun.objects.select_related("account", "connection").in_bulk(
        [group["example"] for group in groups]
    )
    by_id = {str(pk): run for pk, run in examples.items()}
    return [
        Cause(
            category=group["error_category"],
            code=group["error_code"],
            platform_code=group["platform_code"],
            number=group["number"],
            accounts=group["accounts"],
            oldest=group["oldest"],
            newest=group["newest"],
            example=by_id[group["example"]],
        )
        for group in groups
        if group["example"] in by_id  # else the clean-up just removed it
    ]


def check_dead(run: SyncRun) -> None:
    """Raise `NotADeadLetter`, which says what it is instead, unless it is one."""
    if run.resolved_at:
        raise NotADeadLetter(f"Run {run.pk} was marked as done. Ask for a new sync instead.")
    if not run.is_dead_letter:
        raise NotADeadLetter(f"Run {run.pk} is no dead letter: it is {run.get_state_display().lower()}.")


def resolve(runs: SyncRunQuerySet, *, by: str, reason: str = "") -> list[SyncRun]:
    """Mark the dead letters among `runs` as done: history from now on, replayed and counted no more."""
    with transaction.atomic():
        chosen = list(runs.dead_letters().order_by("connection_id", "pk").select_for_update(of=("self",)))
        ids = [run.pk for run in chosen]
        SyncRun.objects.filter(pk__in=ids).update(resolved_at=Now())
        SeenIds.objects.filter(run__in=ids).delete()  # it reads no more
        Intervention.objects.record(Action.RESOLVED, chosen, by=by, reason=reason)
    return chosen
