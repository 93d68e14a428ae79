"""Credentials: whose grant it is and whether it works. Its tokens are on no page, in no form."""

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from sync.admin.base import Admin, LookOnly, display
from sync.admin.filters import AutocompleteSelectFilter, ChoicesDropdownFilter
from sync.admin.words import CONDITION_COLOURS, badge, link, moment, page
from sync.models import Credential


@admin.register(Credential)
class CredentialAdmin(LookOnly, Admin):
    """Made and renewed by connecting an account; nothing of it is edited by hand."""

    list_display = ("__str__", "state_badge", "account", "made")
    list_select_related = ("account",)
    list_filter = (
        ("provider", ChoicesDropdownFilter),
        ("status", ChoicesDropdownFilter),
        ("account", AutocompleteSelectFilter),
    )
    search_fields = ("name",)
    search_help_text = "Name"
    ordering = ("-pk",)
    fields = ("name", "provider", "state_badge", "account", "made", "ad_accounts")

    @display(description="Status", ordering="status")
    def state_badge(self, credential: Credential) -> SafeString:
        return badge(credential.status, credential.get_status_display(), CONDITION_COLOURS)

    @display(description="Granted", ordering="created_at")
    def made(self, credential: Credential) -> str:
        return moment(credential.created_at)

    @display(description="Reaches")
    def ad_accounts(self, credential: Credential) -> SafeString:
        links = [(link(page(connection), connection),) for connection in credential.connections.all()]
        return format_html_join("\n", "<div>{}</div>", links)
