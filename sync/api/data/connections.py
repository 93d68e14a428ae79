"""`/api/connections`: the account's ad accounts."""

from typing import Any

from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce
from rest_framework.serializers import CharField, ChoiceField, DateTimeField, UUIDField

from sync.api.data.catalog import LONG_AGO
from sync.api.data.fields import platform_ids, words
from sync.api.data.listing import DataView, DetailView, ListView, Orderings, detail_of, list_of
from sync.api.data.query import Nothing, OfProviders
from sync.api.data.row import Row
from sync.models import Connection
from sync.models.choices import Provider
from sync.models.connection import CONDITIONS

ORDERINGS: Orderings = {
    "id": "id",
    "name": "name",
    "externalId": "external_id",
    "createdAt": "created_at",
    "lastSyncAt": Coalesce("last_sync_at", Value(LONG_AGO)),
}

LOOKUPS = {"externalId": "external_id__in", "status": "told_condition__in", "search": "name__icontains"}


class ConnectionFilters(OfProviders):
    """Which ad accounts."""

    externalId = platform_ids("The platform's id of the ad account.")
    status = words(CONDITIONS)
    search = CharField(required=False, max_length=200, help_text="A part of the name, in any case.")


class ConnectionRow(Row):
    """An ad account."""

    id = UUIDField()
    provider = ChoiceField(Provider.choices)
    externalId = CharField(source="external_id", help_text="Meta: `act_` and digits. Google: ten digits.")
    name = CharField()
    status = ChoiceField(CONDITIONS, source="told_condition", help_text="What stands in the way first.")
    currency = CharField(help_text="Of all money of the ad account, by ISO 4217; empty until the first sync.")
    timeZone = CharField(source="time_zone", help_text="In which its days begin; empty until the first sync.")
    attribution = CharField(help_text="By which rule conversions are counted; empty: the platform's own.")
    lastSyncAt = DateTimeField(source="last_sync_at", allow_null=True)
    lastFullSyncAt = DateTimeField(source="last_full_sync_at", allow_null=True)
    nextSyncAt = DateTimeField(source="told_next_sync_at", allow_null=True)
    createdAt = DateTimeField(source="created_at")


class OwnView(DataView):
    """The account's own."""

    def queryset(self) -> QuerySet[Any, Any]:
        return Connection.objects.filter(pk__in=list(self.connections)).with_condition()


@list_of("connections", ConnectionFilters, ConnectionRow, ORDERINGS)
class ConnectionsView(OwnView, ListView):
    """The account's ad accounts."""

    usual_order = ["id"]
    key = ("id",)

    def queryset(self) -> QuerySet[Any, Any]:
        wanted = {LOOKUPS[name]: value for name, value in self.asked.items() if name in LOOKUPS}
        return super().queryset().filter(**wanted)


@detail_of("connection", Nothing, ConnectionRow)
class ConnectionView(OwnView, DetailView):
    """One ad account by our id."""

    key_column = "id"
