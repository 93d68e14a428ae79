"""Hot statements, run as the server's prepared statements: parsed and planned once per connection.

Not for statements that are rare: those are an ORM query, which says it as well. Django's own cursors
prepare nothing, which makes a small merge four times as dear. `PREPARE_STATEMENTS=false` turns it off.
"""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connection
from psycopg.sql import Composed

Statement = str | Composed
Asked = tuple[Statement, Mapping[str, Any]]
Rows = list[tuple[Any, ...]]


def fetch(statement: Statement, values: Mapping[str, Any]) -> Rows:
    """Run a statement that returns rows, in the transaction that is open, if one is."""
    with connection.wrap_database_errors:
        return psycopg.Cursor(_session()).execute(statement, values).fetchall()


def run(statement: Statement, values: Mapping[str, Any]) -> int:
    """Run a statement; returns how many rows it changed."""
    with connection.wrap_database_errors:
        return psycopg.Cursor(_session()).execute(statement, values).rowcount


def together(*statements: Asked, commits: bool = False) -> list[Rows]:
    """Run statements in one round trip, in the transaction that is open or in one of their own: all or none.

    Each sees what those before it did. A transaction that was not begun yet begins in the same trip, and ends
    in it where it `commits`: not within another one.
    """
    with connection.wrap_database_errors:
        session = _session()
        cursors = [psycopg.Cursor(session) for _ in statements]
        with session.pipeline():
            for cursor, (statement, values) in zip(cursors, statements, strict=True):
                cursor.execute(statement, values)
            if commits:
                psycopg.Cursor(session).execute("COMMIT")  # Django's own then finds nothing left to commit
        return [cursor.fetchall() if _has_rows(cursor) else [] for cursor in cursors]


def _session() -> psycopg.Connection[tuple[Any, ...]]:
    connection.ensure_connection()
    session: psycopg.Connection[tuple[Any, ...]] = connection.connection
    return session


def _has_rows(cursor: psycopg.Cursor[tuple[Any, ...]]) -> bool:
    """Whether its statement returns any: `description`, which tells it too, is made anew of all columns."""
    return cursor.pgresult is not None and cursor.pgresult.nfields > 0
