"""Merge one page of insights: only what differs is written.

The caller holds the transaction and the run's lease, so two merges of one connection can't meet; and the
partitions of the slice's days exist.
"""

from collections.abc import Collection, Iterable
from decimal import Decimal
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple, cast
from uuid import UUID

import orjson
from django.db import connection as database
from psycopg import Cursor
from psycopg.sql import SQL, Composed, Identifier

from providers.records import InsightRecord, InsightSlice
from sync import prepared
from sync.engine.incoming import BY_KEY, SMALL_PAGE, copy_in, jsonb, listed, text_of, types_of, without_nul
from sync.models import Insight

COLUMNS = InsightRecord._fields
KEY = ("external_id", "day")
BY_TYPE = "conversions_by_type"
OBJECTS = [COLUMNS.index(column) for column in (BY_TYPE, "extra")]  # written as JSON
TYPES = types_of(Insight, COLUMNS)
TEXTS = [place for place, type in enumerate(TYPES) if type == "text"]
TABLE = Identifier(Insight._meta.db_table)
# Named by its columns too: behind a pooler it may outlive a deployment that changes them.
INCOMING = Identifier(f"incoming_insight_{sha256(','.join(COLUMNS).encode()).hexdigest()[:8]}")


class Merged(NamedTuple):
    """How many rows were written, and why."""

    created: int
    updated: int

    def as_changes(self) -> dict[str, int]:
        """Only what happened."""
        return {name: count for name, count in self._asdict().items() if count}


def merge_insights(
    slice: InsightSlice, records: Collection[InsightRecord], *, connection_id: UUID, run_id: UUID
) -> Merged:
    """Write what differs. Each day and entity is there once, and of the slice's days."""
    if not records:
        return Merged(0, 0)
    values = {
        "connection": connection_id,
        "run": run_id,
        "level": slice.level.value,
        "since": slice.since,
        "until": slice.until,
    }
    if len(records) <= SMALL_PAGE:
        return _merge_sent(records, values)
    return _merge_copied(records, values)


def _merge_copied(records: Iterable[InsightRecord], values: dict[str, Any]) -> Merged:
    with database.cursor() as wrapper:
        cursor = cast("Cursor[Any]", wrapper.cursor)
        cursor.execute(_create_incoming())
        copy_in(cursor, INCOMING, TYPES, map(_row, records))
        cursor.execute(BY_KEY)
        cursor.execute(_merge_copied_rows(), values)
        merged = Merged(*cast("tuple[int, int]", cursor.fetchone()))
        cursor.execute(SQL("TRUNCATE {}").format(INCOMING))  # the next page may come in this transaction
    return merged


def _merge_sent(records: Iterable[InsightRecord], values: dict[str, Any]) -> Merged:
    sent = orjson.dumps([record._asdict() for record in records], default=_as_text)
    merge_sent = _merge_sent_rows(), {**values, "sent": without_nul(sent).decode()}
    _, [counts] = prepared.together((BY_KEY, {}), merge_sent)
    return Merged(*counts)


def _as_text(value: Decimal) -> str:
    return str(value)


def _row(record: InsightRecord) -> list[Any]:
    """Its columns. PostgreSQL stores no NUL; U+FFFD is what Unicode has for such a character."""
    row: list[Any] = list(record)
    for column in TEXTS:
        if "\0" in row[column]:
            row[column] = row[column].replace("\0", "\ufffd")
    for column in OBJECTS:
        if row[column] is not None:
            row[column] = jsonb(without_nul(orjson.dumps(row[column])))
    return row


@cache
def _create_incoming() -> Composed:
    return SQL(
        "CREATE TEMPORARY TABLE IF NOT EXISTS {incoming} AS SELECT {columns} FROM {table} WITH NO DATA"
    ).format(incoming=INCOMING, columns=listed(COLUMNS), table=TABLE)


@cache
def _merge_sent_rows() -> str:
    """Sent as JSON, and read with the table's own types."""
    sent = SQL("(SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, %(sent)s::jsonb))")
    return text_of(_merge_from(sent.format(columns=listed(COLUMNS), table=TABLE)))


@cache
def _merge_copied_rows() -> Composed:
    return _merge_from(INCOMING)


def _merge_from(incoming: Composed | Identifier) -> Composed:
    """The days are named twice: as values they choose the partitions, as columns the rows.

    Conversions by type that were not asked for leave what is there.
    """
    metrics = [column for column in COLUMNS if column not in (*KEY, BY_TYPE)]
    return SQL(
        """
        WITH merged AS (
            MERGE INTO {table} AS t USING {incoming} AS s
            ON t.connection_id = %(connection)s::uuid AND t.level = %(level)s::text
                AND t.day BETWEEN %(since)s::date AND %(until)s::date
                AND t.day = s.day AND t.external_id = s.external_id
            WHEN MATCHED AND ({t_metrics}, t.{by_type})
                    IS DISTINCT FROM ({s_metrics}, coalesce(s.{by_type}, t.{by_type}))
                THEN UPDATE SET {assignments}, {by_type} = coalesce(s.{by_type}, t.{by_type}),
                    run_id = %(run)s::uuid, updated_at = statement_timestamp()
            WHEN NOT MATCHED THEN INSERT (connection_id, level, run_id, updated_at, {columns}, {by_type})
                VALUES (%(connection)s::uuid, %(level)s::text, %(run)s::uuid, statement_timestamp(),
                    {s_columns}, coalesce(s.{by_type}, '{{}}'))
            RETURNING merge_action() AS action
        )
        SELECT count(*) FILTER (WHERE action = 'INSERT'), count(*) FILTER (WHERE action = 'UPDATE')
        FROM merged
        """
    ).format(
        table=TABLE,
        incoming=incoming,
        t_metrics=listed(metrics, "t"),
        s_metrics=listed(metrics, "s"),
        assignments=SQL(", ").join(SQL("{0} = s.{0}").format(Identifier(column)) for column in metrics),
        columns=listed((*KEY, *metrics)),
        s_columns=listed((*KEY, *metrics), "s"),
        by_type=Identifier(BY_TYPE),
    )
