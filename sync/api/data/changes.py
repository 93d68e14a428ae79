"""`/api/changes`: what the syncs found changed, field by field, the newest first."""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Func, OuterRef, QuerySet
from rest_framework.serializers import (
    CharField,
    ChoiceField,
    DateTimeField,
    IntegerField,
    JSONField,
    UUIDField,
)

from sync.api.data.catalog import AdGroupRow, AdRow, CampaignRow
from sync.api.data.fields import own_ids, platform_ids, words
from sync.api.data.keyset import behind
from sync.api.data.known import check_changed, check_runs
from sync.api.data.listing import ListView, Orderings, list_of
from sync.api.data.query import During, OfConnections
from sync.api.data.row import OfConnectionField, Row
from sync.changes import FIELDS
from sync.models import Change, Connection
from sync.models.choices import ChangeAction, EntityKind

NAMES = {
    str(field.source): name
    for row in (CampaignRow, AdGroupRow, AdRow)
    for name, field in row().fields.items()
}
COLUMNS = {NAMES[column]: column for column in FIELDS}  # by the name that the entity's own route gives it
LOOKUPS = {
    "entity": "entity__in",
    "entityId": "external_id__in",
    "action": "action__in",
    "run": "run_id__in",
    "by": "by",
    "since": "seen_at__gte",
    "until": "seen_at__lt",
}
ORDERINGS: Orderings = {"seenAt": "seen_at"}


class ChangeFilters(During, OfConnections):
    """Which changes. `since` and `until` are about when they were seen."""

    entity = words(EntityKind.values)
    entityId = platform_ids("The platform's id of the entity.")
    action = words(ChangeAction.values)
    field = words(COLUMNS, "Which field differed.")
    run = own_ids("The run that saw it first.")
    by = CharField(required=False, max_length=120, help_text="Who did it, where the platform tells.")


class FieldName(CharField):
    """A column by the name that the entity's own route gives it."""

    def to_representation(self, value: str) -> str:
        return NAMES.get(value, value)


class ChangeRow(Row):
    """One field that differed between two syncs; or an entity's coming, going or return."""

    id = IntegerField()
    seenAt = DateTimeField(source="seen_at", help_text="When AdTiger saw it.")
    connectionId = UUIDField(source="connection_id")
    provider = OfConnectionField("provider")
    entity = ChoiceField(EntityKind.choices)
    entityId = CharField(source="external_id", help_text="The platform's.")
    action = ChoiceField(ChangeAction.choices)
    field = FieldName(help_text="As the entity's own route calls it; empty unless `updated`.")
    old = JSONField(help_text="Money in micros of the currency.")
    new = JSONField()
    currency = OfConnectionField("currency")
    by = CharField(help_text="Who did it, where the platform tells; else empty.")
    runId = UUIDField(source="run_id", help_text="The run that saw it. Runs are not kept as long.")


@list_of("changes", ChangeFilters, ChangeRow, ORDERINGS)
class ChangesView(ListView):
    """What was found changed."""

    usual_order = ["-seenAt"]
    key = ("seen_at", "id")

    def queryset(self) -> QuerySet[Any, Any]:
        return self._wanted().filter(connection_id__in=list(self.connections))

    def first(self, place: list[Any] | None, count: int) -> QuerySet[Any, Any]:
        """The first of each ad account, and of these the first: each is a short range of an index.

        Else the whole history of all of them would be sorted for every page.
        """
        if "run" in self.asked:
            return super().first(place, count)
        # A range of one, in whose order the ad account stands first: the planner would take an equality for
        # a reason to read everybody's changes in the order of time until enough are of this ad account.
        one = self._wanted().filter(connection_id__gte=OuterRef("pk"), connection_id__lte=OuterRef("pk"))
        turned = (
            "connection_id" if self.order.descending[0] else "-connection_id"
        )  # as the index is, or reversed
        one = behind(one, self.order, place).order_by(turned, *self.order.expressions)[:count]
        mine = Connection.objects.filter(pk__in=list(self.connections))
        of_each = mine.annotate(newest=ArraySubquery(one.values("pk")))
        ids = of_each.values(change=Func(F("newest"), function="unnest"))
        return Change.objects.filter(pk__in=ids).order_by(*self.order.expressions)[:count]

    def _wanted(self) -> QuerySet[Any, Any]:
        """Anybody's that fit the filters; 404 for an entity or a run that nobody knows."""
        check_changed(self.connections, self.asked.get("entityId", ()))
        check_runs(self.connections, self.asked.get("run", ()))
        wanted = {LOOKUPS[name]: value for name, value in self.asked.items() if name in LOOKUPS}
        if "field" in self.asked:
            wanted["field__in"] = [COLUMNS[name] for name in self.asked["field"]]
        return Change.objects.filter(**wanted)
