"""What our admin pages share: unfold's look, typed decorators, and pages that only show.

Lists of tables that grow without bound are never counted: `LargeTable` pages by "previous" and "next".
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.contrib.admin import ShowFacets
from django.contrib.auth.models import User
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from unfold import admin as unfold
from unfold import decorators
from unfold.paginator import InfinitePaginator

Function = TypeVar("Function", bound=Callable[..., Any])
Decorator = Callable[..., Callable[[Function], Function]]

# unfold has no types: named here once, so that what they decorate keeps its own
action: Decorator[Any] = decorators.action
display: Decorator[Any] = decorators.display


class Admin(unfold.ModelAdmin):
    """One model's pages."""

    list_filter_submit = True  # several filters, then one request
    list_per_page = 50
    show_facets = ShowFacets.NEVER  # counting what each filter would find costs a scan each

    def row(self, request: HttpRequest, object_id: str) -> Any:
        """The row that a button was pressed on, or 404."""
        if (row := self.get_object(request, object_id)) is None:
            raise Http404
        return row


class Inline(unfold.TabularInline):
    """Rows of another model on a page."""

    extra = 0


class LookOnly:
    """Nobody adds, changes or deletes here, whatever their permissions: the rows are a record."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class LargeTable(Admin):
    """A list that may hold millions of rows: newest first, by its key, and never counted or re-sorted."""

    paginator = InfinitePaginator
    show_full_result_count = False
    list_disable_select_all = True  # "all" of an uncounted list is not a choice that can be confirmed
    list_fullwidth = True
    ordering: tuple[str, ...] = ("-pk",)
    sortable_by = ()


def operator(request: HttpRequest) -> User:
    """Who is signed in; the admin lets nobody else in."""
    return cast(User, request.user)


def leave(request: HttpRequest, url: str) -> HttpResponse:
    """Go to `url` after an action; its dialog is sent by htmx, which needs to be told in a header."""
    if "HX-Request" in request.headers:
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)
