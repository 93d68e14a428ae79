"""The rows of django-celery-beat: made at beat's start where they are missing, never overwritten.

A handful of rows, whatever the number of connections: what is due stands in our own tables. So a
second beat, or an operator's edit in the admin, does no harm.
"""

from datetime import timedelta
from typing import Any, NamedTuple

from celery.signals import beat_init
from django.db import connection, transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask

LOCK = 4_817_016_403  # any number that nobody else in this database uses


class Row(NamedTuple):
    """One periodic task and its interval."""

    name: str
    task: str
    every: timedelta
    description: str


ROWS = (
    Row(
        "Tick", "sync.tick", timedelta(seconds=5), "Promotes due runs, takes back lost ones, nudges workers."
    ),
    Row("Hourly syncs", "sync.hourly", timedelta(minutes=1), "Asks for the syncs whose time has come."),
    Row(
        "Upkeep",
        "sync.upkeep",
        timedelta(minutes=1),
        "Mends holds that a race missed, ends syncs that nobody reconnects.",
    ),
    Row("Clean-up", "sync.clean_up", timedelta(hours=1), "Removes history past its retention."),
)


def ensure_rows() -> None:
    """Make the rows that are missing, whoever else does so at the same moment."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])  # equal intervals are not unique
        for row in ROWS:
            if PeriodicTask.objects.filter(name=row.name).exists():
                continue
            seconds = int(row.every.total_seconds())
            interval = IntervalSchedule.objects.filter(every=seconds, period=IntervalSchedule.SECONDS).first()
            interval = interval or IntervalSchedule.objects.create(
                every=seconds, period=IntervalSchedule.SECONDS
            )
            PeriodicTask.objects.get_or_create(
                name=row.name,
                defaults={
                    "task": row.task,
                    "interval": interval,
                    "queue": "maintenance",
                    "expire_seconds": max(2 * seconds, 30),  # a backlog of ticks helps nobody
                    "description": row.description,
                },
            )


@beat_init.connect
def on_beat_init(**_: Any) -> None:
    """Beat starts: its rows are there before it reads them."""
    ensure_rows()
