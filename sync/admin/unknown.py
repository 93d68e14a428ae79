"""What the platforms send that AdTiger does not know: error codes, and words and keys of their answers.

Deleting one clears it, until it is met again.
"""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from sync.admin.base import Admin, display
from sync.admin.filters import ChoicesDropdownFilter
from sync.admin.words import moment
from sync.models import Drift, UnknownCode


class CountedAdmin(Admin):
    """They are counted by the workers: nothing is added or changed here."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @display(description="First seen", ordering="first_seen_at")
    def first_seen(self, counted: Drift | UnknownCode) -> str:
        return moment(counted.first_seen_at)

    @display(description="Last seen", ordering="last_seen_at")
    def last_seen(self, counted: Drift | UnknownCode) -> str:
        return moment(counted.last_seen_at)


@admin.register(UnknownCode)
class UnknownCodeAdmin(CountedAdmin):
    """Error codes."""

    list_display = (
        "platform_code",
        "provider",
        "http_status",
        "count",
        "first_seen",
        "last_seen",
        "last_trace_id",
    )
    list_filter = (("provider", ChoicesDropdownFilter),)
    search_fields = ("platform_code", "last_trace_id")
    fields = list_display


@admin.register(Drift)
class DriftAdmin(CountedAdmin):
    """Words and keys."""

    list_display = ("value", "place", "kind", "provider", "count", "first_seen", "last_seen")
    list_filter = (("provider", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter))
    search_fields = ("place", "value")
    fields = list_display
