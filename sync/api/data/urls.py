"""The paths of the copied data, below `/api/`."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from sync.api.data.backfill import BackfillView
from sync.api.data.catalog import (
    AdGroupsView,
    AdGroupView,
    AdsView,
    AdView,
    CampaignsView,
    CampaignView,
)
from sync.api.data.changes import ChangesView
from sync.api.data.connections import ConnectionsView, ConnectionView
from sync.api.data.insights import InsightsView, InsightTotalsView
from sync.api.data.runs import RunsView, RunView


class PlatformId(StringConverter):
    """A platform's id; of a Google ad `group~ad`."""

    regex = r"[0-9A-Za-z_~]{1,80}"


register_converter(PlatformId, "platform_id")

urlpatterns = [
    path("connections", ConnectionsView.as_view(), name="connections"),
    path("connections/<uuid:id>", ConnectionView.as_view(), name="connection"),
    path("campaigns", CampaignsView.as_view(), name="campaigns"),
    path("campaigns/<platform_id:id>", CampaignView.as_view(), name="campaign"),
    path("ad-groups", AdGroupsView.as_view(), name="ad-groups"),
    path("ad-groups/<platform_id:id>", AdGroupView.as_view(), name="ad-group"),
    path("ads", AdsView.as_view(), name="ads"),
    path("ads/<platform_id:id>", AdView.as_view(), name="ad"),
    path("insights", InsightsView.as_view(), name="insights"),
    path("insights/totals", InsightTotalsView.as_view(), name="insight-totals"),
    path("insights/backfill", BackfillView.as_view(), name="insights-backfill"),
    path("changes", ChangesView.as_view(), name="changes"),
    path("runs", RunsView.as_view(), name="runs"),
    path("runs/<uuid:id>", RunView.as_view(), name="run"),
]
