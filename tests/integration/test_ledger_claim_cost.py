"""What a claim reads, by PostgreSQL's own count, whatever waits."""

import pytest
from django.db import connection as database
from django.db.models import Model
from django.utils import timezone

from sync.ledger import finish
from sync.ledger.lease import Lease
from sync.models import Account, Connection, Queue, SyncRun
from tests.factories import make_account, make_connection, make_run
from tests.integration.test_ledger_lanes import claimed


def _columns(model: type[Model], *without: str) -> list[str]:
    return [field.column for field in model._meta.fields if field.column and field.column not in without]


def _copies(run: SyncRun, number: int) -> None:
    """As many further connections of the run's account, each with a waiting run like it."""
    with database.cursor() as cursor:
        columns = _columns(Connection, "id", "external_id")
        cursor.execute(
            f"INSERT INTO sync_connection (id, external_id, {', '.join(columns)})"  # noqa: S608  (our own names)
            f" SELECT gen_random_uuid(), 'act_' || gen_random_uuid(), {', '.join(columns)}"
            " FROM sync_connection, generate_series(1, %s) WHERE id = %s",
            [number, run.connection_id],
        )
        columns = _columns(SyncRun, "id", "connection_id")
        named = ", ".join(f"run.{column}" for column in columns)
        cursor.execute(
            f"INSERT INTO sync_syncrun (id, connection_id, {', '.join(columns)})"  # noqa: S608  (our own words)
            f" SELECT gen_random_uuid(), connection.id, {named}"
            " FROM sync_syncrun run JOIN sync_connection connection ON connection.account_id = run.account_id"
            " WHERE run.id = %s AND connection.id <> run.connection_id"
            " AND NOT EXISTS (SELECT FROM sync_syncrun WHERE connection_id = connection.id)",
            [run.pk],
        )


def _rows_read() -> int:
    """Rows of runs and lanes that this transaction has read so far."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables"
            " WHERE relname IN ('sync_syncrun', 'sync_lane')"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("is_paused", [False, True])
def test_a_claim_reads_no_more_rows_where_a_hundred_times_as_much_waits(
    account: Account, is_paused: bool
) -> None:
    Queue.objects.create(provider="meta", region="default", concurrency=10)
    run = make_run(make_connection(account))
    other = make_account("Globex")
    make_run(make_connection(other))
    reads = []
    for number in (20, 2_000):
        _copies(run, number)
        if is_paused:  # all of one account but its first connection
            Connection.objects.filter(account=account).exclude(pk=run.connection_id).update(
                paused_at=timezone.now()
            )
        with database.cursor() as cursor:
            cursor.execute("ANALYZE sync_syncrun, sync_lane, sync_connection")
        before = _rows_read()
        started = claimed()
        reads.append(_rows_read() - before)
        assert started is not None
        finish.give_back(Lease.of(started), message="", calls=0)

    assert 0 < reads[1] <= reads[0] + 5
