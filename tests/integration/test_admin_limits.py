"""The admin's page of call limits: set, change, delete, and who did it."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from providers.base import Reading, Usage
from providers.budget import BudgetStore
from providers.errors import Scope
from sync.admin import words
from sync.engine.platform import gate_for
from sync.engine.set_limits import clear_limits
from sync.models import Account, CallLimit, Connection
from tests.factories import make_member

ADD = "admin:sync_calllimit_add"
EMPTY = {"provider": "", "plan": "", "account": "", "external_id": "", "use_case": "", "reason": ""}


def add(client: Client, **values: Any) -> Any:
    return client.post(reverse(ADD), {**EMPTY, "scope": "connection", "calls": 40, "seconds": 60, **values})


def test_a_limit_is_set_by_whom_is_signed_in(admin_client: Client, admin_user: User) -> None:
    answer = add(admin_client, provider="meta", external_id="act_7", reason="full access")

    limit = CallLimit.objects.holding().get()
    assert answer.status_code == 302
    assert (limit.set_by, limit.external_id, limit.calls, limit.reason) == (
        admin_user.username,
        "act_7",
        40,
        "full access",
    )
    assert LogEntry.objects.get().object_id == str(limit.pk)


def test_a_wrong_limit_is_explained_at_its_field(admin_client: Client) -> None:
    answer = add(admin_client, provider="meta", external_id="7")

    assert answer.status_code == 200
    assert "Meta names ad accounts like act_1234567890." in answer.content.decode()
    assert not CallLimit.objects.exists()


def test_setting_it_again_replaces_it(admin_client: Client) -> None:
    add(admin_client, provider="meta")
    add(admin_client, provider="meta", calls=50)

    assert CallLimit.objects.holding().get().calls == 50
    assert CallLimit.objects.count() == 2


def test_changing_the_calls_ends_it_and_sets_another(admin_client: Client) -> None:
    add(admin_client, provider="meta")
    old = CallLimit.objects.get()

    answer = admin_client.post(
        reverse("admin:sync_calllimit_change", args=[old.pk]), {"calls": 60, "reason": ""}
    )

    new = CallLimit.objects.holding().get()
    assert answer.status_code == 302
    assert (new.calls, new.provider, new.seconds) == (60, "meta", 60)
    old.refresh_from_db()
    assert (old.calls, old.ended_at is None) == (40, False)


def test_deleting_it_ends_it_and_keeps_the_record(admin_client: Client, admin_user: User) -> None:
    add(admin_client, provider="meta")
    limit = CallLimit.objects.get()

    admin_client.post(reverse("admin:sync_calllimit_delete", args=[limit.pk]), {"post": "yes"})

    limit.refresh_from_db()
    assert limit.ended_by == admin_user.username
    page = admin_client.get(reverse("admin:sync_calllimit_changelist"), {"when": "past"}).content.decode()
    assert "40 calls a minute" in page


def test_what_ended_is_only_shown(admin_client: Client) -> None:
    add(admin_client, provider="meta")
    limit = CallLimit.objects.get()
    clear_limits(CallLimit.objects.all(), by="bob")

    url = reverse("admin:sync_calllimit_change", args=[limit.pk])
    assert admin_client.get(url).status_code == 200
    assert admin_client.post(url, {"calls": 60}).status_code == 403


@pytest.mark.parametrize("name", [ADD, "admin:sync_calllimit_changelist"])
def test_members_of_an_account_see_none_of_it(client: Client, account: Account, name: str) -> None:
    client.force_login(make_member(account, "alice"))

    assert client.get(reverse(name)).status_code == 302


def test_a_connections_page_shows_its_budgets_and_what_the_platform_said(
    admin_client: Client, connection: Connection
) -> None:
    gate = gate_for(connection, background=False)
    said = (
        Reading(Scope.AD_ACCOUNT, 85, 300),
        Reading(Scope.USE_CASE, 100, 3600, "ads_insights", regain_after=420),
    )
    gate.settle(gate.take(), Usage(said, tier="development_access", failed=False))
    connection.refresh_from_db()

    page = admin_client.get(words.page(connection)).content.decode()

    assert "10 calls a minute" in page
    assert "the setting META_CONNECTION_WINDOWS" in page
    assert "60 calls in 300 s" in page
    assert "for background work: 85 %" in page
    assert (
        "ad account 85 %, ads_insights 100 % (free again in 420 s). Access tier: development_access" in page
    )
    assert "Of the app&#x27;s last 1 calls 0 failed." in page


def test_a_connections_page_opens_without_the_budget_store(
    admin_client: Client, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "sync.engine.budgets.budget_store", lambda: BudgetStore.connect("redis://127.0.0.1:1/0")
    )

    page = admin_client.get(words.page(connection)).content.decode()

    assert "The budget store does not answer." in page
