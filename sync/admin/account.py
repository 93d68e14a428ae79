"""Accounts (tenants) with their members, and the plans that limit them."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from sync.admin.base import Admin, Inline, display
from sync.admin.filters import AutocompleteSelectFilter
from sync.admin.pausing import PausableAdmin
from sync.admin.words import link, listing, moment
from sync.models import Account, Connection, Membership, Plan, SyncRun


class MembershipInline(Inline):
    """Who belongs to the account, and as what."""

    model = Membership
    fields = ("user", "role")
    autocomplete_fields = ("user",)


@admin.register(Account)
class AccountAdmin(PausableAdmin):
    """Not deleted here: an account takes its connections, catalog and history along."""

    list_display = ("name", "plan", "paused", "connections", "history")
    list_select_related = ("plan",)
    list_filter = (("plan", AutocompleteSelectFilter),)
    search_fields = ("name",)
    search_help_text = "Name"
    ordering = ("name",)
    fields = ("name", "plan", "paused", "pauses", "connections", "history", "made")
    readonly_fields = ("paused", "pauses", "connections", "history", "made")
    autocomplete_fields = ("plan",)
    inlines = (MembershipInline,)

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        return False

    @display(description="Made")
    def made(self, account: Account) -> str:
        return moment(account.created_at)

    @display(description="Connections")
    def connections(self, account: Account) -> SafeString:
        return link(listing(Connection, account__id__exact=account.pk), "Connections")

    @display(description="Syncs")
    def history(self, account: Account) -> SafeString:
        return link(listing(SyncRun, account__id__exact=account.pk), "History")


@admin.register(Plan)
class PlanAdmin(Admin):
    """Named limits; a plan in use can't be deleted."""

    list_display = ("name", "calls_per_minute", "calls_per_hour", "manual_syncs_per_hour", "weight")
    search_fields = ("name",)
    ordering = ("name",)
    fields = ("name", "calls_per_minute", "calls_per_hour", "manual_syncs_per_hour", "weight")
