"""Hot statements, run as the server's prepared statements: parsed and planned once per connection.

Not for statements that are rare: those are an ORM query, which says it as well. Django's own cursors
prepare nothing, which makes a small merge four times as dear. `PREPARE_STATEMENTS=false` turns it off.
"""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connection
from psycopg.sql import Composed


def fetch(statement: str | Composed, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement that returns rows, in the transaction that is open, if one is."""
    with connection.cursor() as wrapper, connection.wrap_database_errors:
        cursor = psycopg.Cursor(wrapper.connection)
        return cursor.execute(statement, values).fetchall()


def run(statement: str | Composed, values: Mapping[str, Any]) -> int:
    """Run a statement; returns how many rows it changed."""
    with connection.cursor() as wrapper, connection.wrap_database_errors:
        return psycopg.Cursor(wrapper.connection).execute(statement, values).rowcount
