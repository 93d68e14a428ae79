"""Who did what in the admin: every action is written to Django's log, which has a page of its own."""

from collections.abc import Iterable

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString

from sync.admin.base import LargeTable, LookOnly, display, operator
from sync.admin.filters import ChoicesDropdownFilter
from sync.admin.words import link, moment


def log(request: HttpRequest, rows: Iterable[Model], message: str) -> None:
    """Write down that the signed-in user did this to these rows."""
    LogEntry.objects.log_actions(
        user_id=operator(request).pk, queryset=list(rows), action_flag=CHANGE, change_message=message
    )


@admin.register(LogEntry)
class LogEntryAdmin(LookOnly, LargeTable):
    """The audit log."""

    list_display = ("at", "user", "what", "row", "change_message_text")
    list_select_related = ("user", "content_type")
    list_filter = (("action_flag", ChoicesDropdownFilter),)
    search_help_text = "User, row or id"
    search_fields = ("user__username", "object_repr", "object_id")
    fields = ("at", "user", "what", "row", "change_message_text")

    @display(description="When")
    def at(self, entry: LogEntry) -> str:
        return moment(entry.action_time)

    @display(description="Action", label={"Addition": "success", "Change": "info", "Deletion": "danger"})
    def what(self, entry: LogEntry) -> str:
        return entry.get_action_flag_display()

    @display(description="On")
    def row(self, entry: LogEntry) -> SafeString | str:
        text = f"{entry.content_type.name if entry.content_type else ''} {entry.object_repr}".strip()
        url = entry.get_admin_url()
        return link(url, text) if url else text

    @display(description="Details")
    def change_message_text(self, entry: LogEntry) -> str:
        return entry.get_change_message()
