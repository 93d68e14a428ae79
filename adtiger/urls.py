"""Which URL goes where."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from sync.admin.site import favicon
from sync.api.errors import unknown_path

handler400 = "sync.api.errors.bad_request"
handler500 = "sync.api.errors.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("api", unknown_path),
    path("api/", include("sync.api.urls")),
    path("favicon.ico", favicon),
]
