"""What commands make of numbers and errors."""

import argparse
from datetime import timedelta
from io import StringIO

import psycopg
import pytest
from django.core.management.base import BaseCommand
from django.db import DatabaseError, IntegrityError, OperationalError, ProgrammingError
from django.utils import timezone

from manage import explained
from sync.management.command import LARGEST, WrongUse, count, seconds
from sync.management.operator import operator
from sync.management.output import ago, print_table, span


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(seconds=0), "0 s"),
        (timedelta(seconds=119), "119 s"),
        (timedelta(seconds=120), "2 min"),
        (timedelta(minutes=119), "119 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=2), "2 d"),
    ],
)
def test_a_time_is_told_in_a_unit_that_fits(time: timedelta, words: str) -> None:
    assert span(time.total_seconds()) == words


def test_never_is_told_by_nothing() -> None:
    assert ago(None) == ""


class Terminal(StringIO):
    """A screen."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("width", "is_a_table"), [("150", True), ("80", False)])
def test_words_are_not_cut_where_the_terminal_is_narrow(
    monkeypatch: pytest.MonkeyPatch, width: str, is_a_table: bool
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    screen = Terminal()
    row = ("01a20f6e-9c09-7158-a5a2-83ed3a67cde2", "act_1700252260223815", "scheduled", None, "succeeded")

    print_table(BaseCommand(stdout=screen), "Runs", ("id", "connection", "trigger", "error", "state"), [row])

    shown = screen.getvalue()
    assert all(value in shown for value in row if value)
    assert ("error" in shown, "│" in shown) == (is_a_table, is_a_table)


def test_numbers_of_options_are_read() -> None:
    assert (count("1"), seconds("0.5")) == (1, 0.5)


@pytest.mark.parametrize("text", ["0", "-3", "1000001", "9" * 400])
def test_a_count_that_nobody_can_mean_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="from 1 to 1,000,000"):
        count(text)


def test_the_largest_numbers_are_still_dates() -> None:
    assert timezone.now() + timedelta(days=count(f"{LARGEST}")) > timezone.now()
    assert timezone.now() - timedelta(hours=seconds(f"{LARGEST}")) < timezone.now()


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e300"])
def test_a_time_that_can_not_pass_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="more than 0"):
        seconds(text)


def test_a_command_is_told_by_the_machines_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "deploy")

    assert operator() == "deploy at the command line"


def test_a_user_without_a_name_is_told_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.setattr("getpass.getuser", nameless)
    monkeypatch.setattr("os.getuid", lambda: 10001)

    assert operator() == "user 10001 at the command line"


def test_wrong_use_has_the_exit_code_of_argparse() -> None:
    assert WrongUse("--all stands alone").returncode == 2


@pytest.mark.parametrize(
    ("cause", "error", "words"),
    [
        (psycopg.errors.UndefinedTable("no table"), ProgrammingError, "manage.py migrate"),
        (psycopg.errors.UndefinedColumn("no column"), ProgrammingError, "manage.py migrate"),
        (psycopg.errors.AdminShutdown("terminating connection"), OperationalError, "terminating connection"),
        (psycopg.OperationalError("consuming input failed: closed"), OperationalError, "(closed)"),
    ],
)
def test_what_an_operator_can_mend_is_explained_in_one_line(
    cause: psycopg.Error, error: type[DatabaseError], words: str
) -> None:
    told = explained(raised(error, cause))

    assert words in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("cause", "error"),
    [
        (psycopg.errors.DeadlockDetected("deadlock"), OperationalError),
        (psycopg.errors.DiskFull("no space"), OperationalError),
        (psycopg.errors.UniqueViolation("twice"), IntegrityError),
        (psycopg.ProgrammingError("wrong placeholders"), ProgrammingError),
    ],
)
def test_a_defect_is_not_explained_away(cause: psycopg.Error, error: type[DatabaseError]) -> None:
    assert explained(raised(error, cause)) == ""


def raised(error: type[DatabaseError], cause: psycopg.Error) -> DatabaseError:
    """As Django raises it."""
    exc = error(*cause.args)
    exc.__cause__ = cause
    return exc
