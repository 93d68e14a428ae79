"""The API's paths. None ends with a slash; whatever is not listed answers 404 in JSON."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from sync.api.account import CurrentAccountView, SwitchAccountView
from sync.api.cron import HourlyView
from sync.api.errors import unknown_path
from sync.api.manual import ManualSyncView
from sync.api.meta_webhook import MetaWebhookView
from sync.api.run_status import RunStatusView
from sync.api.status import StatusView

# a page to look at: its template does not fit what Django REST Framework answers to OPTIONS
DOCS = SpectacularSwaggerSplitView.as_view(url_name="schema", http_method_names=["get", "head"])

urlpatterns = [
    path("sync/manual", ManualSyncView.as_view(), name="manual-sync"),
    path("sync/status", StatusView.as_view(), name="sync-status"),
    path("sync/status/<uuid:job_id>", RunStatusView.as_view(), name="run-status"),
    path("cron/sync-hourly", HourlyView.as_view(), name="cron-sync-hourly"),
    path("", include("sync.api.data.urls")),
    path("webhooks/meta", MetaWebhookView.as_view(), name="meta-webhook"),
    path("account", CurrentAccountView.as_view(), name="account"),
    path("account/switch", SwitchAccountView.as_view(), name="switch-account"),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", DOCS, name="api-docs"),
    path("", unknown_path),
    path("<path:rest>", unknown_path),
]
