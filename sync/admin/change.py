"""What differed between two syncs. A record, kept longer than the runs that saw it; exported as a file."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from sync.admin.base import LargeTable, LookOnly, display
from sync.admin.filters import AutocompleteSelectFilter, ChoicesDropdownFilter, SeenSinceFilter
from sync.admin.words import CHANGE_COLOURS, badge, brief, link, moment, nowrap, page, spoken, subtle
from sync.changes import as_csv, as_json
from sync.models import Change, SyncRun

FORMS: dict[str, tuple[str, Callable[[QuerySet[Change]], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "json": ("application/json", as_json),
}
LONG = 80  # characters of a value in the list; its page shows all


@admin.register(Change)
class ChangeAdmin(LookOnly, LargeTable):
    """One field of one entity, with both values."""

    list_display = ("lately", "state_badge", "where", "of", "what", "before", "after", "who")
    list_select_related = ("connection",)
    list_filter = (
        ("entity", ChoicesDropdownFilter),
        ("action", ChoicesDropdownFilter),
        ("connection", AutocompleteSelectFilter),
        SeenSinceFilter,
    )
    search_fields = ("external_id__exact",)
    search_help_text = "External id"
    fields = (
        "seen",
        "state_badge",
        "connection",
        "entity",
        "external_id",
        "what",
        "old",
        "new",
        "who",
        "run",
    )
    list_before_template = "admin/sync/change_export.html"

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(self.export)
        urls: list[URLPattern] = super().get_urls()
        return [path("export/<str:form>/", export, name="sync_change_export"), *urls]

    def export(self, request: HttpRequest, form: str) -> StreamingHttpResponse:
        """All that the list's filters find, as a file that is sent while it is read."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if form not in FORMS:
            raise Http404
        content_type, told = FORMS[form]
        try:
            found = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            raise Http404 from None
        name = f'attachment; filename="changes.{form}"'
        headers = {"Content-Type": content_type, "Content-Disposition": name}
        return StreamingHttpResponse(told(found), headers=headers)

    @display(description="Seen")
    def lately(self, change: Change) -> SafeString:
        return nowrap(brief(change.seen_at))

    @display(description="Connection")
    def where(self, change: Change) -> SafeString:
        return nowrap(str(change.connection))

    @display(description="Entity", header=True)
    def of(self, change: Change) -> list[str]:
        return [change.get_entity_display(), subtle(change.external_id)]

    @display(description="Seen")
    def seen(self, change: Change) -> str:
        return moment(change.seen_at)

    @display(description="Action")
    def state_badge(self, change: Change) -> SafeString:
        return badge(change.action, change.get_action_display(), CHANGE_COLOURS)

    @display(description="Field")
    def what(self, change: Change) -> SafeString:
        return nowrap(spoken(change.field) or "-")

    @display(description="Before")
    def before(self, change: Change) -> str:
        return short(change.old)

    @display(description="After")
    def after(self, change: Change) -> str:
        return short(change.new)

    @display(description="By")
    def who(self, change: Change) -> str:
        return change.by or "-"

    @display(description="Run")
    def run(self, change: Change) -> SafeString | str:
        """The run may be past its retention."""
        run = SyncRun.objects.filter(pk=change.run_id).first()
        return link(page(run), run) if run else f"{change.run_id} (no longer kept)"


def short(value: Any) -> str:
    """A value as one short line."""
    if value is None:
        return "-"
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= LONG else f"{text[:LONG]}…"
