"""The connection's page: by which rule conversions are counted, and which days are complete."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sync.models import Account, Connection, InsightDay
from tests.factories import make_connection, noon
from tests.integration.insight_platform import days_ago


@pytest.fixture
def google(account: Account) -> Connection:
    return make_connection(account, "google", time_zone=noon())


def url(connection: Connection) -> str:
    return reverse("admin:sync_connection_change", args=[connection.pk])


def save(client: Client, connection: Connection, attribution: str) -> Any:
    fields = {"name": connection.name, "status": connection.status, "login_customer_id": ""}
    return client.post(url(connection), {**fields, "attribution": attribution})


def test_the_attribution_is_one_of_the_platforms(admin_client: Client, google: Connection) -> None:
    page = admin_client.get(url(google)).content.decode()

    assert "conversion_date" in page
    assert "7d_click" not in page

    assert save(admin_client, google, "conversion_date").status_code == 302
    google.refresh_from_db()
    assert google.attribution == "conversion_date"

    assert save(admin_client, google, "7d_click").status_code == 200  # the form again, with an error
    google.refresh_from_db()
    assert google.attribution == "conversion_date"


def test_complete_days_are_told_by_level(admin_client: Client, google: Connection, settings: Any) -> None:
    settings.INSIGHTS_FIRST_DAYS = 10
    for age in range(3):
        InsightDay.objects.create(
            connection=google,
            level="campaign",
            day=days_ago(google, age),
            read_at=timezone.now(),
            rows=1,
            attribution="click_date",
            run_id=google.pk,
        )

    page = admin_client.get(url(google)).content.decode()

    assert "Campaign: 3 of 10" in page
    assert "Ad group: 0 of 10" in page
