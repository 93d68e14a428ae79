"""What both merges, of the catalog and of the insights, do to the rows that come in."""

import re
from collections.abc import Iterable

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

ESCAPED_NUL = re.compile(r"((?<!\\)(?:\\\\)*)\\u0000")  # behind an even number of backslashes


def without_nul(json: str) -> str:
    """PostgreSQL stores no NUL; U+FFFD is what Unicode has for such a character."""
    return ESCAPED_NUL.sub(r"\1\\ufffd", json) if "\\u0000" in json else json


def listed(columns: Iterable[str], table: str | None = None) -> Composed:
    """Their names, each of the table where one is given, with commas between them."""
    return SQL(", ").join(Identifier(table, column) if table else Identifier(column) for column in columns)


def text_of(statement: Composed) -> str:
    """A statement that is run often: psycopg puts one of parts together at every use, and remembers of a text
    how to send it."""
    return " ".join(statement.as_string().split())
