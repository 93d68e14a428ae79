"""The views of lists and of single entities: what all of them do alike."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Expression, QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.access import AccountView
from sync.api.data.export import export
from sync.api.data.keyset import Order, behind, cursor, place_of
from sync.api.data.query import CSV, PAGE, Query, asked, detail_query, list_query
from sync.api.data.row import Row
from sync.api.data.scope import own_connections
from sync.api.schema import refusals
from sync.api.serializers import Answer
from sync.models import Connection

Orderings = dict[str, str | Expression]  # by word: a column, or an expression that is never null


class CsvRenderer(JSONRenderer):
    """Lets `Accept: text/csv` and `format=csv` be chosen; the export writes it, errors stay JSON."""

    media_type = "text/csv"
    format = CSV


class Negotiation(DefaultContentNegotiation):
    """An unknown format is a wrong parameter, not an unknown page."""

    def filter_renderers(self, renderers: Sequence[BaseRenderer], format: str) -> list[BaseRenderer]:  # type: ignore[override]  # DRF passes what it parsed
        known = [str(renderer.format) for renderer in renderers]
        if format not in known:
            raise ValidationError({"format": f"Choose one of: {', '.join(known)}."})
        return [renderer for renderer in renderers if renderer.format == format]


class DataView(AccountView, ABC):
    """Base of both: whose data, and of which ad accounts."""

    content_negotiation_class = Negotiation
    row: ClassVar[type[Row]]
    query: ClassVar[Query]
    name: ClassVar[str]

    @cached_property
    def asked(self) -> dict[str, Any]:
        """The query, checked."""
        return asked(self.request, self.query)

    @cached_property
    def connections(self) -> dict[UUID, Connection]:
        """The ad accounts that the query is about."""
        return own_connections(self.account, self.asked)

    @abstractmethod
    def queryset(self) -> QuerySet[Any, Any]:
        """What the query is about, in no order."""

    def selected(self, queryset: QuerySet[Any, Any], columns: set[str]) -> QuerySet[Any, Any]:
        """With only the columns that are told."""
        return queryset.values(*columns)

    @cached_property
    def chosen(self) -> list[str]:
        """The fields to tell."""
        return list(self.asked.get("fields") or self.row.names())

    def told(self, rows: Any = None, *, many: bool = False) -> Any:
        """The serializer of rows, with the chosen fields."""
        about = {} if rows is None else self.about(rows if many else [rows])
        context = {"connections": self.connections, **about}
        return self.row(rows, many=many, chosen=self.chosen, context=context)

    def about(self, rows: Sequence[Any]) -> dict[str, Any]:
        """What the serializer is to know of these rows, read for all of them at once."""
        return {}


class ListView(DataView):
    """A page of a list, or all of it as CSV."""

    renderer_classes = [JSONRenderer, CsvRenderer]
    orderings: ClassVar[Orderings]
    usual_order: ClassVar[list[str]]
    key: ClassVar[tuple[str, ...]]  # what makes a row unique

    def get(self, request: Request) -> HttpResponseBase:
        """Filtered, in order."""
        if request.accepted_renderer.format == CSV:
            return self._export()
        return Response(self._page())

    def handle_exception(self, exc: Exception) -> Response:
        """Errors are JSON, whatever was to come."""
        self.request.accepted_renderer = JSONRenderer()
        self.request.accepted_media_type = JSONRenderer.media_type
        return super().handle_exception(exc)

    @cached_property
    def chosen(self) -> list[str]:
        """The fields to tell; large ones only when asked for."""
        return list(self.asked.get("fields") or self.row.usual())

    beside: ClassVar[Mapping[str, serializers.Field[Any, Any, Any, Any]]] = {}  # what a page tells, too

    @cached_property
    def order(self) -> Order:
        """As asked for, or the usual."""
        return self.ordered(self.usual_order, self.key)

    def ordered(self, usual: Sequence[str], key: Sequence[str]) -> Order:
        """As asked for, or the usual; `key` tells rows apart that are alike otherwise."""
        columns = {word: by if isinstance(by, str) else f"by_{word}" for word, by in self.orderings.items()}
        return Order.of(self.asked.get("ordering", usual), columns, key)

    def told_beside(self) -> dict[str, Any]:
        """The values of `beside`."""
        return {}

    def to_keep(self) -> list[Any]:
        """What further pages have in common with the first, whatever the time is when they are read."""
        return []

    @cached_property
    def kept(self) -> list[Any]:
        """What the first page had `to_keep`; nothing on that page."""
        return self._came_with[len(self.order.columns) :]

    @cached_property
    def _came_with(self) -> list[Any]:
        """What the cursor says: the place of the last row, then what is kept; nothing without one."""
        return place_of(self.asked["cursor"], self._about) if "cursor" in self.asked else []

    @property
    def _about(self) -> str:
        return f"{self.name} {self.order.expressions}"

    def sortable(self) -> QuerySet[Any, Any]:
        """All that the query is about, with what it may be ordered by."""
        expressions = {f"by_{word}": by for word, by in self.orderings.items() if not isinstance(by, str)}
        annotated: QuerySet[Any, Any] = self.queryset().annotate(**expressions)
        return annotated

    def first(self, place: list[Any] | None, count: int) -> QuerySet[Any, Any]:
        """The first rows behind the place, or of all."""
        return behind(self.sortable(), self.order, place).order_by(*self.order.expressions)[:count]

    def _page(self) -> dict[str, Any]:
        size = self.asked.get("pageSize", PAGE)
        place = self._came_with[: len(self.order.columns)] or None
        columns = self.told().columns | set(self.order.columns)
        found = list(self.selected(self.first(place, size + 1), columns))
        rows, more = found[:size], len(found) > size
        return {
            "results": self.told(rows, many=True).data,
            "nextCursor": self._cursor(rows[-1]) if more else None,
            **self.told_beside(),
        }

    def _cursor(self, row: Any) -> str:
        return cursor([*self.order.place(row), *self.to_keep()], self._about)

    def _export(self) -> HttpResponseBase:
        for name in {"cursor", "pageSize"} & set(self.asked):
            raise ValidationError({name: "CSV is the whole list: leave this out."})
        serializer = self.told()
        queryset = self.sortable().order_by(*self.order.expressions)
        rows = self.selected(queryset, serializer.columns)
        return export(self.name, serializer, rows, self.about, account=self.account.pk)


class DetailView(DataView):
    """One entity with all its fields."""

    key_column: ClassVar[str]

    def get(self, request: Request, id: str) -> Response:
        """404 for an id that is unknown, or somebody else's."""
        queryset = self.queryset().filter(**{self.key_column: id})
        serializer = self.told()
        found = list(self.selected(queryset, serializer.columns)[:2])
        if not found:
            raise Http404(f"There is no {self.name} with this id.")
        if len(found) > 1:
            raise ValidationError({"connection": "Several ad accounts have this id: name one of them."})
        return Response(self.told(found[0]).data)


def list_of(name: str, filters: Query, row: type[Row], orderings: Orderings) -> Any:
    """Give a list view its query and its place in the schema. `name` is that of the route and the file."""

    def decorate(view: type[ListView]) -> type[ListView]:
        view.name, view.row, view.orderings = name, row, orderings
        view.query = list_query(filters, row, orderings)
        fields = {
            "results": row(many=True),
            "nextCursor": serializers.CharField(allow_null=True, help_text="For `cursor`; null: no more."),
            **view.beside,
            "__doc__": f"A page of {name}.",
        }
        page = type(f"{row.__name__}Page", (Answer,), fields)
        answers = {(200, "application/json"): page, (200, "text/csv"): OpenApiTypes.STR}
        documented = extend_schema(
            operation_id=f"{name.replace('-', '_')}_list",
            description=view.__doc__,
            parameters=[view.query],
            responses={**answers, **refusals(400, 401, 403, 404, 429, 503)},
        )
        return extend_schema_view(get=documented)(view)

    return decorate


def detail_of(name: str, filters: Query, row: type[Row]) -> Any:
    """Give a view of one entity its query and its place in the schema."""

    def decorate(view: type[DetailView]) -> type[DetailView]:
        view.name, view.row = name, row
        view.query = detail_query(filters, row)
        documented = extend_schema(
            operation_id=f"{name.replace(' ', '_')}_detail",
            description=view.__doc__,
            parameters=[view.query],
            responses={200: row, **refusals(400, 401, 403, 404, 503)},
        )
        return extend_schema_view(get=documented)(view)

    return decorate
