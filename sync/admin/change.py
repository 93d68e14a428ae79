"""What differed between two syncs. A record, kept longer than the runs that saw it."""

from typing import Any

import orjson
from django.contrib import admin
from django.utils.safestring import SafeString

from sync.admin.base import LargeTable, LookOnly, display
from sync.admin.filters import AutocompleteSelectFilter, ChoicesDropdownFilter, SeenSinceFilter
from sync.admin.words import CHANGE_COLOURS, badge, brief, link, moment, nowrap, page, spoken, subtle
from sync.models import Change, SyncRun

LONG = 80  # characters of a value in the list; its page shows all


@admin.register(Change)
class ChangeAdmin(LookOnly, LargeTable):
    """One field of one entity, with both values."""

    list_display = ("lately", "state_badge", "where", "of", "what", "before", "after")
    list_select_related = ("connection",)
    list_filter = (
        ("entity", ChoicesDropdownFilter),
        ("action", ChoicesDropdownFilter),
        ("connection", AutocompleteSelectFilter),
        SeenSinceFilter,
    )
    search_fields = ("external_id__exact",)
    search_help_text = "External id"
    fields = ("seen", "state_badge", "connection", "entity", "external_id", "what", "old", "new", "run")

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
