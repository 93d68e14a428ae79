"""Which URL goes where."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from sync.admin.site import favicon

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("favicon.ico", favicon),
]
