"""The peers' tables: a history row per job, and the rows that a tiny sync writes."""

from django.db import connection

from benchmarks.harness.product import execute

TABLES = """
    CREATE TABLE IF NOT EXISTS peer_history (
        id bigserial PRIMARY KEY, job text NOT NULL, state text NOT NULL,
        started_at timestamptz NOT NULL, ended_at timestamptz NOT NULL DEFAULT clock_timestamp());
    CREATE TABLE IF NOT EXISTS peer_campaign (
        id bigserial PRIMARY KEY, account text NOT NULL, external_id text NOT NULL, name text NOT NULL,
        status text NOT NULL, raw jsonb NOT NULL, synced_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (account, external_id));
    TRUNCATE peer_history, peer_campaign
"""

RATE = """
    WITH ends AS (SELECT {column} AS at, row_number() OVER (ORDER BY {column}) AS nth FROM {table})
    SELECT count(*) / extract(epoch FROM max(at) - (SELECT at FROM ends WHERE nth = %(warm)s))
    FROM ends WHERE nth > %(warm)s
"""


def empty_tables() -> None:
    """The peers' tables, without rows."""
    execute(TABLES)


def count(table: str = "peer_history") -> int:
    """How many jobs were done."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def rate(*, warm: int, table: str = "peer_history", column: str = "ended_at") -> float:
    """Jobs a second by their rows' own times, after the first `warm` ones."""
    with connection.cursor() as cursor:
        cursor.execute(RATE.format(table=table, column=column), {"warm": warm})
        return float(cursor.fetchone()[0])
