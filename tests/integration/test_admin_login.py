"""The admin's login: wrong passwords are counted, and only those."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.db import connection as database
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from adtiger.embedded.ports import free_port
from sync.admin.login import TRIES
from sync.models import Account
from tests.factories import make_member

RIGHT = "password"  # the factories'


@pytest.fixture(autouse=True)
def _staff(account: Account) -> None:
    for name in ("olga", "oscar"):
        user = make_member(account, name)
        user.is_staff = True
        user.save()
    cache.clear()


def log_in(password: str, name: str = "olga", address: str = "10.0.0.1") -> HttpResponse:
    answer = Client(REMOTE_ADDR=address).post("/admin/login/", {"username": name, "password": password})
    assert isinstance(answer, HttpResponse)
    return answer


def guess(number: int) -> str:
    try:
        return log_in(f"guess {number}").content.decode()
    finally:
        database.close()


def test_a_password_cant_be_found_out_by_trying() -> None:
    for _ in range(TRIES):
        assert b"correct username and password" in log_in("guess").content

    for name in ("olga", "OLGA"):
        assert b"Too many wrong passwords" in log_in(RIGHT, name).content
    assert log_in(RIGHT, "oscar")["Location"] == "/admin/"
    assert log_in(RIGHT, address="10.0.0.9").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_nor_by_trying_many_at_once() -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(guess, range(3 * TRIES)))

    assert sum("Too many" not in answer for answer in answers) == TRIES


def test_who_knows_the_password_in_the_end_begins_anew() -> None:
    for _ in range(2):
        for _ in range(TRIES - 1):
            log_in("guess")
        assert log_in(RIGHT).status_code == 302


def test_people_come_in_while_redis_is_away(settings: Settings) -> None:
    away = {**settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{free_port(0)}"}
    settings.CACHES = {"default": away}

    assert log_in("guess").status_code == 200
    assert log_in(RIGHT).status_code == 302
