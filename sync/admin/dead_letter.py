"""Dead letters: by cause above, one by one below; replayed or resolved singly, or all that a filter finds."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from sync.admin import tables
from sync.admin.base import display
from sync.admin.filters import AutocompleteSelectFilter, ChoicesDropdownFilter, Options, SinceFilter
from sync.admin.replaying import ReplayingAdmin
from sync.admin.run import SyncRunAdmin
from sync.admin.words import brief, nowrap, subtle
from sync.ledger.dead_letters import by_cause
from sync.models import DeadLetter, SyncRun
from sync.models.run_queries import SyncRunQuerySet


class CauseFilter(Options):
    """One of the causes that there are."""

    title = "cause"
    parameter_name = "cause"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(cause.key, f"{cause.words} ({cause.number})") for cause in by_cause(SyncRun.objects.all())]

    def queryset(self, request: HttpRequest, queryset: SyncRunQuerySet) -> SyncRunQuerySet:
        if not self.value():
            return queryset
        category, code, platform_code = (*self.value().split("|"), "", "")[:3]
        return queryset.filter(error_category=category, error_code=code, platform_code=platform_code)


class FailedSinceFilter(SinceFilter):
    """By when it failed."""

    column = "finished_at"


@admin.register(DeadLetter)
class DeadLetterAdmin(SyncRunAdmin):
    """The page of one is the page of its run. Few enough to be counted, so all of a filter can be chosen."""

    list_display = ("failed_at", "where", "cause", "error_message", "trace_id")
    list_filter = (
        CauseFilter,
        ("provider", ChoicesDropdownFilter),
        ("account", AutocompleteSelectFilter),
        ("connection", AutocompleteSelectFilter),
        FailedSinceFilter,
    )
    list_before_template = "admin/sync/causes.html"
    list_disable_select_all = False
    paginator = Paginator
    show_full_result_count = True
    ordering = ("-finished_at", "-pk")
    actions = ReplayingAdmin.actions

    def get_queryset(self, request: HttpRequest) -> SyncRunQuerySet:
        return super().get_queryset(request).dead_letters()

    def has_view_permission(self, request: HttpRequest, obj: DeadLetter | None = None) -> bool:
        """Who may see runs may see these."""
        return bool(request.user.has_perm("sync.view_syncrun"))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, below the causes unless one is chosen."""
        causes = [] if "cause" in request.GET else by_cause(SyncRun.objects.all())
        extra = {**(extra_context or {}), "causes": tables.causes(causes), "title": "Dead letters"}
        response: HttpResponse = super().changelist_view(request, extra)
        return response

    @display(description="Failed")
    def failed_at(self, run: DeadLetter) -> SafeString:
        return nowrap(brief(run.finished_at))

    @display(description="Cause", header=True)
    def cause(self, run: DeadLetter) -> list[SafeString]:
        return [nowrap(run.error_code), subtle(f"{run.error_category} {run.platform_code}".strip())]
