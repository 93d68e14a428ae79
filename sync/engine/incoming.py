"""What both merges, of the catalog and of the insights, do to the rows that come in."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from django.db.models import Model
from psycopg import Cursor
from psycopg.sql import SQL, Composed, Identifier

# A page is looked up by key, row by row. Without this the planner, who has no statistics of the incoming
# rows and stale ones of a table that is filled for the first time, reads the account once per page or row.
# For the transaction only.
BY_KEY = "SELECT " + ", ".join(
    f"set_config('enable_{way}', 'off', true)"
    for way in ("hashjoin", "mergejoin", "material", "seqscan", "bitmapscan")
)

# Up to so many rows are sent with the statement itself: a temporary table costs as much as merging them.
SMALL_PAGE = 100

NUL = b"\\u0000"  # as JSON writes it; or its text, behind another backslash
ESCAPED_NUL = re.compile(rb"((?<!\\)(?:\\\\)*)\\u0000")  # behind an even number of backslashes


def without_nul(json: bytes) -> bytes:
    """PostgreSQL stores no NUL; U+FFFD is what Unicode has for such a character."""
    return ESCAPED_NUL.sub(rb"\1\\ufffd", json) if NUL in json else json


def as_array(name: str) -> str:
    """SQL for a named value that `as_json` made: psycopg would write a list text by text, in Python."""
    return f"ARRAY(SELECT jsonb_array_elements_text(%({name})s::jsonb))"


def as_json(texts: list[str]) -> str:
    """Thousands of texts as one."""
    return without_nul(orjson.dumps(texts)).decode()


# How PostgreSQL takes a column's values in a binary COPY: neither side makes text of them.
_BINARY = {
    "BigIntegerField": "int8",
    "CharField": "text",
    "DateField": "date",
    "DateTimeField": "timestamptz",
    "DecimalField": "numeric",
    "JSONField": "bytea",  # bytes as they are: `jsonb` makes them
    "TextField": "text",
}


def types_of(model: type[Model], columns: Iterable[str]) -> list[str]:
    """What `copy_in` is to be told of these columns of a table."""
    return [_BINARY[model._meta.get_field(column).get_internal_type()] for column in columns]


def copy_in(cursor: Cursor[Any], table: Identifier, types: list[str], rows: Iterable[Sequence[Any]]) -> None:
    """COPY rows into a table, JSON as `jsonb` makes it."""
    with cursor.copy(SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(table)) as copy:
        copy.set_types(types)
        write = copy.write_row
        for row in rows:
            write(row)


def jsonb(json: bytes) -> bytes:
    """As PostgreSQL receives it: the form's version, then the text, which has no NUL."""
    return b"\x01" + json


def listed(columns: Iterable[str], table: str | None = None) -> Composed:
    """Their names, each of the table where one is given, with commas between them."""
    return SQL(", ").join(Identifier(table, column) if table else Identifier(column) for column in columns)


def text_of(statement: Composed) -> str:
    """A statement that is run often: psycopg puts one of parts together at every use, and remembers of a text
    how to send it."""
    return " ".join(statement.as_string().split())
