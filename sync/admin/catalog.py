"""The copied campaigns, ad groups and ads. What the platform says is not edited here."""

from django.contrib import admin
from django.utils.safestring import SafeString

from sync.admin.base import LargeTable, LookOnly, display
from sync.admin.filters import AutocompleteSelectFilter, ChoicesDropdownFilter, RemovedFilter
from sync.admin.words import ENTITY_COLOURS, badge, brief, link, listing, moment, money, nowrap, subtle
from sync.models import Ad, AdGroup, Campaign, Change, Entity

LISTED = ("titled", "states", "where")
IDENTITY = ("name", "state", "platform_status", "connection", "external_id")
HISTORY = ("made", "edited", "first_seen", "removed", "changes")


class EntityAdmin(LookOnly, LargeTable):
    """What the three kinds have in common. Amounts are in the ad account's currency."""

    entity = ""  # the word in the change history
    list_select_related = ("connection",)
    list_filter = (
        ("status", ChoicesDropdownFilter),
        RemovedFilter,
        ("connection", AutocompleteSelectFilter),
    )
    search_fields = ("name", "external_id")
    search_help_text = "Name or external id"

    @display(description="Name", header=True)
    def titled(self, row: Entity) -> list[str]:
        return [row.name or row.external_id, subtle(row.external_id)]

    @display(description="Status", header=True)
    def states(self, row: Entity) -> list[str]:
        return [self.state(row), subtle(row.platform_status)]

    @display(description="Connection")
    def where(self, row: Entity) -> SafeString:
        return nowrap(str(row.connection))

    @display(description="Edited")
    def lately(self, row: Entity) -> SafeString:
        return nowrap(brief(row.platform_updated_at))

    @display(description="Status")
    def state(self, row: Entity) -> SafeString:
        word, text = ("removed", "Removed") if row.removed_at else (row.status, row.get_status_display())
        return badge(word, text, ENTITY_COLOURS)

    @display(description="Made at the platform")
    def made(self, row: Entity) -> str:
        return moment(row.platform_created_at)

    @display(description="Edited at the platform")
    def edited(self, row: Entity) -> str:
        return moment(row.platform_updated_at)

    @display(description="First seen")
    def first_seen(self, row: Entity) -> str:
        return moment(row.first_seen_at)

    @display(description="Removed")
    def removed(self, row: Entity) -> str:
        return moment(row.removed_at)

    @display(description="Changes")
    def changes(self, row: Entity) -> SafeString:
        chosen = {"connection__id__exact": row.connection_id, "entity__exact": self.entity}
        return link(listing(Change, **chosen, q=row.external_id), "Its history")

    @display(description="Budget", header=True)
    def budget(self, row: Campaign | AdGroup) -> list[str]:
        if row.daily_budget_micros is None and row.lifetime_budget_micros is not None:
            return [nowrap(self.lifetime_budget(row)), subtle("in all")]
        return [nowrap(self.daily_budget(row)), subtle("a day" if row.daily_budget_micros else "")]

    @display(description="Daily budget")
    def daily_budget(self, row: Campaign | AdGroup) -> str:
        return money(row.daily_budget_micros, row.connection.currency)

    @display(description="Lifetime budget")
    def lifetime_budget(self, row: Campaign | AdGroup) -> str:
        return money(row.lifetime_budget_micros, row.connection.currency)

    @display(description="Bid")
    def bid(self, row: AdGroup) -> str:
        return money(row.bid_micros, row.connection.currency)

    @display(description="Starts")
    def starts(self, row: Campaign | AdGroup) -> str:
        return moment(row.starts_at)

    @display(description="Ends")
    def ends(self, row: Campaign | AdGroup) -> str:
        return moment(row.ends_at)


@admin.register(Campaign)
class CampaignAdmin(EntityAdmin):
    """Campaigns."""

    entity = "campaign"
    list_display = (*LISTED, "objective", "budget", "lately")
    fieldsets = (
        (None, {"fields": (*IDENTITY, "objective", "bidding_strategy")}),
        ("Budget and time", {"fields": (("daily_budget", "lifetime_budget"), ("starts", "ends"))}),
        ("History", {"fields": HISTORY}),
        ("As the platform sent it", {"fields": ("raw",)}),
    )


@admin.register(AdGroup)
class AdGroupAdmin(EntityAdmin):
    """Ad groups; Meta calls them ad sets."""

    entity = "ad_group"
    list_display = (*LISTED, "campaign_external_id", "bid", "budget", "lately")
    fieldsets = (
        (None, {"fields": (*IDENTITY, "campaign_external_id", "bidding_strategy")}),
        ("Budget and time", {"fields": ("bid", ("daily_budget", "lifetime_budget"), ("starts", "ends"))}),
        ("History", {"fields": HISTORY}),
        ("As the platform sent it", {"fields": ("raw",)}),
    )


@admin.register(Ad)
class AdAdmin(EntityAdmin):
    """Ads."""

    entity = "ad"
    list_display = (*LISTED, "ad_group_external_id", "campaign_external_id", "ad_type", "lately")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    *IDENTITY,
                    "ad_group_external_id",
                    "campaign_external_id",
                    "ad_type",
                    "creative_external_id",
                )
            },
        ),
        ("History", {"fields": HISTORY}),
        ("As the platform sent it", {"fields": ("raw",)}),
    )
