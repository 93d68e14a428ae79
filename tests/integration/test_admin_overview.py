"""The index: what an operator sees first."""

from datetime import timedelta

import pytest
import redis
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

import sync.outages
from providers.breaker import Circuits
from providers.breaker.circuits import FAILURES
from sync.admin import dashboard
from sync.admin.words import listing, page
from sync.engine.platform import circuits
from sync.models import Account, Connection, DeadLetter
from sync.models.choices import ConnectionStatus, Provider, RunState
from tests.factories import make_connection, make_run

INDEX = reverse("admin:index")


def test_connections_are_counted_by_condition(account: Account) -> None:
    make_connection(account)
    make_connection(account)
    make_connection(account, status=ConnectionStatus.DISCONNECTED)

    counted = {entry["text"]: entry["number"] for entry in dashboard.connections()}

    assert counted == {"Active": 2, "Disconnected": 1}


def test_runs_are_counted_by_provider(account: Account) -> None:
    now = timezone.now()
    make_run(make_connection(account), queued_at=now - timedelta(minutes=2))
    paused = make_connection(account, paused_at=now)
    make_run(paused, queued_at=now - timedelta(hours=9))  # waits for a person, not for a slot
    make_run(make_connection(account), state=RunState.RUNNING)
    for _ in range(3):
        make_run(make_connection(account), state=RunState.SUCCEEDED)
    make_run(make_connection(account), state=RunState.FAILED)
    make_run(make_connection(account), state=RunState.FAILED, finished_at=now - timedelta(days=2))
    make_run(make_connection(account, Provider.GOOGLE), state=RunState.DEFERRED)

    meta, google = dashboard.providers()

    assert [number for _, number, _ in meta["numbers"]] == [1, 2, 0]
    assert (meta["succeeded"], meta["failed"], meta["rate"]) == (3, 1, "75.0 %")
    assert (meta["slots"], meta["oldest"]) == (2, "2 m 00 s")
    assert [number for _, number, _ in google["numbers"]] == [0, 0, 1]
    assert (google["rate"], google["oldest"]) == (None, None)


def test_an_outage_stands_with_its_provider_while_the_store_knows_of_it(
    admin_client: Client, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(connection)
    for _ in range(FAILURES):
        circuits().failed("meta:ads", "ticket", "act_7", "Meta could not be reached")

    assert "Meta&#x27;s ads do not answer for act_7 since" in admin_client.get(INDEX).content.decode()

    away = Circuits(redis.Redis(host="127.0.0.1", port=9))
    monkeypatch.setattr(sync.outages, "circuits", lambda: away)
    assert "do not answer" not in admin_client.get(INDEX).content.decode()


def test_recent_failures_lead_to_their_runs(admin_client: Client, connection: Connection) -> None:
    run = make_run(connection, state=RunState.FAILED, error_category="API_ERROR", error_message="No access")

    html = admin_client.get(INDEX).content.decode()

    assert page(run) in html
    assert "No access" in html
    assert f'href="{listing(DeadLetter)}" class="text-link"' in html


def test_an_empty_installation_says_what_is_missing(admin_client: Client, db: None) -> None:
    html = admin_client.get(INDEX).content.decode()

    assert "No ad account is connected yet." in html
    assert "No sync has failed." in html


def test_every_page_says_which_clock_it_goes_by(admin_client: Client, db: None) -> None:
    for url in ("/admin/", "/admin/sync/syncrun/"):
        assert "All times are in UTC" in admin_client.get(url).content.decode()


def test_staff_without_permissions_see_no_numbers(
    client: Client, alice: User, connection: Connection
) -> None:
    alice.is_staff = True
    alice.save()
    client.force_login(alice)
    make_run(connection, state=RunState.FAILED, error_message="No access")

    assert "No access" not in client.get(INDEX).content.decode()

    alice.user_permissions.add(Permission.objects.get(codename="view_syncrun"))
    assert "No access" in client.get(INDEX).content.decode()


@pytest.mark.parametrize("name", ["META_GRAPH_URL", "GOOGLE_ADS_URL"])
def test_the_sandbox_is_announced(admin_client: Client, settings: Settings, name: str) -> None:
    setattr(settings, name, "http://127.0.0.1:9999/graph")

    html = admin_client.get(INDEX).content.decode()

    assert "imitated by 127.0.0.1:9999" in html
    assert "Sandbox" in admin_client.get("/admin/sync/plan/").content.decode()


def test_the_platforms_themselves_are_not_called_a_sandbox(admin_client: Client, db: None) -> None:
    assert "Sandbox" not in admin_client.get(INDEX).content.decode()


def test_outside_production_the_environment_is_shown(admin_client: Client, settings: Settings) -> None:
    def badge() -> str | None:
        shown: str | None = admin_client.get(INDEX).context["environment"]
        return shown[0] if shown else None

    settings.ENVIRONMENT = "development"
    assert badge() == "Development"
    settings.IS_PRODUCTION = True
    assert badge() is None
