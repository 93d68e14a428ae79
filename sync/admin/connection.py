"""Connections: their condition, their next sync, and the buttons that sync, pause and resume them."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ChoiceField, ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from redis.exceptions import RedisError
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget

from providers.registry import ATTRIBUTIONS
from sync.admin.base import action, display, leave
from sync.admin.filters import AutocompleteSelectFilter, ChoicesDropdownFilter, ConditionFilter
from sync.admin.pausing import PausableAdmin
from sync.admin.start import start
from sync.admin.syncs_by_day import syncs_by_day
from sync.admin.tables import budget_windows, newest_runs
from sync.admin.words import CONDITION_COLOURS, badge, link, listing, moment, page, spoken, subtle
from sync.engine.budgets import budgets, sentences
from sync.engine.insights.completeness import completeness
from sync.models import Ad, AdGroup, Campaign, Change, Connection, SyncRun
from sync.models.insight import LEVELS

RUNS_SHOWN = 10


@admin.register(Connection)
class ConnectionAdmin(PausableAdmin):
    """Made by connecting an account, so not here; kept when disconnected, so not deleted here either."""

    list_display = ("ad_account", "state", "provider", "account", "last_sync", "next_sync", "history")
    list_display_links = ("ad_account",)
    list_select_related = ("account", "credential")
    list_filter = (
        ("provider", ChoicesDropdownFilter),
        ConditionFilter,
        ("account", AutocompleteSelectFilter),
    )
    search_fields = ("name", "external_id")
    search_help_text = "Name or external id"
    ordering = ("name", "pk")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "name",
                    "status",
                    "state",
                    "paused",
                    "pauses",
                    "last_sync",
                    "next_sync",
                    "history",
                    "catalog",
                )
            },
        ),
        ("Metrics", {"fields": ("attribution", "complete_days")}),
        (
            "Ad account",
            {
                "fields": (
                    "account",
                    "provider",
                    "external_id",
                    "login_customer_id",
                    "credential",
                    "region",
                    "currency",
                    "time_zone",
                    "last_full_sync",
                    "made",
                )
            },
        ),
    )
    readonly_fields = (
        "state",
        "paused",
        "pauses",
        "last_sync",
        "last_full_sync",
        "next_sync",
        "history",
        "catalog",
        "complete_days",
        "account",
        "provider",
        "external_id",
        "credential",
        "region",
        "currency",
        "time_zone",
        "made",
    )
    actions = ("sync_selected", *PausableAdmin.actions)
    actions_detail = ("sync_now", *PausableAdmin.actions_detail)
    change_form_outer_after_template = "admin/sync/recent_runs.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Connection | None = None) -> bool:
        return False

    def get_form(
        self, request: HttpRequest, obj: Connection | None = None, change: bool = False, **kwargs: Any
    ) -> "type[ModelForm[Connection]]":
        """With the rules by which this platform can count conversions."""
        form: type[ModelForm[Connection]] = super().get_form(request, obj, change, **kwargs)
        if obj is not None and "attribution" in form.base_fields:
            known = ATTRIBUTIONS[obj.provider]
            form.base_fields["attribution"] = ChoiceField(
                choices=[("", f"The platform's own ({known[0]})"), *((name, name) for name in known)],
                required=False,
                widget=UnfoldAdminSelectWidget(),
                help_text="By which rule conversions are counted. Another one reads all known days again.",
            )
        return form

    @display(description="Complete days")
    def complete_days(self, connection: Connection) -> SafeString:
        """Of the time that the first sync reads, by level."""
        today = connection.day_of(timezone.now())
        since = today - timedelta(days=settings.INSIGHTS_FIRST_DAYS - 1)
        levels = completeness(connection, since, today)
        names = dict(LEVELS)
        told = ((names[one.level.value], one.complete, one.complete + one.missing) for one in levels)
        return format_html_join("", "<div>{}: {} of {}</div>", told)

    @display(description="Ad account", header=True, ordering="name")
    def ad_account(self, connection: Connection) -> list[str]:
        return [connection.name or connection.external_id, subtle(connection.external_id)]

    @display(description="Condition")
    def state(self, connection: Connection) -> SafeString:
        return badge(connection.condition, spoken(connection.condition), CONDITION_COLOURS)

    @display(description="Last sync", ordering="last_sync_at")
    def last_sync(self, connection: Connection) -> str:
        return moment(connection.last_sync_at)

    @display(description="Last full sync")
    def last_full_sync(self, connection: Connection) -> str:
        return moment(connection.last_full_sync_at)

    @display(description="Connected")
    def made(self, connection: Connection) -> str:
        return moment(connection.created_at)

    @display(description="Next sync", ordering="next_sync_at")
    def next_sync(self, connection: Connection) -> str:
        return moment(connection.next_sync_at) if connection.condition == "active" else "-"

    @display(description="Syncs")
    def history(self, connection: Connection) -> SafeString:
        return link(listing(SyncRun, connection__id__exact=connection.pk), "History")

    @display(description="Catalog")
    def catalog(self, connection: Connection) -> SafeString:
        chosen = {"connection__id__exact": connection.pk}
        names = {Campaign: "Campaigns", AdGroup: "Ad groups", Ad: "Ads", Change: "Changes"}
        links = [(link(listing(model, **chosen), name),) for model, name in names.items()]
        return format_html_join(" · ", "{}", links)

    @action(description="Sync the selected", permissions=["change"])
    def sync_selected(self, request: HttpRequest, queryset: "QuerySet[Connection]") -> None:
        start(request, queryset.select_related("account", "credential"))

    @action(
        description="Sync now",
        icon="sync",
        variant=ActionVariant.PRIMARY,
        permissions=["change"],
        dialog={
            "title": "Sync now",
            "description": "Copies all it holds and its newest metrics, before anything that is scheduled.",
            "form_submit_text": "Start the sync",
        },
    )
    def sync_now(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        connection = self.row(request, object_id)
        start(request, [connection])
        return leave(request, page(connection))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page, with the connection's newest runs, how they ended by day, and its budgets below."""
        row = self.get_object(request, object_id)
        runs = SyncRun.objects.filter(connection=row).order_by("-created_at")[:RUNS_SHOWN]
        extra = {**(extra_context or {}), "recent_runs": newest_runs(runs) if row else None, **_budgets(row)}
        if row:
            extra["syncs_by_day"] = syncs_by_day(row)
        response: HttpResponse = super().change_view(request, object_id, form_url, extra)
        return response


def _budgets(connection: Connection | None) -> dict[str, Any]:
    """What the template shows of them; nothing but a word where their store is away."""
    if connection is None:
        return {}
    try:
        told = budgets(connection)
    except RedisError:
        return {"budget_sentences": ["The budget store does not answer."]}
    return {"budgets": budget_windows(told), "budget_sentences": sentences(told)}
