"""The copied campaigns, ad groups and ads.

The columns are the fields of `providers.records` in the same order; the merge relies on it. Parents
are named by the platform's ids, not by foreign keys: a child may arrive before its parent.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from providers.records import EntityStatus
from sync.models.choices import ChangeAction, EntityKind
from sync.models.connection import Connection

STATUSES = [(status.value, status.name.title()) for status in EntityStatus]


def _moment() -> "models.DateTimeField[datetime | None, datetime | None]":
    return models.DateTimeField(null=True, blank=True)


class Entity(models.Model):
    """What campaigns, ad groups and ads have in common."""

    connection = models.ForeignKey(Connection, models.CASCADE, db_index=False)  # its key begins with it
    external_id = models.CharField(max_length=80)
    name = models.TextField()
    status = models.CharField(max_length=10, choices=STATUSES)
    platform_status = models.TextField()
    platform_created_at = _moment()
    platform_updated_at = _moment()
    raw: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()
    first_seen_at = models.DateTimeField(db_default=Now())
    removed_at = _moment()  # set when a full pass no longer finds it; it returns if it returns

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


def _key(name: str) -> models.UniqueConstraint:
    return models.UniqueConstraint(fields=["connection", "external_id"], name=name)


class Campaign(Entity):
    """One campaign."""

    objective = models.TextField(blank=True)
    bidding_strategy = models.TextField(blank=True)
    daily_budget_micros = models.BigIntegerField(null=True, blank=True)
    lifetime_budget_micros = models.BigIntegerField(null=True, blank=True)
    starts_at = _moment()
    ends_at = _moment()

    class Meta:
        constraints = [_key("campaign_key")]


class AdGroup(Entity):
    """One ad group; Meta calls it an ad set."""

    campaign_external_id = models.CharField(max_length=80)
    bidding_strategy = models.TextField(blank=True)
    bid_micros = models.BigIntegerField(null=True, blank=True)
    daily_budget_micros = models.BigIntegerField(null=True, blank=True)
    lifetime_budget_micros = models.BigIntegerField(null=True, blank=True)
    starts_at = _moment()
    ends_at = _moment()

    class Meta:
        constraints = [_key("ad_group_key")]
        indexes = [models.Index(fields=["connection", "campaign_external_id"], name="ad_group_campaign")]


class Ad(Entity):
    """One ad."""

    campaign_external_id = models.CharField(max_length=80)
    ad_group_external_id = models.CharField(max_length=80)
    ad_type = models.TextField(blank=True)
    creative_external_id = models.TextField(blank=True)

    class Meta:
        constraints = [_key("ad_key")]
        indexes = [
            models.Index(fields=["connection", "ad_group_external_id"], name="ad_ad_group"),
            models.Index(fields=["connection", "campaign_external_id"], name="ad_campaign"),
        ]


class Change(models.Model):
    """One field of one entity that differed between two syncs; or its coming, going or return.

    `run_id` is no foreign key: changes are kept longer than runs.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="changes", db_index=False)
    run_id: "models.UUIDField[UUID, UUID]" = models.UUIDField()
    entity = models.CharField(max_length=10, choices=EntityKind)
    external_id = models.CharField(max_length=80)
    action = models.CharField(max_length=10, choices=ChangeAction)
    field = models.CharField(max_length=40, blank=True)
    old: "models.JSONField[Any, Any]" = models.JSONField(null=True)
    new: "models.JSONField[Any, Any]" = models.JSONField(null=True)
    by = models.CharField(
        max_length=120,
        blank=True,
        default="",
        db_default="",
        help_text="Who did it, where the platform tells; no person's name or address in clear.",
    )
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["run_id"], name="change_of_run"),
            models.Index(fields=["connection", "-seen_at", "-id"], name="change_newest_first"),
            models.Index(fields=["connection", "entity", "external_id"], name="change_of_entity"),
            models.Index(fields=["seen_at"], name="change_age"),
        ]

    def __str__(self) -> str:
        return f"{self.entity} {self.external_id} {self.action} {self.field}".strip()


class SeenIds(models.Model):
    """The ids that one chunk of a full pass saw, committed with it and dropped with the run's end.

    What a pass did not see may be gone; the set survives a resume.
    """

    run = models.ForeignKey("SyncRun", models.CASCADE, related_name="seen", db_index=False)
    entity = models.CharField(max_length=10, choices=EntityKind)
    external_ids: "ArrayField[list[str], list[str]]" = ArrayField(models.TextField())

    class Meta:
        indexes = [models.Index(fields=["run", "entity"], name="seen_of_run")]

    def __str__(self) -> str:
        return f"{self.run_id}: {len(self.external_ids)} {self.entity}"
