"""What the admin shows around its pages: the badge, the index, the icon. Named in settings.UNFOLD."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.templatetags.static import static

from sync.admin import dashboard as numbers
from sync.admin.navigation import may_view
from sync.admin.words import listing
from sync.models import Connection, DeadLetter, SyncRun

PLATFORM_HOSTS = {"META_GRAPH_URL": "graph.facebook.com", "GOOGLE_ADS_URL": "googleads.googleapis.com"}


def sandbox_hosts() -> list[str]:
    """Where the clients call instead of the platforms; empty when they call the platforms."""
    called = {urlsplit(getattr(settings, name)).netloc: host for name, host in PLATFORM_HOSTS.items()}
    return sorted(netloc for netloc, host in called.items() if netloc != host)


def environment(request: HttpRequest) -> list[str] | None:
    """The badge beside the title: that no real platform is called, or that this is not production."""
    if sandbox_hosts():
        return ["Sandbox", "warning"]
    return None if settings.IS_PRODUCTION else [settings.ENVIRONMENT.title(), "info"]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the index adds to Django's own, as far as the user may see it."""
    context.update(title="Overview", sandbox_hosts=sandbox_hosts())
    if may_view(Connection, request):
        context.update(connections=numbers.connections(), connections_url=listing(Connection))
    if may_view(SyncRun, request):
        context.update(providers=numbers.providers(), runs_url=listing(SyncRun))
        context.update(failures=numbers.failures(), dead_letters_url=listing(DeadLetter))
    return context


def refuse_nul(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: PostgreSQL takes no NUL, and Django passes it one: of a cookie (`"\\000"`), of a list's
    query, of a page's path. (The API names the parameter.)"""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if any("\0" in value for value in request.COOKIES.values()):
            raise BadRequest("There is a NUL in a cookie.")
        query, path = request.META.get("QUERY_STRING", ""), request.path_info
        if ("%00" in query or "\0" in path) and not path.startswith("/api/"):
            raise BadRequest("There is a NUL in the address.")
        return get_response(request)

    return middleware


def icon(request: HttpRequest) -> str:
    """The URL of the icon, for the pages' heads."""
    return static("sync/favicon.svg")


def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """The view at /favicon.ico, which browsers ask for by themselves."""
    return HttpResponseRedirect(icon(request))
