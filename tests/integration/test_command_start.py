"""worker, beat, sandbox and manage.py itself: they start, or say in one line why not."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
import pytest
import requests
from django.conf import settings
from django_celery_beat.models import PeriodicTask
from psycopg import sql

from sync.models import Pulse
from sync.schedule.beat import ROWS
from tests.processes import ROOT, environment, eventually

COMMANDS = sorted(path.stem for path in (ROOT / "sync/management/commands").glob("[a-z]*.py"))


def manage(*arguments: str, **overrides: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**environment(), **overrides},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example_and_a_test(db: None, command: str) -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_command_*.py"))

    done = manage(command, "--help")

    assert done.returncode == 0
    assert f"Examples:\n  manage.py {command}" in done.stdout
    assert f'"{command}"' in tests


def test_a_reader_that_goes_away_is_no_defect(db: None) -> None:
    command = [sys.executable, "manage.py", "help"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""

    assert process.returncode == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("served", ["meta", "google", "maintenance", "all"])
@pytest.mark.slow
def test_a_worker_serves_its_queues_and_stops_on_sigterm(served: str) -> None:
    queues = {
        "meta": {"sync.meta"},
        "google": {"sync.google"},
        "maintenance": {"maintenance"},
        "all": {"sync.meta", "sync.google", "maintenance"},
    }
    children = {**settings.CONCURRENCY, "maintenance": 2}  # for a clean-up must not hold up the ticks
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker", served],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        eventually(Pulse.objects.exists, seconds=30, what="a pulse")
        pulse = Pulse.objects.get()
        assert set(pulse.queues) == queues[served]
        assert pulse.concurrency == children.get(served, sum(children.values()))
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_a_worker_that_reloads_starts_anew_when_the_code_changes(tmp_path: Path) -> None:
    copy = tmp_path / "a copy"  # so that no other process sees the change
    for folder in ("adtiger", "sync", "providers"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", copy)
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker", "maintenance", "--reload"],
        cwd=copy,
        env=environment(ADTIGER_HOME=str(tmp_path / "home")),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        eventually(Pulse.objects.exists, seconds=30, what="a pulse")
        first = Pulse.objects.get()
        with (copy / "sync/tasks.py").open("a") as code:
            code.write("# changed\n")
        others = Pulse.objects.exclude(name=first.name)
        eventually(others.exists, seconds=30, what="a pulse of the worker with the new code")
        assert others.get().queues == ["maintenance"]
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_a_worker_needs_at_least_one_child(db: None) -> None:
    done = manage("worker", "meta", "--concurrency", "0")

    assert done.returncode == 2
    assert "argument --concurrency: must be from 1" in done.stderr


def test_wrong_use_is_told_by_its_exit_code(db: None) -> None:
    done = manage("sync")

    assert done.returncode == 2
    assert done.stderr == "WrongUse: Say what to sync: --connection, --account, --provider or --all.\n"


def test_the_sandbox_listens_where_it_says(db: None) -> None:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "sandbox", "--port", "0", "--google", "2/4/8"],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    with process.stdout as output:
        told = json.loads(output.readline())
        assert told["META_GRAPH_URL"].startswith("http://127.0.0.1:")
        accounts = requests.get(f"{told['url']}/control/accounts", timeout=10).json()["accounts"]
        generated = [one for one in accounts if one["platform"] == "google" and "Recorded" not in one["name"]]
        assert [one["is_manager"] for one in generated].count(False) == 1
        taken = manage("sandbox", "--port", str(urlsplit(told["url"]).port))
        process.terminate()
    process.wait(timeout=10)

    assert taken.returncode == 1
    assert taken.stderr.startswith("CommandError: --port: ")
    assert taken.stderr.count("\n") == 1


def test_migrate_of_an_up_to_date_database_has_nothing_to_do(db: None) -> None:
    done = manage("migrate")

    assert done.returncode == 0
    assert "No migrations to apply" in done.stdout


@pytest.mark.django_db(transaction=True)
def test_beat_makes_its_rows() -> None:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "beat"],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        rows = PeriodicTask.objects.filter(task__startswith="sync.")
        eventually(lambda: rows.count() == len(ROWS), seconds=30, what="beat's rows")
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_without_configuration_manage_says_what_is_missing(db: None) -> None:
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}

    done = subprocess.run(
        [sys.executable, "manage.py", "history"],
        cwd=ROOT,
        env=bare,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "DATABASE_URL is required" in done.stderr


def test_an_unreachable_database_is_told_in_one_line_without_the_password(db: None) -> None:
    started = time.monotonic()

    done = manage("history", DATABASE_URL="postgresql://adtiger:pa55word@127.0.0.1:9/adtiger")

    assert done.returncode == 2
    assert "DATABASE_URL" in done.stderr
    assert "127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr
    assert "pa55word" not in done.stderr
    assert time.monotonic() - started < 20


@pytest.fixture
def empty_database(db: None) -> Iterator[str]:
    """The URL of a database without tables."""
    url = environment()["DATABASE_URL"]
    name = f"{url.rpartition('/')[2]}_empty"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield f"{url.rpartition('/')[0]}/{quote(name)}"
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_a_database_without_tables_is_told_in_one_line(empty_database: str) -> None:
    done = manage("history", DATABASE_URL=empty_database)

    assert done.returncode == 2
    assert "run `python manage.py migrate`" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_database_that_is_not_there_is_told_with_postgresqls_reason(empty_database: str) -> None:
    done = manage("history", DATABASE_URL=f"{empty_database}_at_all")

    assert done.returncode == 2
    assert "does not exist" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_malformed_database_url_is_told_in_one_line(db: None) -> None:
    done = manage("history", DATABASE_URL="not a url")

    assert done.returncode == 2
    assert "DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr
