"""Django's migrate, one at a time."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from django.core.management.commands.migrate import Command as MigrateCommand
from django.db import connections

from sync.management.command import AdTigerCommand

LOCK = 4_817_016_402  # any number that nobody else in this database uses
PAUSE_SECONDS = 0.3  # between two looks; a migration of a new database takes some seconds


class Command(AdTigerCommand, MigrateCommand):
    """Where several machines start at once, each may migrate: the first does it, the others find it done."""

    examples = ("migrate", "migrate --check")

    def handle(self, *args: Any, **options: Any) -> None:
        with _one_at_a_time(options["database"]):
            super().handle(*args, **options)


@contextmanager
def _one_at_a_time(alias: str) -> Iterator[None]:
    """By a transaction on a connection of its own: a pooler in between would lose a session's lock.

    It is asked for again and again: who waits inside a query holds a snapshot, for whose end the other's
    CREATE INDEX CONCURRENTLY would wait in turn.
    """
    with closing(connections.create_connection(alias)) as guard, guard.cursor() as cursor:
        while not _locked(cursor):
            cursor.execute("ROLLBACK")
            time.sleep(PAUSE_SECONDS)
        yield
        cursor.execute("ROLLBACK")


def _locked(cursor: Any) -> bool:
    cursor.execute("BEGIN")
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
    return bool(cursor.fetchone()[0])
