"""Callers of the API as tests need them, and a check of an answer's fields and types."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from adtiger.embedded.ports import free_port
from sync.models import Account
from tests.factories import make_token

MANUAL = "/api/sync/manual"
STATUS = "/api/sync/status"
CRON = "/api/cron/sync-hourly"
ACCOUNT = "/api/account"
SWITCH = "/api/account/switch"


@dataclass
class Answer:
    """A status, a JSON body, and the headers."""

    status: int
    body: Any
    headers: Any


@dataclass
class Caller:
    """Somebody who asks, with whatever proves who it is."""

    headers: dict[str, str] = field(default_factory=dict)
    client: Client = field(
        default_factory=lambda: Client(enforce_csrf_checks=True, raise_request_exception=False)
    )

    def get(self, path: str, **query: str) -> Answer:
        return self._told(self.client.get(path, query, headers=self.headers))

    def post(self, path: str, body: Any = None) -> Answer:
        return self._told(self.client.post(path, body, content_type="application/json", headers=self.headers))

    def post_raw(self, path: str, body: bytes, content_type: str = "application/json") -> Answer:
        return self._told(self.client.post(path, body, content_type=content_type, headers=self.headers))

    def delete(self, path: str, **query: str) -> Answer:
        return self._told(self.client.delete(path, query_params=query, headers=self.headers))

    def call(self, method: str, path: str) -> Answer:
        return self._told(self.client.generic(method, path, headers=self.headers))

    @staticmethod
    def _told(response: Any) -> Answer:
        assert response["Content-Type"] == "application/json", response.content[:200]
        return Answer(response.status_code, response.json(), response.headers)


def rows(caller: Caller, path: str, **query: str) -> list[Any]:
    """What a list has on its first page."""
    answer = caller.get(path, **query)
    assert answer.status == 200, answer.body
    found: list[Any] = answer.body["results"]
    return found


def bearer(token: str) -> Caller:
    """Whoever holds a token."""
    return Caller({"Authorization": f"Bearer {token}"})


def by_token(user: User, account: Account) -> Caller:
    """A user through an API token of an account."""
    return bearer(make_token(account, user))


def by_session(user: User, *, csrf: bool = True) -> Caller:
    """A user in a browser that is signed in; with `csrf` its pages send the token along."""
    caller = Caller()
    caller.client.force_login(user)
    if csrf:
        caller.headers["X-CSRFToken"] = str(caller.get(ACCOUNT).body["csrfToken"])
    return caller


@contextmanager
def database_away() -> Iterator[None]:
    """PostgreSQL refuses connections, as seen from this thread; only where no transaction is open."""
    port = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = str(free_port(0))
    try:
        yield
    finally:
        connection.settings_dict["PORT"] = port
        connection.close()


class Moment:
    """A time as the API writes it: ISO 8601 in UTC, with a Z."""

    PATTERN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def written(moment: datetime | None) -> str:
    """A moment as the API writes it."""
    assert moment is not None
    return moment.isoformat().replace("+00:00", "Z")


class Id:
    """A UUID in its usual form."""

    PATTERN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def assert_shape(value: Any, shape: Any, path: str = "body") -> None:
    """The value has exactly the fields of the shape, each of its type; a tuple lists alternatives."""
    if isinstance(shape, dict):
        assert isinstance(value, dict), f"{path} is {value!r}"
        assert set(value) == set(shape), f"{path}: {set(value) ^ set(shape)}"
        for name, inner in shape.items():
            assert_shape(value[name], inner, f"{path}.{name}")
    elif isinstance(shape, list):
        assert isinstance(value, list), f"{path} is {value!r}"
        assert value, f"{path} is empty, so its entries are not shown to be right"
        for index, entry in enumerate(value):
            assert_shape(entry, shape[0], f"{path}[{index}]")
    elif isinstance(shape, tuple):
        assert any(_fits(value, one) for one in shape), f"{path} is {value!r}"
    else:
        assert _fits(value, shape), f"{path} is {value!r}"


def _fits(value: Any, shape: Any) -> bool:
    if shape is None:
        return value is None
    if shape in (Moment, Id):
        return isinstance(value, str) and shape.PATTERN.fullmatch(value) is not None
    if shape is int:
        return type(value) is int
    return isinstance(value, shape)
