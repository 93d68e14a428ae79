"""Who asked for what, and the runs that answer it. A record."""

from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from sync.admin.base import LargeTable, LookOnly, display
from sync.admin.filters import AutocompleteSelectFilter, ChoicesDropdownFilter, SinceFilter
from sync.admin.words import link, moment, page
from sync.models import SyncRequest, SyncRun


@admin.register(SyncRequest)
class SyncRequestAdmin(LookOnly, LargeTable):
    """Its id is the API's jobId."""

    list_display = ("id", "requested", "account", "trigger", "source", "requested_by")
    list_select_related = ("account", "requested_by")
    list_filter = (
        ("account", AutocompleteSelectFilter),
        ("trigger", ChoicesDropdownFilter),
        SinceFilter,
    )
    search_fields = ("pk",)  # shows the box; what it finds is in `get_search_results`
    search_help_text = "Request id"
    fields = ("id", "requested", "account", "trigger", "source", "requested_by", "runs")

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[SyncRequest]", search_term: str
    ) -> "tuple[QuerySet[SyncRequest], bool]":
        if not (term := search_term.strip()):
            return queryset, False
        try:
            return queryset.filter(pk=UUID(term)), False
        except ValueError:
            return queryset.none(), False

    @display(description="Requested")
    def requested(self, asked: SyncRequest) -> str:
        return moment(asked.created_at)

    @display(description="Its runs")
    def runs(self, asked: SyncRequest) -> SafeString:
        found = SyncRun.objects.of_request(asked).select_related("connection")
        words = [(link(page(run), f"{run.connection}: {run.kind}, {run.state}"),) for run in found]
        return format_html_join("\n", "<div>{}</div>", words)
