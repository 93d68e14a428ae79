"""The runs that do what was asked for: queue entry and history in one row."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from providers.records import Stream
from sync.models.account import Account
from sync.models.base import TimeOrdered
from sync.models.choices import (
    ENDED,
    OPEN,
    DeferReason,
    Health,
    Kind,
    Mode,
    Priority,
    Provider,
    RunState,
    Trigger,
)
from sync.models.connection import Connection, default_region
from sync.models.request import SyncRequest
from sync.models.run_queries import SyncRunQuerySet


def _names() -> "models.JSONField[list[str], list[str]]":
    return models.JSONField(default=list, db_default=[], blank=True)


class SyncRun(TimeOrdered):
    """One requested sync of one connection. Every change of state is one conditional UPDATE."""

    # these two begin indexes below, and every change of state writes to every index of the table
    account = models.ForeignKey(Account, models.CASCADE, related_name="runs", db_index=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="runs", db_index=False)
    request = models.ForeignKey(SyncRequest, models.CASCADE, related_name="made_runs")
    provider = models.CharField(max_length=10, choices=Provider)
    region = models.CharField(max_length=20, default=default_region)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.CAMPAIGNS)
    mode = models.CharField(max_length=12, choices=Mode, default=Mode.FULL)
    trigger = models.CharField(max_length=10, choices=Trigger)
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.SCHEDULED)
    # kept by triggers, for the claim: the class with ageing, when it rises, whether a condition is in the way
    rank = models.PositiveSmallIntegerField(db_default=0, editable=False)
    rises_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True, editable=False
    )
    is_held = models.BooleanField(db_default=False, editable=False)
    campaign_ids: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list, blank=True)
    ad_group_ids = _names()
    ad_ids = _names()
    levels = _names()  # of insights; none: each
    date_from: "models.DateField[date | None, date | None]" = models.DateField(null=True, blank=True)
    date_to: "models.DateField[date | None, date | None]" = models.DateField(null=True, blank=True)

    state = models.CharField(max_length=10, choices=RunState, default=RunState.QUEUED)
    created_at = models.DateTimeField(auto_now_add=True)
    queued_at = models.DateTimeField(help_text="Since when it is due: its age in the queue.")
    available_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True, blank=True
    )
    defer_reason = models.CharField(max_length=10, choices=DeferReason, blank=True)
    waiting_for = models.CharField(max_length=200, blank=True, help_text="Why it is deferred, in words.")
    started_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True, blank=True
    )
    finished_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True, blank=True
    )
    cancel_requested_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True, blank=True
    )

    lease_token: "models.UUIDField[UUID | None, UUID | None]" = models.UUIDField(null=True, blank=True)
    lease_expires_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True, blank=True
    )
    worker = models.CharField(max_length=120, blank=True)
    starts_without_progress = models.PositiveSmallIntegerField(default=0)
    failed_attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField()

    checkpoint: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(
        default=dict, blank=True
    )
    report_ids: "ArrayField[list[str], list[str]]" = ArrayField(
        models.CharField(max_length=40),
        default=list,
        db_default=[],
        blank=True,
        editable=False,
        help_text="The platform's reports that it waits for.",
    )
    expected: "models.JSONField[dict[str, int], dict[str, int]]" = models.JSONField(default=dict, blank=True)
    campaigns_count = models.PositiveIntegerField(default=0)
    ad_groups_count = models.PositiveIntegerField(default=0)
    ads_count = models.PositiveIntegerField(default=0)
    insights_count = models.PositiveIntegerField(default=0)
    changes: "models.JSONField[dict[str, int], dict[str, int]]" = models.JSONField(default=dict, blank=True)
    calls = models.PositiveIntegerField(default=0)
    access_issues = _names()  # what the platform did not let it read, in words
    data_discrepancies = _names()  # what does not add up in what it read, in words

    error_category = models.CharField(max_length=20, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    platform_code = models.CharField(max_length=80, blank=True, db_default="", default="")
    trace_id = models.CharField(max_length=80, blank=True, db_default="", default="")
    resolved_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True, blank=True, help_text="When a person marked the dead letter as done."
    )

    objects = SyncRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=Q(state=RunState.RUNNING),
                name="one_running_run_per_connection",
            ),
            models.CheckConstraint(
                name="run_leased_while_running",
                condition=Q(
                    state=RunState.RUNNING,
                    lease_token__isnull=False,
                    lease_expires_at__isnull=False,
                    started_at__isnull=False,
                )
                | (~Q(state=RunState.RUNNING) & Q(lease_token=None, lease_expires_at=None)),
            ),
            models.CheckConstraint(
                name="run_finished_when_ended",
                condition=Q(state__in=ENDED, finished_at__isnull=False) | Q(state__in=OPEN, finished_at=None),
            ),
            models.CheckConstraint(
                name="run_deferred_until_when_and_why",
                condition=(Q(state=RunState.DEFERRED, available_at__isnull=False) & ~Q(defer_reason=""))
                | (~Q(state=RunState.DEFERRED) & Q(available_at=None, defer_reason="")),
            ),
            models.CheckConstraint(
                name="run_days_from_to",
                condition=Q(date_from=None, date_to=None)
                | Q(date_from__isnull=False, date_to__gte=F("date_from")),
            ),
            models.CheckConstraint(name="run_state_known", condition=Q(state__in=RunState.values)),
            models.CheckConstraint(name="run_priority_known", condition=Q(priority__in=Priority.values)),
            models.CheckConstraint(
                name="run_attempts_bounded", condition=Q(failed_attempts__lte=F("max_attempts"))
            ),
        ]
        indexes = [
            # the claim and the position: one lane's runs, oldest first
            models.Index(
                fields=["provider", "region", "account", "rank", "kind", "queued_at", "id"],
                condition=Q(state=RunState.QUEUED, is_held=False),
                name="run_claimable",
            ),
            # which have waited past their patience
            models.Index(
                fields=["provider", "region", "rises_at"],
                condition=Q(state=RunState.QUEUED, is_held=False, rank__gt=0),
                name="run_patient",
            ),
            # counts of what is due, and what a race may have left held
            models.Index(
                fields=["provider", "region", "is_held", "connection"],
                condition=Q(state=RunState.QUEUED),
                name="run_due",
            ),
            # the slots in use, among them the leases that expired: to renew one writes to no index
            models.Index(
                fields=["provider", "region"], condition=Q(state=RunState.RUNNING), name="run_in_slot"
            ),
            # what becomes due
            models.Index(
                fields=["provider", "region", "available_at"],
                condition=Q(state=RunState.DEFERRED),
                name="run_deferred",
            ),
            # joining, and "is anything open for this connection"
            models.Index(fields=["connection"], condition=Q(state__in=OPEN), name="run_open"),
            # history: by account, by account and provider, by connection; newest first
            models.Index(fields=["account", "-created_at"], name="run_account_newest"),
            models.Index(fields=["account", "provider", "-created_at"], name="run_account_provider_newest"),
            models.Index(fields=["connection", "-created_at"], name="run_connection_newest"),
            # dead letters, by age
            models.Index(
                fields=["-finished_at"],
                condition=Q(state=RunState.FAILED, resolved_at=None),
                name="run_dead_letters",
            ),
            # recent failures
            models.Index(
                fields=["account", "-finished_at"],
                condition=Q(state=RunState.FAILED),
                name="run_failed_newest",
            ),
            # whose report a platform tells to be ready
            GinIndex(
                fields=["report_ids"],
                condition=Q(state=RunState.DEFERRED, defer_reason=DeferReason.REPORT),
                fastupdate=False,
                name="run_reports",
            ),
            # clean-up
            models.Index(fields=["finished_at"], condition=Q(finished_at__isnull=False), name="run_finished"),
            # an account's own figures: what ended since the daily statistic
            models.Index(
                fields=["account", "finished_at"],
                condition=Q(finished_at__isnull=False),
                name="run_account_finished",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def is_open(self) -> bool:
        """Not ended yet."""
        return self.state in OPEN

    @property
    def is_dead_letter(self) -> bool:
        """Failed for good, and no person is done with it."""
        return self.state == RunState.FAILED and self.resolved_at is None

    @property
    def health(self) -> Health:
        """Whether what was asked for is there, and adds up."""
        if self.state == RunState.FAILED and not self.records_count:
            return Health.UNHEALTHY
        fails = self.state in (RunState.FAILED, RunState.CANCELLED) or self.failed_attempts
        has_ended_well = self.state == RunState.SUCCEEDED and not (
            self.access_issues or self.data_discrepancies
        )
        return Health.HEALTHY if has_ended_well or (self.is_open and not fails) else Health.PARTIAL

    @property
    def records_count(self) -> int:
        """Records copied so far."""
        return self.campaigns_count + self.ad_groups_count + self.ads_count + self.insights_count

    @property
    def task(self) -> str:
        """What it reads, in words: `campaigns (incremental)`, `ads (3 chosen)`."""
        ids = len(self.campaign_ids) + len(self.ad_group_ids) + len(self.ad_ids)
        if self.kind == Kind.INSIGHTS:
            days = f"{self.date_from} to {self.date_to}" if self.date_from else "what is due"
            return f"{self.kind} ({', '.join([days, *self.levels])})"
        return f"{self.kind} ({f'{ids} chosen' if ids else self.mode})"

    @property
    def progress(self) -> int:
        """Percent done, 0-100; below 100 until it succeeded.

        The streams count alike, and the current one by its records over those expected: a later
        stream's size is not known before it is read.
        """
        if self.state == RunState.SUCCEEDED:
            return 100
        if self.kind == Kind.INSIGHTS:
            return int(self.checkpoint.get("percent", 0))
        if "stream" not in self.checkpoint:
            return 0
        if "finished" in self.checkpoint:
            return 99
        stream = Stream(self.checkpoint["stream"])
        expected, copied = self.expected.get(stream, 0), getattr(self, f"{stream}_count")
        part = min(1.0, copied / expected) if expected else 0.0
        streams = list(Stream)
        return min(99, int(100 * (streams.index(stream) + part) / len(streams)))

    @property
    def stage(self) -> str:
        """What it is doing now, e.g. `fetching_ads`; for a run that ended or waits, its state."""
        if self.state != RunState.RUNNING:
            return self.state
        if self.kind == Kind.INSIGHTS:
            return "fetching_insights"
        if "finished" in self.checkpoint:
            return "checking_removals"
        return f"fetching_{self.checkpoint.get('stream', 'campaigns')}"


class DeadLetter(SyncRun):
    """A run that failed for good, by a name of its own: for a page of its own in the admin."""

    class Meta:
        proxy = True
