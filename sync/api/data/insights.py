"""`/api/insights`: daily metrics, and their totals. Money of two currencies is never added."""

from datetime import date
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import cached_property
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.serializers import (
    CharField,
    DateField,
    DateTimeField,
    IntegerField,
    JSONField,
    ListField,
    UUIDField,
)

from providers.records import Level
from sync.api.data.completeness import CompletenessSerializer, completeness
from sync.api.data.fields import WordField, platform_ids
from sync.api.data.keyset import Order
from sync.api.data.known import check_asked
from sync.api.data.listing import ListView, list_of
from sync.api.data.metrics import ORDERINGS, MetricsRow, of_all, of_each
from sync.api.data.period import RANGES, Days, period
from sync.api.data.query import OfConnections, Query
from sync.api.data.row import OfConnectionField
from sync.models import Insight

LOOKUPS = {
    "id": "external_id__in",
    "campaign": "campaign_external_id__in",
    "adGroup": "ad_group_external_id__in",
}
NARROWED = {  # to which parents the metrics of a level can be narrowed
    Level.ACCOUNT: set(),
    Level.CAMPAIGN: set(),
    Level.AD_GROUP: {"campaign"},
    Level.AD: {"campaign", "adGroup"},
}
GROUPS = {  # by what the totals are: the columns that tell one from another
    "entity": ("connection_id", "external_id", "currency"),
    "day": ("day", "currency"),
    "all": ("currency",),
}
BY = {"connection": "connection_id", "day": "day", "id": "external_id", "currency": "currency"}


class LevelFilters(OfConnections):
    """Of which entities."""

    level = WordField(list(Level), help_text=f"One of {', '.join(Level)}.")
    id = platform_ids("The platform's id of an entity of the level.")
    campaign = platform_ids("The platform's id of the campaign; at the levels below it.")
    adGroup = platform_ids("The platform's id of the ad group; at the level of ads.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name in {"campaign", "adGroup"} & set(attrs) - NARROWED[attrs["level"]]:
            raise serializers.ValidationError({name: f"Metrics of level {attrs['level']} lie in none."})
        return attrs


def _during(filters: type[LevelFilters], **more: serializers.Field[Any, Any, Any, Any]) -> Query:
    """With the days, whose names are words of Python."""
    message = "Send a day such as 2026-11-24."
    days = {
        name: DateField(required=False, help_text=help_text, error_messages={"invalid": message})
        for name, help_text in (("from", "The first day."), ("to", "The last day; today without it."))
    }
    word = WordField(RANGES, required=False, help_text=f"Instead of from and to: {', '.join(RANGES)}.")
    return type("InsightFilters", (filters,), {**days, "range": word, **more, "__doc__": filters.__doc__})


class ByTypeField(JSONField):
    """Conversions by type, in the API's spelling."""

    def to_representation(self, value: Any) -> Any:
        return {kind: _told(one) for kind, one in value.items()}


def _told(one: dict[str, Any]) -> dict[str, Any]:
    return {"valueMicros" if name == "value_micros" else name: value for name, value in one.items()}


class InsightRow(MetricsRow):
    """One entity's metrics of one day. No row: nothing was delivered, or the day is a gap."""

    on_request = ("conversionsByType", "extra")

    day = DateField(help_text="Of the ad account's time zone.")
    id = CharField(source="external_id", help_text="The platform's id of the entity, or the ad account.")
    connectionId = UUIDField(source="connection_id")
    provider = OfConnectionField("provider")
    campaignId = CharField(source="campaign_external_id", help_text="Empty above that level.")
    adGroupId = CharField(source="ad_group_external_id", help_text="Empty above that level.")
    currency = CharField()
    attribution = CharField(help_text="By which rule conversions were counted.")
    reach = IntegerField(allow_null=True, help_text="People; they can't be added up. Null: not measured.")
    updatedAt = DateTimeField(source="updated_at", help_text="When a metric differed last.")
    conversionsByType = ByTypeField(source="conversions_by_type")
    extra = JSONField(help_text="The platform's other metrics, under its own names.")


class TotalRow(MetricsRow):
    """Metrics of several days together, in one currency."""

    day = DateField(allow_null=True, help_text="Null unless by day.")
    id = CharField(source="external_id", allow_null=True, help_text="Null unless by entity.")
    connectionId = UUIDField(source="connection_id", allow_null=True, help_text="Null unless by entity.")
    currency = CharField(help_text="Of all money here: one total per currency.")
    attributions = ListField(child=CharField(), help_text="By which rules conversions were counted.")


class OfDaysView(ListView):
    """What both lists tell: rows of some days, and how complete these are."""

    beside = {
        "level": CharField(),
        "from": DateField(),
        "to": DateField(),
        "completeness": CompletenessSerializer(many=True),
    }

    @cached_property
    def days(self) -> Days:
        """From when to when, both included: on further pages as on the first, though midnight went by."""
        days = period(self.asked, self.connections.values(), timezone.now())
        if not self.kept:
            return days
        since, until = map(date.fromisoformat, self.kept)
        return self.asked.get("from", since), self.asked.get("to", until)

    def to_keep(self) -> list[Any]:
        return list(self.days)

    def told_beside(self) -> dict[str, Any]:
        level, (since, until) = self.asked["level"], self.days
        days = completeness(self.connections.values(), level, self.days)
        told = CompletenessSerializer(days, many=True).data
        return {"level": level, "from": since, "to": until, "completeness": told}

    def of_days(self) -> QuerySet[Any, Any]:
        """The rows of the level and the days; 404 for an entity that nobody knows."""
        check_asked(self.connections, Level(self.asked["level"]), self.asked, measured=True)
        wanted = {LOOKUPS[name]: value for name, value in self.asked.items() if name in LOOKUPS}
        own = Insight.objects.filter(connection_id__in=list(self.connections), level=self.asked["level"])
        return own.filter(day__range=self.days, **wanted)


@list_of(
    "insights",
    _during(LevelFilters),
    InsightRow,
    {"connection": "connection_id", "day": "day", "id": "external_id", **ORDERINGS},
)
class InsightsView(OfDaysView):
    """Daily metrics of one level."""

    usual_order = ["connection", "day", "id"]
    key = ("connection_id", "day", "external_id")  # the table's own, behind the level

    def queryset(self) -> QuerySet[Any, Any]:
        return of_each(self.of_days())


@list_of(
    "insights-totals",
    _during(LevelFilters, by=WordField(GROUPS, help_text=f"One of {', '.join(GROUPS)}.")),
    TotalRow,
    {**BY, **ORDERINGS},
)
class InsightTotalsView(OfDaysView):
    """Metrics added up, by entity, by day or all: one total per currency."""

    @cached_property
    def group(self) -> tuple[str, ...]:
        """The columns that tell one total from another."""
        return GROUPS[self.asked["by"]]

    @cached_property
    def order(self) -> Order:
        usual = [word for word, column in BY.items() if column in self.group]
        for word in (one.removeprefix("-") for one in self.asked.get("ordering", ())):
            if word in BY and word not in usual:
                raise ValidationError({"ordering": f"Totals by {self.asked['by']} have no {word}."})
        return self.ordered(usual, self.group)

    def queryset(self) -> QuerySet[Any, Any]:
        groups = of_all(self.of_days().order_by().values(*self.group))
        told: QuerySet[Any, Any] = groups.annotate(attributions=ArrayAgg("attribution", distinct=True))
        return told

    def selected(self, queryset: QuerySet[Any, Any], columns: set[str]) -> QuerySet[Any, Any]:
        """Without what is of one row only: a group has none."""
        return super().selected(queryset, columns - (set(BY.values()) - set(self.group)))
