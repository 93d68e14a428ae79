"""Merge records into the catalog: COPY into a temporary table, then one MERGE; a small page in one step.

Guarantee: only rows that differ are written, and each difference becomes a Change in the same
statement. The caller holds the transaction and the run's lease, so two merges of one connection
can't meet.
"""

from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple, cast
from uuid import UUID

import orjson
from django.db import connection as database
from psycopg import Cursor, sql
from psycopg.sql import SQL, Composed, Identifier

from providers.records import Record, Stream
from sync.engine.chunk import HOLDS
from sync.engine.incoming import (
    BY_KEY,
    NUL,
    SMALL_PAGE,
    copy_in,
    jsonb,
    listed,
    text_of,
    types_of,
    without_nul,
)
from sync.engine.streams import TARGETS, Target
from sync.ledger.lease import Lease
from sync.prepared import Asked, Rows

# Kept out of the change history: they differ whenever anything does, and say nothing by themselves.
UNTOLD = {"external_id", "raw", "platform_updated_at"}

_MERGE = SQL("""
    WITH merged AS (
        MERGE INTO {table} AS t USING {incoming} AS s
        ON t.connection_id = %(connection)s::uuid AND t.external_id = s.external_id
        WHEN MATCHED AND (({t_values}) IS DISTINCT FROM ({s_values}) OR t.removed_at IS NOT NULL)
            THEN UPDATE SET {assignments}, removed_at = NULL
        WHEN NOT MATCHED THEN INSERT (connection_id, {columns}) VALUES (%(connection)s::uuid, {s_columns})
        RETURNING merge_action() AS action, new.external_id, old.removed_at AS old_removed_at, {old_new}
    ), told AS (
        INSERT INTO sync_change (connection_id, run_id, entity, external_id, action, field, old, new)
        SELECT %(connection)s::uuid, %(run)s::uuid, %(entity)s::text, change.*
        FROM merged CROSS JOIN LATERAL (
            SELECT external_id, 'updated', field, was, is_now
            FROM (VALUES {fields}) AS f (field, was, is_now)
            WHERE action = 'UPDATE' AND was IS DISTINCT FROM is_now
            UNION ALL
            SELECT external_id, 'created', '', NULL, NULL
            WHERE action = 'INSERT' AND %(tell_created)s::boolean
            UNION ALL
            SELECT external_id, 'returned', '', NULL, NULL
            WHERE action = 'UPDATE' AND old_removed_at IS NOT NULL
        ) change
    )
    SELECT count(*) FILTER (WHERE action = 'INSERT'),
           count(*) FILTER (WHERE action = 'UPDATE' AND old_removed_at IS NULL),
           count(*) FILTER (WHERE action = 'UPDATE' AND old_removed_at IS NOT NULL)
    FROM merged
""")


class Merged(NamedTuple):
    """How many rows were written, and why."""

    created: int
    updated: int
    returned: int

    def as_changes(self) -> dict[str, int]:
        """Only what happened."""
        return {name: count for name, count in self._asdict().items() if count}


class Merging:
    """A page on its way into the catalog. `tell_created` is off for a connection's first sync, where all is
    new.

    A small page is `asked` in the trip that begins the chunk: it writes nothing unless the lease holds, by
    the database's own look, so it need not wait for that answer.
    """

    def __init__(
        self,
        stream: Stream,
        records: Iterable[Record],
        *,
        connection_id: UUID,
        lease: Lease,
        tell_created: bool,
    ) -> None:
        rows = {record.external_id: record for record in records}  # a row can come twice: the last one counts
        self._target, self._records = TARGETS[stream], list(rows.values())
        self._values = {
            "connection": connection_id,
            "run": lease.run_id,
            "token": lease.token,
            "entity": self._target.entity.value,
            "tell_created": tell_created,
        }
        self.asked = self._asked() if 0 < len(rows) <= SMALL_PAGE else []

    def merged(self, answers: list[Rows]) -> Merged:
        """What was written, as the answers to what was `asked` say; a large page is written now."""
        if self.asked:
            _, [counts] = answers
            return Merged(*counts)
        return _merge_copied(self._target, self._records, self._values) if self._records else Merged(0, 0, 0)

    def _asked(self) -> list[Asked]:
        sent = without_nul(orjson.dumps([record._asdict() for record in self._records])).decode()
        return [(BY_KEY, {}), (_merge_sent_rows(self._target), {**self._values, "sent": sent})]


def _merge_copied(target: Target, records: Iterable[Record], values: dict[str, Any]) -> Merged:
    incoming = _incoming_name(target)
    with database.cursor() as wrapper:
        cursor = cast("Cursor[Any]", wrapper.cursor)
        cursor.execute(_create_incoming(target))
        copy_in(cursor, incoming, _types(target), map(_row, records))
        cursor.execute(BY_KEY)
        cursor.execute(_merge_copied_rows(target), values)
        merged = Merged(*cast("tuple[int, int, int]", cursor.fetchone()))
        cursor.execute(SQL("TRUNCATE {}").format(incoming))  # the next page may come in this transaction
    return merged


def _row(record: Record) -> tuple[Any, ...]:
    """The record's columns. PostgreSQL stores no NUL; U+FFFD is what Unicode has for such a character."""
    raw = orjson.dumps(record.raw)
    if NUL not in raw:  # or one of the columns, which are taken from it, may have one
        return (*record[:-1], jsonb(raw))
    values = (value.replace("\0", "\ufffd") if isinstance(value, str) else value for value in record[:-1])
    return (*values, jsonb(without_nul(raw)))


@cache
def _types(target: Target) -> list[str]:
    return types_of(target.model, target.columns)


def _incoming_name(target: Target) -> Identifier:
    """Named by its columns too: behind a pooler it may outlive a deployment that changes them."""
    version = sha256(",".join(target.columns).encode()).hexdigest()[:8]
    return Identifier(f"incoming_{target.entity}_{version}")


@cache
def _create_incoming(target: Target) -> Composed:
    return SQL(
        "CREATE TEMPORARY TABLE IF NOT EXISTS {incoming} AS SELECT {columns} FROM {table} WITH NO DATA"
    ).format(
        incoming=_incoming_name(target),
        columns=listed(target.columns),
        table=Identifier(target.table),
    )


@cache
def _merge_copied_rows(target: Target) -> Composed:
    return _merge_from(target, _incoming_name(target))


@cache
def _merge_sent_rows(target: Target) -> str:
    """Sent as JSON, and read with the table's own types."""
    sent = SQL("(SELECT * FROM jsonb_populate_recordset(NULL::{table}, %(sent)s::jsonb) WHERE {holds})")
    incoming = sent.format(table=Identifier(target.table), holds=SQL(HOLDS))
    return text_of(_merge_from(target, incoming))


def _merge_from(target: Target, incoming: Composed | Identifier) -> Composed:
    told = [column for column in target.columns if column not in UNTOLD]
    # short names, for psycopg reads a long statement anew at every use
    names = [(column, SQL(f"o{n}"), SQL(f"n{n}")) for n, column in enumerate(told)]
    values = [column for column in target.columns if column != "external_id"]
    return _MERGE.format(
        table=Identifier(target.table),
        incoming=incoming,
        columns=listed(target.columns),
        t_values=listed(values, "t"),
        s_values=listed(values, "s"),
        s_columns=listed(target.columns, "s"),
        assignments=SQL(", ").join(SQL("{0} = s.{0}").format(Identifier(column)) for column in values),
        old_new=SQL(", ").join(
            SQL("old.{0} AS {1}, new.{0} AS {2}").format(Identifier(column), was, is_now)
            for column, was, is_now in names
        ),
        fields=SQL(", ").join(
            SQL("({}, to_jsonb({}), to_jsonb({}))").format(sql.Literal(column), was, is_now)
            for column, was, is_now in names
        ),
    )
