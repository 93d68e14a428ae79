"""Ask for syncs and work through them in this process, as a worker's loop does."""

from typing import Any

import pytest
from django.utils import timezone

from providers.google.client import GoogleClient
from providers.meta.client import MetaClient
from sync.engine.drain import drain
from sync.ledger.request import request_sync
from sync.models import Connection, SyncRun
from sync.models.choices import RunState, Trigger
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.platforms import assert_equal_to_platform, connect, platform  # noqa: F401  (fixtures)

BOTH = pytest.mark.parametrize("provider", ["meta", "google"])


def ask(connection: Connection, **options: Any) -> SyncRun:
    options = {"trigger": Trigger.MANUAL, "source": "api", **options}
    return request_sync(connection.account, [connection], **options).runs[0]


def sync(connection: Connection, **options: Any) -> SyncRun:
    """Ask for a sync and let a worker's loop do what is due."""
    run = ask(connection, **options)
    work(connection)
    run.refresh_from_db()
    return run


def work(connection: Connection) -> int:
    return drain(connection.provider, connection.region, worker="test")


def make_due(run: SyncRun) -> None:
    SyncRun.objects.filter(pk=run.pk, state=RunState.DEFERRED).update(available_at=timezone.now())


def small_pages(monkeypatch: pytest.MonkeyPatch, rows: int = 25) -> None:
    """So many rows a page, each a chunk of its own."""
    monkeypatch.setattr("sync.engine.gather.MOST_PAGES", 1)
    for client in (MetaClient, GoogleClient):
        defaults = {**(client.__init__.__kwdefaults__ or {}), "page_size": rows}
        monkeypatch.setattr(client.__init__, "__kwdefaults__", defaults)
