"""Call limits: set, changed and cleared at run time, with all that held before."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from sync.admin.base import Admin, display, operator
from sync.admin.filters import AutocompleteSelectFilter, ChoicesDropdownFilter, Options, Rows
from sync.admin.words import moment
from sync.engine.set_limits import clear_limits, set_limits
from sync.models import CallLimit

CHANGEABLE = ("calls", "reason")


class LimitForm(ModelForm):  # type: ignore[type-arg]  # takes none at run time
    """Setting what holds already replaces it, and is no mistake."""

    def validate_constraints(self) -> None:
        """Left to the model's own words, and to who sets it."""


class HoldingFilter(Options):
    """Those that hold, or those that held."""

    title = "time"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("now", "Holds now"), ("past", "Ended")]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        if self.value() not in ("now", "past"):
            return queryset
        return queryset.filter(ended_at__isnull=self.value() == "now")


@admin.register(CallLimit)
class CallLimitAdmin(Admin):
    """Changing one ends it and sets another; deleting one ends it, so that the default holds again."""

    form = LimitForm
    list_display = ("what", "on", "by", "since", "ended", "reason")
    list_display_links = ("what",)
    list_select_related = ("plan", "account")
    list_filter = (
        HoldingFilter,
        ("scope", ChoicesDropdownFilter),
        ("provider", ChoicesDropdownFilter),
        ("account", AutocompleteSelectFilter),
    )
    search_fields = ("external_id", "account__name", "plan__name", "set_by", "reason")
    search_help_text = "Ad account, account, plan, who or why"
    ordering = ("-ended_at", "-set_at", "-pk")  # PostgreSQL puts what has no end first
    fields = ("scope", "provider", "plan", "account", "external_id", "use_case", "calls", "seconds", "reason")
    autocomplete_fields = ("plan", "account")

    def get_readonly_fields(self, request: HttpRequest, obj: CallLimit | None = None) -> tuple[str, ...]:
        """What it is about stays: for something else, set another."""
        fixed = [name for name in self.fields if name not in CHANGEABLE]
        return (*fixed, "by", "since", "ended") if obj else ()

    def get_fields(self, request: HttpRequest, obj: CallLimit | None = None) -> tuple[str, ...]:
        return (*self.fields, "by", "since", "ended") if obj else self.fields

    def has_change_permission(self, request: HttpRequest, obj: CallLimit | None = None) -> bool:
        return _holds(obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: CallLimit | None = None) -> bool:
        return _holds(obj) and bool(super().has_delete_permission(request, obj))

    def save_model(
        self, request: HttpRequest, obj: CallLimit, form: "ModelForm[CallLimit]", change: bool
    ) -> None:
        set_limits([obj], by=operator(request).get_username())

    def delete_model(self, request: HttpRequest, obj: CallLimit) -> None:
        self.delete_queryset(request, CallLimit.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[CallLimit]") -> None:
        limits = CallLimit.objects.filter(pk__in=queryset.values("pk"))
        clear_limits(limits, by=operator(request).get_username())

    @display(description="Limit")
    def what(self, limit: CallLimit) -> str:
        return str(limit.window)

    @display(description="For")
    def on(self, limit: CallLimit) -> str:
        return limit.subject

    @display(description="Set by", ordering="set_by")
    def by(self, limit: CallLimit) -> str:
        return limit.set_by

    @display(description="Since", ordering="set_at")
    def since(self, limit: CallLimit) -> str:
        return moment(limit.set_at)

    @display(description="Ended", ordering="ended_at")
    def ended(self, limit: CallLimit) -> str:
        return f"{moment(limit.ended_at)} by {limit.ended_by}" if limit.ended_at else "-"


def _holds(limit: CallLimit | None) -> bool:
    return limit is None or limit.ended_at is None
