"""What a journey needs: Chromium, a sandbox, a real worker process, and a shop to sync.

Without Chromium a CI run fails; elsewhere the browser tests are left out, and that is said aloud.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection as database
from playwright.sync_api import Page, expect, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from providers.sandbox import process
from providers.sandbox.constants import META_TOKEN
from providers.sandbox.process import Sandbox
from sync.models import Account, Connection, Credential
from tests.factories import make_connection, make_credential

ROOT = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WORKER_GRACE = 15  # seconds; an idle worker ends within two
PATIENCE = 15_000  # milliseconds for what a page is to show; a busy machine takes seconds for one
SHOP_SIZE = "3/6/20"  # campaigns, ad groups, ads: a few calls, well within a minute's budget


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the browser tests out, aloud, where there is no browser and nobody counts on it."""
    chosen = [item for item in items if item.get_closest_marker("browser")]
    if CHROMIUM or not chosen or os.environ.get("CI") == "true":
        return
    config.hook.pytest_deselected(items=chosen)
    items[:] = [item for item in items if item not in chosen]
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\n!!! BROWSER TESTS LEFT OUT: no chromium on the PATH", file=sys.stderr)  # noqa: T201  (aloud)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with process.start("--meta", SHOP_SIZE, "--no-recorded") as running:
        yield running


@pytest.fixture
def shop(account: Account, sandbox: Sandbox, settings: Settings) -> Connection:
    """A connection to the sandbox's ad account."""
    settings.META_GRAPH_URL = sandbox.urls["META_GRAPH_URL"]
    [external_id] = [row["id"] for row in sandbox.ask("accounts")["accounts"] if row["platform"] == "meta"]
    credential: Credential = make_credential(account, secret=META_TOKEN)
    return make_connection(
        account, external_id=f"act_{external_id}", name="Corner Shop", credential=credential
    )


@pytest.fixture
def worker(transactional_db: None, sandbox: Sandbox) -> Iterator[None]:
    """A worker for all queues, on this test's database and broker; its log is shown when a test fails."""
    command = [sys.executable, "manage.py", "worker", "all", "--concurrency", "1"]
    environment = {**os.environ, **sandbox.urls, **_servers(), "DJANGO_SETTINGS_MODULE": "adtiger.settings"}
    child = subprocess.Popen(command, cwd=ROOT, env=environment)
    yield
    child.terminate()
    try:
        child.wait(WORKER_GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _servers() -> dict[str, str]:
    """The test's own database, broker and keys, for a process of its own."""
    to = database.settings_dict
    login = quote(to["USER"], safe="") + (f":{quote(to['PASSWORD'], safe='')}" if to["PASSWORD"] else "")
    return {
        "ADTIGER_ENV": "test",
        "ADTIGER_HOME": str(settings.HOME),
        "DATABASE_URL": f"postgresql://{login}@{to['HOST']}:{to['PORT']}/{to['NAME']}",
        "REDIS_URL": settings.REDIS_URL,
        "CELERY_BROKER_URL": settings.REDIS_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "CREDENTIAL_KEYS": settings.CREDENTIAL_KEYS,
    }


@pytest.fixture
def breaches() -> list[str]:
    """What the browser said against the pages of the test: each breach of the policy, each failing script."""
    return []


@pytest.fixture
def page(live_server: LiveServer, breaches: list[str]) -> Iterator[Page]:
    """A page whose address bar starts at the live server; the test fails when its browser complains.

    The database is not to be used while it is open: playwright's event loop makes Django refuse.
    """
    assert CHROMIUM, "CI needs Chromium for the browser tests"
    expect.set_options(timeout=PATIENCE)

    def hear(words: str) -> None:
        breaches.append(f"{opened.url}: {words}")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        opened = browser.new_page(base_url=live_server.url, viewport={"width": 1440, "height": 900})
        opened.on("console", lambda said: hear(said.text) if said.type == "error" else None)
        opened.on("pageerror", lambda error: hear(str(error)))
        yield opened
        browser.close()
    assert breaches == []
