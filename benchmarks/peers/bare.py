"""Walks that write by hand: the limit (COPY into a table without keys), and COPY with a MERGE.

One table for all levels, with the columns that every product needs: key, parents, name, states, times, raw.
"""

from collections.abc import Iterator
from typing import Any, cast

import orjson
from django.db import connection, transaction
from psycopg import Cursor

from benchmarks.harness.product import execute
from benchmarks.peers.walk import Row, Walk
from providers.records import Stream

COLUMNS = "id, level, campaign_id, ad_group_id, name, status, effective_status, created_at, updated_at, raw"
_TABLE = """
    DROP TABLE IF EXISTS peer_walk;
    CREATE TABLE peer_walk (
        id text NOT NULL, level text NOT NULL, campaign_id text, ad_group_id text, name text, status text,
        effective_status text, created_at timestamptz, updated_at timestamptz, raw jsonb
    );
"""
_KEYS = """
    ALTER TABLE peer_walk ADD PRIMARY KEY (id);
    CREATE INDEX ON peer_walk (campaign_id);
    CREATE INDEX ON peer_walk (ad_group_id);
"""
_MERGE = """
    MERGE INTO peer_walk t USING incoming s ON t.id = s.id
    WHEN MATCHED AND (t.*) IS DISTINCT FROM (s.*) THEN UPDATE SET
        name = s.name, status = s.status, effective_status = s.effective_status,
        created_at = s.created_at, updated_at = s.updated_at, raw = s.raw
    WHEN NOT MATCHED THEN INSERT VALUES (s.*)
"""


def empty(*, keys: bool) -> None:
    """The table, new."""
    execute(_TABLE + (_KEYS if keys else ""))


def limit(walk: Walk) -> None:
    """Fetch, parse and COPY: nobody who stores the rows can be faster."""
    empty(keys=False)
    with transaction.atomic():
        for stream in Stream:
            _copy("peer_walk", walk, stream)


def merge(walk: Walk) -> None:
    """COPY into a temporary table and one MERGE for each level; no changes told, nothing to resume by."""
    with transaction.atomic():
        for stream in Stream:
            with connection.cursor() as cursor:
                cursor.execute("CREATE TEMPORARY TABLE incoming (LIKE peer_walk) ON COMMIT DROP")
            _copy("incoming", walk, stream)
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE incoming")
                cursor.execute(_MERGE)
                cursor.execute("DROP TABLE incoming")


def _copy(table: str, walk: Walk, stream: Stream) -> None:
    with connection.cursor() as wrapper:
        cursor = cast("Cursor[Any]", wrapper.cursor)
        with cursor.copy(f"COPY {table} ({COLUMNS}) FROM STDIN") as copy:
            for row in _rows(walk, stream):
                copy.write_row(row)


def _rows(walk: Walk, stream: Stream) -> Iterator[tuple[Any, ...]]:
    for page in walk.pages(stream):
        for row in page:
            yield _row(row, stream)


def _row(row: Row, stream: Stream) -> tuple[Any, ...]:
    get = row.get
    parents, states = (get("campaign_id"), get("adset_id")), (get("status"), get("effective_status"))
    times = (get("created_time"), get("updated_time"))
    return (row["id"], stream, *parents, get("name"), *states, *times, orjson.dumps(row).decode())
