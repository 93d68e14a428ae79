"""What people did to the queue: pauses, cancels, replays; also those made by commands and the API."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from sync.admin.base import Inline, LargeTable, LookOnly, display
from sync.admin.filters import ChoicesDropdownFilter, SinceFilter
from sync.admin.words import link, moment, page
from sync.models import Intervention


class DoneSinceFilter(SinceFilter):
    """By when it was done."""

    column = "at"


class InterventionInline(LookOnly, Inline):
    """Who cancelled, replayed or resolved the run."""

    model = Intervention
    fk_name = "run"
    can_delete = False
    hide_title = True
    fields = ("when", "action", "by", "reason")
    readonly_fields = fields

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may see the run may see what was done to it."""
        return True

    @display(description="When")
    def when(self, done: Intervention) -> str:
        return moment(done.at)


@admin.register(Intervention)
class InterventionAdmin(LookOnly, LargeTable):
    """A record: nothing here is written."""

    list_display = ("when", "what", "on", "by", "reason")
    list_select_related = ("queue", "account", "connection", "run__connection")
    list_filter = (("action", ChoicesDropdownFilter), DoneSinceFilter)
    search_fields = ("by", "reason", "account__name", "connection__name", "connection__external_id")
    search_help_text = "Who, why, account or connection"
    fields = ("when", "what", "on", "by", "reason")

    @display(description="When")
    def when(self, done: Intervention) -> str:
        return moment(done.at)

    @display(
        description="Action",
        label={"Paused": "warning", "Resumed": "success", "Cancelled": "danger", "Replayed": "info"},
    )
    def what(self, done: Intervention) -> str:
        return done.get_action_display()

    @display(description="On")
    def on(self, done: Intervention) -> SafeString | str:
        if done.run is not None:
            return link(page(done.run), f"sync of {done.run.connection}")
        subject = done.subject
        return link(page(subject), f"{subject._meta.verbose_name} {subject}") if subject else "-"

    def has_view_permission(self, request: HttpRequest, obj: Intervention | None = None) -> bool:
        """Who may see the queues may see what was done to them."""
        return bool(request.user.has_perm("sync.view_queue"))
