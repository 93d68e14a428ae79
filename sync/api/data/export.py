"""A list as CSV, row by row out of PostgreSQL: memory stays flat, however many there are.

All rows are of one moment. Whoever stops reading for a minute, or goes away, gives the database free; and
slow readers of one account leave the web's other threads to everybody else.
"""

import csv
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from io import StringIO
from itertools import islice
from threading import Lock
from typing import Any, cast
from uuid import UUID
from weakref import finalize

import orjson
from django.db import connection as database
from django.db import transaction
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from rest_framework.exceptions import Throttled
from rest_framework.serializers import JSONField

from sync.api.data.row import Field, Row
from sync.spreadsheet import harmless

CHUNK = 1000  # rows fetched, and written, at once
AT_ONCE = 2  # of an account in one process, which has four threads
AGAIN_SECONDS = 10  # after which a refused one may ask again

About = Callable[[Sequence[Any]], dict[str, Any]]
PATIENCE_SECONDS = 60  # for a reader that does not take the next chunk


_running: Counter[UUID] = Counter()
_counts = Lock()


def export(
    name: str, row: Row, queryset: QuerySet[Any, Any], about: About, *, account: UUID
) -> StreamingHttpResponse:
    """The whole queryset, with a line of names first. `about` tells what the row has to know of a chunk.

    429 while the account has others going.
    """
    return StreamingHttpResponse(
        _Stream(_text(row, queryset, about), account),
        content_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


class _Stream(Iterator[str]):
    """Text that counts for its account until it is closed, by its end or by the reader's."""

    def __init__(self, text: Generator[str], account: UUID) -> None:
        with _counts:
            if _running[account] >= AT_ONCE:
                raise Throttled(AGAIN_SECONDS, f"{AT_ONCE} exports of your account are going on.")
            _running[account] += 1
        self._text = text
        self._end = finalize(self, _release, account)  # once, also where nobody closes it

    def __next__(self) -> str:
        return next(self._text)

    def close(self) -> None:
        self._text.close()
        self._end()


def _release(account: UUID) -> None:
    with _counts:
        _running[account] -= 1
        if not _running[account]:
            del _running[account]


def _text(row: Row, queryset: QuerySet[Any, Any], about: About) -> Generator[str]:
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
