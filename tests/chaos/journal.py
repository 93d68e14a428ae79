"""Everything that the ledger's rows went through, written by triggers in the order of commits.

What a row is at the end does not tell what a claim could see; the journal does. The triggers stand in
the database of chaos only.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection as database
from django.db import transaction

# For each table, the columns whose change is noted. Of a run each write is: it holds the run locked.
TABLES: dict[str, tuple[str, ...]] = {
    "sync_syncrun": (),
    "sync_connection": ("status", "paused_at", "credential_id"),
    "sync_credential": ("status",),
    "sync_account": ("paused_at",),
    "sync_queue": ("paused_at", "concurrency"),
    "sync_syncattempt": ("calls", "outcome", "ended_at"),
}
RULES = ("status", "paused_at", "concurrency", "credential_id")
RUN = ("connection_id", "account_id", "provider", "region", "kind", "state", "priority", "trigger")
PLACE = ("queued_at", "rank", "is_held")
FENCE = ("lease_token", "starts_without_progress")
ATTEMPT = ("run_id", "ended_at")
NOTED = ("id", *RULES, *RUN, *PLACE, *FENCE, *ATTEMPT)  # the rest holds secrets and pages

_TABLE = """
    CREATE TABLE chaos_journal (
        number bigint GENERATED ALWAYS AS IDENTITY,
        began timestamptz DEFAULT transaction_timestamp(),
        at timestamptz DEFAULT clock_timestamp(),
        xid xid8 DEFAULT pg_current_xact_id(),
        source text,
        was jsonb,
        is_now jsonb);
    CREATE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO chaos_journal (source, was, is_now)
        VALUES (TG_TABLE_NAME, CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(OLD) - 'raw' END, to_jsonb(NEW));
        RETURN NULL;
    END $$
"""
_TRIGGERS = """
    CREATE TRIGGER chaos_made AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION chaos_note();
    CREATE TRIGGER chaos_changed AFTER UPDATE ON {table} FOR EACH ROW {when} EXECUTE FUNCTION chaos_note()
"""
_SNAPSHOT = """
    INSERT INTO chaos_journal (source, was, is_now) SELECT %s, NULL, to_jsonb(row) FROM {table} row
    WHERE to_jsonb(row) ->> 'finished_at' IS NULL AND to_jsonb(row) ->> 'ended_at' IS NULL
"""
_READ = """
    SELECT number, began, at, pg_xact_commit_timestamp(xid::xid) AS committed, xid::text, source,
        {noted} FROM chaos_journal ORDER BY committed, number
"""


@dataclass(frozen=True)
class Event:
    """One change of one row, its transaction's beginning and end, and what it was before."""

    number: int
    began: datetime
    at: datetime
    committed: datetime
    xid: str
    source: str
    row: dict[str, Any]
    before: dict[str, Any]

    @property
    def is_claim(self) -> bool:
        """A run was given to a worker."""
        was, is_now = self.before.get("state"), self.row.get("state")
        return self.source == "sync_syncrun" and (was, is_now) == ("queued", "running")


def install() -> None:
    """Begin to write."""
    with database.cursor() as cursor:
        cursor.execute(_TABLE)
        for table, columns in TABLES.items():
            old, new = (", ".join(f"{row}.{name}" for name in columns) for row in ("OLD", "NEW"))
            when = f"WHEN (({old}) IS DISTINCT FROM ({new}))" if columns else ""
            cursor.execute(_TRIGGERS.format(table=table, when=when))


def read() -> list[Event]:
    """All of it, as it was committed."""
    noted = ", ".join(_object(column) for column in ("is_now", "was"))
    with database.cursor() as cursor:
        cursor.execute(_READ.format(noted=noted))
        return [
            Event(number, began, at, committed, xid, source, _parsed(is_now), _parsed(was))
            for number, began, at, committed, xid, source, is_now, was in cursor.fetchall()
        ]


def clear() -> None:
    """Begin anew, from what the rows are now; of runs and attempts only the open ones."""
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("TRUNCATE chaos_journal")  # and let nobody write until it is told what there is
        for table in TABLES:
            cursor.execute(_SNAPSHOT.format(table=table), [table])


def _object(column: str) -> str:
    """Only what is judged."""
    pairs = ", ".join(f"'{name}', {column} -> '{name}'" for name in NOTED)
    return f"jsonb_build_object({pairs})"


def _parsed(value: Any) -> dict[str, Any]:
    row: dict[str, Any] = orjson.loads(value)
    if row["queued_at"]:
        row["queued_at"] = datetime.fromisoformat(row["queued_at"])
    return row
