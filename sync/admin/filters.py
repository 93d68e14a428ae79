"""The filters that several lists share.

They are unfold's form filters; the template that these want stands in `templates/unfold/filters`.
"""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter

from providers.errors import Category
from sync.admin.words import spoken
from sync.models.connection import CONDITIONS, ConnectionQuerySet

__all__ = [
    "AutocompleteSelectFilter",
    "ChoicesDropdownFilter",
    "ConditionFilter",
    "ErrorFilter",
    "Options",
    "RemovedFilter",
    "SinceFilter",
]

Rows = QuerySet[Any]


class Options(DropdownFilter):
    """A drop-down with answers of our own."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        raise NotImplementedError


class SinceFilter(Options):
    """What was made lately. Subclasses name the column."""

    title = "time"
    parameter_name = "since"
    column = "created_at"
    spans = {
        "1h": ("Last hour", timedelta(hours=1)),
        "24h": ("Last 24 hours", timedelta(days=1)),
        "7d": ("Last 7 days", timedelta(days=7)),
        "30d": ("Last 30 days", timedelta(days=30)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, name) for key, (name, _) in self.spans.items()]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        if (chosen := self.spans.get(self.value())) is None:
            return queryset
        return queryset.filter(**{f"{self.column}__gte": timezone.now() - chosen[1]})


class SeenSinceFilter(SinceFilter):
    """The same for changes."""

    column = "seen_at"


class ErrorFilter(Options):
    """The category of what went wrong."""

    title = "error category"
    parameter_name = "error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(category.value, category.value) for category in Category]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        return queryset.filter(error_category=self.value()) if self.value() else queryset


class ConditionFilter(Options):
    """What stands in a connection's way."""

    title = "status"
    parameter_name = "condition"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, spoken(word).capitalize()) for word in CONDITIONS]

    def queryset(self, request: HttpRequest, queryset: ConnectionQuerySet) -> ConnectionQuerySet:
        chosen = {"told_condition": self.value()}
        return queryset.with_condition().filter(**chosen) if self.value() else queryset


class RemovedFilter(Options):
    """Whether the platform still has it."""

    title = "presence"
    parameter_name = "removed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "At the platform"), ("yes", "Removed")]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(removed_at__isnull=self.value() == "no")
