"""What the platforms send that AdTiger does not know. Deleting one clears it, until it is met again."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from sync.admin.base import Admin, display
from sync.admin.filters import ChoicesDropdownFilter
from sync.admin.words import moment
from sync.models import Drift


@admin.register(Drift)
class DriftAdmin(Admin):
    """They are counted by the workers: nothing is added or changed here."""

    list_display = ("value", "place", "kind", "provider", "count", "first_seen", "last_seen")
    list_filter = (("provider", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter))
    search_fields = ("place", "value")
    fields = list_display

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @display(description="First seen", ordering="first_seen_at")
    def first_seen(self, drift: Drift) -> str:
        return moment(drift.first_seen_at)

    @display(description="Last seen", ordering="last_seen_at")
    def last_seen(self, drift: Drift) -> str:
        return moment(drift.last_seen_at)
