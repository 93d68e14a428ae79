"""The ledger of operations: what one account's work takes from the project's 24 hours.

Guarantee: over all workers and machines, in no 24 hours more calls reach Google than its limit. A call
counts until the end of the minute in which it has ended at the latest, plus 24 hours; takes queue at the
project's row for the length of one statement. What was taken and lost counts: the safe side.
"""

import time
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import connection as database
from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Now
from django.utils import timezone

from providers.errors import BudgetSpent
from providers.http import CALL_SECONDS
from sync.google.project import day_limit, project_name
from sync.google.quota import Counted, Quota
from sync.models import Account, GoogleProject, OperationCount, SyncRun
from sync.models.choices import DeferReason, Priority, Provider, RunState
from sync.models.google import DAY

logger = structlog.get_logger(__name__)

SYNC_OPERATIONS = 5  # a sync's, where none was measured: a query for each stream, and two for metrics
PROJECT = ""  # the subject under which all of a project's operations are counted
UNLIMITED = Quota(*[2**31 - 1] * 5)

# Both in one round trip and one transaction. The second reads when the row is locked, so it sees what the
# take before it counted, and by a clock that is read then: Now() would be the time before the wait.
TAKE = """
    SELECT FROM sync_googleproject WHERE name = %(project)s FOR NO KEY UPDATE;
    WITH clock AS MATERIALIZED (
        SELECT clock_timestamp() AS now FROM sync_googleproject WHERE name = %(project)s
    ), used AS MATERIALIZED (
        SELECT coalesce(sum(calls) FILTER (WHERE subject = ''), 0) AS project,
               coalesce(sum(calls) FILTER (WHERE subject <> ''), 0) AS account
        FROM sync_operationcount
        WHERE project = %(project)s AND subject IN ('', %(subject)s)
          AND until > (SELECT now - interval '24 hours' FROM clock)
    ), taken AS (
        INSERT INTO sync_operationcount AS counted (project, subject, until, calls)
        SELECT %(project)s, subject, date_bin('1 minute', now + %(call)s, 'epoch') + interval '1 minute', 1
        FROM clock, used, unnest(ARRAY['', %(subject)s]) AS subject
        WHERE used.project < %(most)s
          AND (used.account < %(share)s OR (used.project < %(lent)s AND used.account < %(utmost)s))
        ON CONFLICT (project, subject, until) DO UPDATE SET calls = counted.calls + 1
        RETURNING until
    )
    SELECT used.project, (SELECT max(until) FROM taken) FROM clock, used
"""


class _UnderWay(NamedTuple):
    """A call whose operation is taken."""

    until: datetime
    taken_at: float  # by the process's own clock, which nobody sets


class Standing(NamedTuple):
    """How the day looks for one account's work; a moment's reading, not a promise."""

    used: int  # by all accounts
    used_by_account: int
    free_at: datetime | None  # when a sync's worth of operations is free; None: now


@dataclass
class Operations:
    """`providers.budget.CallLedger` for one account's work, for a person or in the background.

    Not for use within a transaction: the project's row would stay locked until its end.
    """

    project: str
    account: Account
    quota: Quota
    background: bool
    _under_way: dict[str, _UnderWay] = field(default_factory=dict)

    def take(self, ticket: str) -> None:
        """Take one operation, or raise `BudgetSpent` with the moment when a sync's worth of them is free."""
        used, until = self._count(asdict(self.quota))
        if until is None:
            raise BudgetSpent(self.quota.refusal(project=used), retry_at=self._free_at().timestamp())
        self._under_way[ticket] = _UnderWay(until, time.monotonic())
        if used + 1 >= self.quota.alert:
            self._warn(used + 1)

    def give_back(self, ticket: str) -> None:
        """The call is not made after all."""
        until = self._under_way.pop(ticket).until
        self._counts().filter(until=until).update(calls=F("calls") - 1)

    def settle(self, ticket: str) -> None:
        """The call was answered; one that outlasted the longest call counts once more, from now."""
        if time.monotonic() - self._under_way.pop(ticket).taken_at > CALL_SECONDS:
            self._count(asdict(UNLIMITED))

    def standing(self) -> Standing:
        """For people and forecasts: what a take would meet."""
        project, account = self._counted()
        used, used_by_account = (sum(each.calls for each in counted) for counted in (project, account))
        allowed = self.quota.allows(project=used, account=used_by_account)
        return Standing(used, used_by_account, None if allowed else self._free_at())

    def _count(self, allowed: dict[str, int]) -> tuple[int, datetime | None]:
        """Count one operation where that is allowed. How many there were, and the minute that has it."""
        values: dict[str, Any] = {
            "project": self.project,
            "subject": str(self.account.pk),
            "call": timedelta(seconds=CALL_SECONDS),
            **allowed,
        }
        row = _run(values)
        if row is None:  # nothing was locked, and nothing counted: it is the project's first take
            GoogleProject.objects.get_or_create(name=self.project)
            row = _run(values)
        if row is None:
            raise GoogleProject.DoesNotExist(f"Google's project {self.project} has no row")
        return row

    def _warn(self, used: int) -> None:
        """Once per crossing, whoever crosses; `pace.measure` makes the next one possible."""
        project = GoogleProject.objects.filter(name=self.project, warned_at=None)
        if project.update(warned_at=Now()):
            logger.warning("google operations short", project=self.project, used=used, limit=self.quota.limit)

    def _counts(self) -> "QuerySet[OperationCount]":
        subjects = [PROJECT, str(self.account.pk)]
        return OperationCount.objects.filter(project=self.project, subject__in=subjects)

    def _free_at(self) -> datetime:
        """Behind those that wait already: who all come back at one moment only meet the next refusal."""
        counted = self._counted()
        first = self.quota.free_at(*counted, calls=SYNC_OPERATIONS)
        before = SyncRun.objects.filter(
            provider=Provider.GOOGLE,
            state=RunState.DEFERRED,
            defer_reason=DeferReason.BUDGET,
            available_at__gte=first,
        )
        if not self.background:
            before = before.filter(priority=Priority.MANUAL)
        calls = SYNC_OPERATIONS * (before.count() + 1)
        return max(timezone.now(), self.quota.free_at(*counted, calls=calls))

    def _counted(self) -> tuple[list[Counted], list[Counted]]:
        """The project's day and the account's part of it, by the minute."""
        counts = self._counts().filter(until__gt=Now() - DAY).order_by("until")
        rows = list(counts.values_list("subject", "until", "calls"))
        return (
            [Counted(until, calls) for subject, until, calls in rows if subject == PROJECT],
            [Counted(until, calls) for subject, until, calls in rows if subject != PROJECT],
        )


def _run(values: dict[str, Any]) -> tuple[int, datetime | None] | None:
    with database.cursor() as cursor:
        cursor.execute(TAKE, values)
        cursor.nextset()
        row: tuple[int, datetime | None] | None = cursor.fetchone()
    return row


def operations_of(account: Account, *, background: bool) -> Operations | None:
    """The ledger for one account's work; None where the project has no limit."""
    day = day_limit()
    if day is None:
        return None
    name = project_name()
    project = GoogleProject.objects.filter(name=name).first() or GoogleProject(name=name)
    quota = Quota.of(
        day.calls,
        reserve=settings.BUDGET_RESERVE if background else 0,
        weight=account.weight,
        weights=project.weights,
        scheduled=project.scheduled_operations(project.connections_count),
        own=project.scheduled_operations(
            account.connections.active().filter(provider=Provider.GOOGLE).count()
        ),
    )
    return Operations(project.name, account, quota, background)


def used_operations(project: str) -> int:
    """How many of a project's operations count now."""
    counts = OperationCount.objects.filter(project=project, subject=PROJECT, until__gt=Now() - DAY)
    return counts.aggregate(sum=Sum("calls"))["sum"] or 0
