"""Many start at once, as at a deployment: each finds what it needs, and nothing is there twice."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import psycopg
import pytest
from django.db import connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from sync.ledger.queues import ensure_queue
from sync.models import Queue
from sync.schedule.beat import ROWS, ensure_rows
from tests.processes import ROOT, environment

T = TypeVar("T")
EIGHT = 8
EMPTY = "adtiger_boot_races"


def at_once(action: Callable[[], T], number: int = EIGHT) -> list[T]:
    """Do it in so many threads at the same moment, each on a connection of its own."""
    start = threading.Barrier(number)

    def one(_: int) -> T:
        start.wait()
        try:
            return action()
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


@pytest.mark.django_db(transaction=True)
def test_eight_beats_that_start_at_once_make_each_row_once() -> None:
    at_once(ensure_rows)

    assert sorted(PeriodicTask.objects.values_list("name", flat=True)) == sorted(row.name for row in ROWS)
    assert IntervalSchedule.objects.count() == len({row.every for row in ROWS})


@pytest.mark.django_db(transaction=True)
def test_eight_first_requests_make_one_queue() -> None:
    at_once(lambda: ensure_queue("meta", "default"))

    assert Queue.objects.get().name == "sync.meta"


@pytest.fixture
def empty_database(transactional_db: None) -> Iterator[dict[str, str]]:
    """The environment of a machine whose database was just created."""
    here = environment()
    server, _, name = here["DATABASE_URL"].rpartition("/")
    with psycopg.connect(here["DATABASE_URL"], autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {EMPTY}_{name}")
        admin.execute(f"CREATE DATABASE {EMPTY}_{name}")
        yield {**here, "DATABASE_URL": f"{server}/{EMPTY}_{name}"}
        admin.execute(f"DROP DATABASE {EMPTY}_{name} WITH (FORCE)")


@pytest.mark.slow
def test_eight_machines_that_migrate_an_empty_database_at_once_all_succeed(
    empty_database: dict[str, str],
) -> None:
    command = [sys.executable, "manage.py", "migrate", "--noinput"]
    running = [
        subprocess.Popen(
            command, cwd=ROOT, env=empty_database, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(EIGHT)
    ]

    told = [process.communicate(timeout=120)[0] for process in running]

    assert [process.returncode for process in running] == [0] * EIGHT, told
    assert sum("Applying sync.0001_initial... OK" in words for words in told) == 1
    assert sum("No migrations to apply" in words for words in told) == EIGHT - 1


@pytest.mark.slow
def test_eight_web_processes_that_start_at_once_on_a_new_database_all_answer(
    empty_database: dict[str, str],
) -> None:
    """Each boots, migrates as a container's entry point may, and asks its own readiness."""
    script = (
        "import django; django.setup();"
        "from django.core.management import call_command; call_command('migrate', verbosity=0);"
        "from django.test import Client; answer = Client().get('/readyz').json();"
        "print(answer['reasons'])"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env=empty_database,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(EIGHT)
    ]

    told = [process.communicate(timeout=120) for process in running]

    assert [process.returncode for process in running] == [0] * EIGHT, told
    for words, _ in told:
        assert "No worker serves the queue maintenance" in words
        assert "migrations" not in words
        assert "does not answer" not in words
