"""What the platforms send that AdTiger does not know fails no sync: it is counted, logged once, and shown."""

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client

from providers.drift import DriftKind, Oddity
from providers.google.queries import SELECT
from providers.meta.fields import FIELDS
from providers.records import Stream
from providers.sandbox.process import Sandbox
from sync import health
from sync.admin.words import listing
from sync.models import Account, Campaign, Drift
from sync.models.choices import RunState
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.integration.syncing import BOTH, sync
from tests.platforms import connect, platform  # noqa: F401  (fixtures)

WORD = Oddity(DriftKind.WORD, "campaigns.objective", "OUTCOME_NEW")
PLACES = {"meta": "campaigns.objective", "google": "campaigns.campaign.advertisingChannelType"}


def met() -> dict[tuple[str, str, str], int]:
    return {(row.kind, row.place, row.value): row.count for row in Drift.objects.all()}


@BOTH
def test_a_sandbox_of_the_known_version_drifts_nowhere(
    platform: Sandbox, account: Account, provider: str
) -> None:
    run = sync(connect(platform, account, provider))

    assert (run.state, met()) == (RunState.SUCCEEDED, {})


@BOTH
def test_a_new_word_is_stored_as_it_is_counted_each_time_and_logged_once(
    platform: Sandbox, account: Account, provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    connection = connect(platform, account, provider)
    sync(connection)
    campaign = Campaign.objects.filter(connection=connection).first()
    assert campaign is not None
    where = {"platform": provider, "account": connection.external_id}
    platform.control("edit", **where, id=campaign.external_id, objective="BRAND_NEW")

    with caplog.at_level(logging.WARNING):
        states = [sync(connection).state for _ in range(2)]

    campaign.refresh_from_db()
    assert states == [RunState.SUCCEEDED] * 2
    assert campaign.objective == "BRAND_NEW"
    assert met() == {("word", PLACES[provider], "BRAND_NEW"): 2}
    assert len([one for one in caplog.records if "schema drift" in one.getMessage()]) == 1
    assert not health.warnings()


@BOTH
def test_a_field_that_is_gone_gives_one_clear_alert(
    platform: Sandbox,
    account: Account,
    provider: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    connection = connect(platform, account, provider)
    monkeypatch.setitem(FIELDS, Stream.CAMPAIGNS, f"{FIELDS[Stream.CAMPAIGNS]},colour")
    monkeypatch.setitem(SELECT, Stream.CAMPAIGNS, "SELECT campaign.id, campaign.colour FROM campaign")
    name = {"meta": "colour", "google": "campaign.colour"}[provider]

    with caplog.at_level(logging.WARNING):
        failed = [sync(connection) for _ in range(2)]

    assert {run.error_code for run in failed} == {"field_gone"}
    assert failed[0].failed_attempts == 1  # nothing that waiting helps
    assert f"{provider.upper()}_API_VERSION" in failed[0].error_message
    assert failed[0].error_message.endswith(f": {name}")
    assert met() == {("field", "asked for", name): 2}
    assert len([one for one in caplog.records if "schema drift" in one.getMessage()]) == 1
    assert [one for one in health.warnings() if f"no longer has the field: {name}" in one]


def test_a_version_that_ends_gives_one_alert(
    platform: Sandbox, account: Account, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    connection = connect(platform, account, "meta")
    settings.META_API_VERSION = "v23.0"

    with caplog.at_level(logging.WARNING):
        assert sync(connection).state == RunState.SUCCEEDED
        sync(connection)

    (row,) = Drift.objects.all()
    assert (row.kind, row.place) == ("version", "X-Ad-Api-Version-Warning")
    assert row.count > 2
    assert len([one for one in caplog.records if "schema drift" in one.getMessage()]) == 1
    assert [one for one in health.warnings() if one.startswith("Meta says of its API's version: You are")]


@pytest.mark.django_db(transaction=True)
def test_workers_that_meet_the_same_at_once_make_one_row_and_one_alert() -> None:
    heard = {WORD: 1, Oddity(DriftKind.KEY, "ads", "colour"): 3}

    def record(turn: int) -> int:
        try:
            given = heard if turn % 2 else dict(reversed(heard.items()))
            return len(Drift.objects.record("meta", given))
        finally:
            database.close()

    with ThreadPoolExecutor(8) as pool:
        new = sum(pool.map(record, range(40)))

    assert new == 2
    assert met() == {tuple(WORD): 40, ("key", "ads", "colour"): 120}


def test_a_platform_that_talks_nonsense_does_not_fill_the_table(db: None) -> None:
    Drift.objects.record("meta", {Oddity(DriftKind.WORD, "ads.status", f"W{n}"): n for n in range(1, 200)})

    assert Drift.objects.count() == 50
    assert Drift.objects.filter(value="W199").exists()


def test_the_admin_shows_it(admin_client: Client, db: None) -> None:
    Drift.objects.record("meta", {WORD: 2})

    html = admin_client.get(listing(Drift, kind__exact="word")).content.decode()

    assert "OUTCOME_NEW" in html
