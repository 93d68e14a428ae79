"""A list as CSV, row by row out of PostgreSQL: memory stays flat, however many there are.

All rows are of one moment. Whoever stops reading for a minute, or goes away, gives the database free.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import StringIO
from itertools import islice
from typing import Any, cast

import orjson
from django.db import connection as database
from django.db import transaction
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from rest_framework.serializers import JSONField

from sync.api.data.row import Field, Row
from sync.spreadsheet import harmless

CHUNK = 1000  # rows fetched, and written, at once
About = Callable[[Sequence[Any]], dict[str, Any]]
PATIENCE_SECONDS = 60  # for a reader that does not take the next chunk


def export(name: str, row: Row, queryset: QuerySet[Any, Any], about: About) -> StreamingHttpResponse:
    """The whole queryset, with a line of names first. `about` tells what the row has to know of a chunk."""
    return StreamingHttpResponse(
        _text(row, queryset, about),
        content_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _text(row: Row, queryset: QuerySet[Any, Any], about: About) -> Iterator[str]:
    fields, context = row.fields, cast("dict[str, Any]", row.context)
    yield _lines([list(fields)])
    with transaction.atomic():  # so that the cursor reads on as it is asked, instead of all beforehand
        with database.cursor() as cursor:
            cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{PATIENCE_SECONDS}s'")
        rows = queryset.iterator(chunk_size=CHUNK)
        while chunk := list(islice(rows, CHUNK)):
            context.update(about(chunk))
            yield _lines([_cell(field, one) for field in fields.values()] for one in chunk)


def _lines(rows: Iterable[list[str]]) -> str:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cell(field: Field, row: Any) -> str:
    value = field.get_attribute(row)
    told = None if value is None else field.to_representation(value)
    if told is None:
        return ""
    if isinstance(told, str) and not isinstance(field, JSONField):
        return harmless(told)
    return orjson.dumps(told).decode()
