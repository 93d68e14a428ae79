"""The fixed cast and the clean servers that tests stand on.

Alice owns the account, Bob is a member, Victor only looks; Mallory owns another account and must see
nothing of theirs.
"""

import pytest
import redis
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections
from hypothesis import settings as hypothesis_settings

from sync.engine.overrides import overrides
from sync.ledger import nudge
from sync.models import Account, Connection
from sync.models.choices import Role
from tests.factories import make_account, make_connection, make_member

pytest_plugins = [
    "tests.integration.sandbox_fixtures"
]  # here, for no order of modules may decide who loads it


hypothesis_settings.register_profile("any machine", hypothesis_settings.default, deadline=None)
hypothesis_settings.load_profile("any machine")  # a slow one is no fault of an example


@pytest.fixture(autouse=True)
def _clean_servers(request: pytest.FixtureRequest) -> None:
    """Nothing of an earlier test is left in this process, its Valkey database, or open at PostgreSQL's.

    Django looks after open connections at the end of each HTTP request, so one that was left open
    would fail a test which shows that it needs no database.
    """
    overrides().forget()
    marked = request.node.get_closest_marker("django_db")
    if marked or {"db", "transactional_db"} & set(request.fixturenames):
        redis.Redis.from_url(settings.REDIS_URL).flushdb()
    else:
        connections.close_all()


@pytest.fixture(autouse=True)
def _broker_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process knows of no failure and no hint of an earlier test."""
    monkeypatch.setattr(nudge, "_rests_until", 0.0)
    monkeypatch.setattr(nudge, "_told", {})


@pytest.fixture
def account(db: None) -> Account:
    return make_account("Acme")


@pytest.fixture
def other_account(db: None) -> Account:
    return make_account("Globex")


@pytest.fixture
def alice(account: Account) -> User:
    return make_member(account, "alice", Role.OWNER)


@pytest.fixture
def bob(account: Account) -> User:
    return make_member(account, "bob", Role.MEMBER)


@pytest.fixture
def victor(account: Account) -> User:
    return make_member(account, "victor", Role.VIEWER)


@pytest.fixture
def mallory(other_account: Account) -> User:
    return make_member(other_account, "mallory", Role.OWNER)


@pytest.fixture
def connection(account: Account) -> Connection:
    return make_connection(account)
