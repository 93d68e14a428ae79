"""The partitions of the insights: one per month, made before a month is written, dropped when it is too old.

Made apart and then attached, which lets all others read and write on; dropping waits for nobody for long.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date

import structlog
from django.conf import settings
from django.db import OperationalError, transaction
from django.db import connection as database
from psycopg.sql import SQL, Identifier, Literal

from sync.models import Insight

logger = structlog.get_logger(__name__)

TABLE = str(Insight._meta.db_table)
LOCK = 4_817_016_404  # any number that nobody else in this database uses
# Readers and writers queue behind a drop that waits, so it waits no longer than they may.
PATIENCE = "1s"
# Room for metrics that move within the day: an updated row stays on its page, and its index entry as it is.
FILLFACTOR = 85
ATTACHED = """
    SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
    WHERE inhparent = %s::regclass ORDER BY child.relname
"""


def ensure_partitions(since: date, until: date) -> None:
    """Make what is missing for these days. Not within a transaction that holds locks of others' work."""
    missing = {name_of(month): month for month in months(since, until)}
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NULL", [list(missing)]
        )
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        _make(name, missing[name])


def drop_old_partitions(today: date) -> list[str]:
    """Drop the months past their retention; returns their names. One in use is left to the next time."""
    old = [name for name in partitions() if name < name_of(oldest_kept(today))]
    return [name for name in old if _drop(name)]


def oldest_kept(today: date) -> date:
    """The first day of the oldest month that is kept."""
    return add_months(today, -settings.INSIGHTS_MONTHS)


def partitions() -> list[str]:
    """The names of all that there are, the oldest first."""
    with database.cursor() as cursor:
        cursor.execute(ATTACHED, [TABLE])
        return [name for (name,) in cursor.fetchall()]


def months(since: date, until: date) -> Iterator[date]:
    """The first days of all months that the days are in."""
    month = since.replace(day=1)
    while month <= until:
        yield month
        month = add_months(month, 1)


def add_months(day: date, number: int) -> date:
    """The first day of the month that lies so many months away."""
    months_since_year_0 = day.year * 12 + day.month - 1 + number
    return date(months_since_year_0 // 12, months_since_year_0 % 12 + 1, 1)


def name_of(day: date) -> str:
    """Of the partition that holds the day: as names sort, so do the months."""
    return f"{TABLE}_{day:%Y_%m}"


def _make(name: str, month: date) -> None:
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if name in partitions():  # somebody made it while we waited; to_regclass would not know it yet
            return
        values = {
            "table": Identifier(TABLE),
            "name": Identifier(name),
            "fillfactor": Literal(FILLFACTOR),
            "since": Literal(month),
            "until": Literal(add_months(month, 1)),
        }
        cursor.execute(
            SQL("CREATE TABLE {name} (LIKE {table} INCLUDING ALL) WITH (fillfactor = {fillfactor})").format(
                **values
            )
        )
        cursor.execute(
            SQL("ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({since}) TO ({until})").format(
                **values
            )
        )
    logger.info("partition made", partition=name)


def _drop(name: str) -> bool:
    with suppress(OperationalError), transaction.atomic(), database.cursor() as cursor:
        cursor.execute(SQL("SET LOCAL lock_timeout = {}").format(Literal(PATIENCE)))
        cursor.execute(SQL("DROP TABLE {}").format(Identifier(name)))
        logger.info("partition dropped", partition=name)
        return True
    return False
