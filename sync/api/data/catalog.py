"""`/api/campaigns`, `/api/ad-groups`, `/api/ads`: the copied entities, named by the platform's ids."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce
from rest_framework.serializers import (
    CharField,
    ChoiceField,
    DateTimeField,
    IntegerField,
    JSONField,
    UUIDField,
)

from providers.records import EntityStatus, Level
from sync.api.data.fields import WordField, platform_ids, words
from sync.api.data.known import check_asked
from sync.api.data.listing import DataView, DetailView, ListView, Orderings, detail_of, list_of
from sync.api.data.query import OfConnections
from sync.api.data.row import OfConnectionField, Row
from sync.engine.insights.plan import CATALOG
from sync.models.catalog import STATUSES
from sync.models.choices import Provider

MICROS = "Micros of the currency: 1,000,000 are one unit."
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
REMOVED: dict[str, dict[str, bool]] = {
    "false": {"removed_at__isnull": True},
    "true": {"removed_at__isnull": False},
    "all": {},
}
LOOKUPS = {
    "id": "external_id__in",
    "campaign": "campaign_external_id__in",
    "adGroup": "ad_group_external_id__in",
    "status": "status__in",
    "search": "name__icontains",
}
ORDERINGS: Orderings = {
    "connection": "connection_id",
    "id": "external_id",
    "name": "name",
    "status": "status",
    "firstSeenAt": "first_seen_at",
    "platformUpdatedAt": Coalesce("platform_updated_at", Value(LONG_AGO)),
}
BY_BUDGET: Orderings = {**ORDERINGS, "dailyBudgetMicros": Coalesce("daily_budget_micros", Value(-1))}


class EntityFilters(OfConnections):
    """Which campaigns."""

    id = platform_ids("The platform's id.")
    status = words(EntityStatus)
    removed = WordField(
        REMOVED,
        required=False,
        help_text="Whether gone at the platform: false (without this), true, or all.",
    )
    search = CharField(required=False, max_length=200, help_text="A part of the name, in any case.")


class AdGroupFilters(EntityFilters):
    """Which ad groups."""

    campaign = platform_ids("The platform's id of the campaign.")


class AdFilters(AdGroupFilters):
    """Which ads."""

    adGroup = platform_ids("The platform's id of the ad group.")


class EntityRow(Row):
    """What campaigns, ad groups and ads have in common."""

    on_request = ("raw",)

    id = CharField(source="external_id", help_text="The platform's; of a Google ad `group~ad`.")
    connectionId = UUIDField(source="connection_id")
    provider = OfConnectionField("provider", help_text=", ".join(Provider.values))
    name = CharField()
    status = ChoiceField(STATUSES)
    platformStatus = CharField(source="platform_status", help_text="The platform's own word.")
    platformCreatedAt = DateTimeField(source="platform_created_at", allow_null=True)
    platformUpdatedAt = DateTimeField(source="platform_updated_at", allow_null=True)
    firstSeenAt = DateTimeField(source="first_seen_at", help_text="By AdTiger.")
    removedAt = DateTimeField(
        source="removed_at",
        allow_null=True,
        help_text="Since when it is gone at the platform; null: it is there.",
    )
    raw = JSONField(help_text="The platform's object as it came.")


class BudgetRow(EntityRow):
    """What may have a budget and a time."""

    biddingStrategy = CharField(source="bidding_strategy")
    dailyBudgetMicros = IntegerField(source="daily_budget_micros", allow_null=True, help_text=MICROS)
    lifetimeBudgetMicros = IntegerField(source="lifetime_budget_micros", allow_null=True, help_text=MICROS)
    currency = OfConnectionField("currency", help_text="Of all money here: the ad account's.")
    startsAt = DateTimeField(source="starts_at", allow_null=True)
    endsAt = DateTimeField(source="ends_at", allow_null=True)


class CampaignRow(BudgetRow):
    """A campaign."""

    objective = CharField(help_text="Google: the advertising channel.")


class AdGroupRow(BudgetRow):
    """An ad group; Meta calls it an ad set."""

    campaignId = CharField(source="campaign_external_id")
    bidMicros = IntegerField(source="bid_micros", allow_null=True, help_text=MICROS)


class AdRow(EntityRow):
    """An ad."""

    campaignId = CharField(source="campaign_external_id")
    adGroupId = CharField(source="ad_group_external_id")
    adType = CharField(source="ad_type")
    creativeId = CharField(source="creative_external_id")


class EntityView(DataView):
    """Of which table."""

    level: ClassVar[Level]

    def queryset(self) -> QuerySet[Any, Any]:
        return CATALOG[self.level]._default_manager.filter(connection_id__in=list(self.connections))


class EntityDetailView(EntityView, DetailView):
    """One of them, also when it is removed."""

    key_column = "external_id"


class EntityListView(EntityView, ListView):
    """Those that the query is about."""

    usual_order = ["connection", "id"]
    key = ("connection_id", "external_id")  # the table's own, so a page of the usual order is a range of it

    def queryset(self) -> QuerySet[Any, Any]:
        """404 for an entity that nobody knows."""
        check_asked(self.connections, self.level, self.asked)
        wanted = {LOOKUPS[name]: value for name, value in self.asked.items() if name in LOOKUPS}
        removed = REMOVED[self.asked.get("removed", "false")]
        return super().queryset().filter(**wanted, **removed)


def _views(
    level: Level, plural: str, filters: type[EntityFilters], row: type[EntityRow], orderings: Orderings
) -> tuple[type[EntityListView], type[EntityDetailView]]:
    """Of one kind: its list, and the route of one by the platform's id."""
    noun = level.replace("_", " ")
    every = type("ListView", (EntityListView,), {"level": level, "__doc__": f"The account's {noun}s."})
    one = type("View", (EntityDetailView,), {"level": level, "__doc__": f"One {noun} by the platform's id."})
    return list_of(plural, filters, row, orderings)(every), detail_of(noun, OfConnections, row)(one)


CampaignsView, CampaignView = _views(Level.CAMPAIGN, "campaigns", EntityFilters, CampaignRow, BY_BUDGET)
AdGroupsView, AdGroupView = _views(Level.AD_GROUP, "ad-groups", AdGroupFilters, AdGroupRow, BY_BUDGET)
AdsView, AdView = _views(Level.AD, "ads", AdFilters, AdRow, ORDERINGS)
