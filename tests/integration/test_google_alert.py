"""A day that runs short is told once in the log, and everywhere else for as long as it does."""

import json
import logging
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import F
from django.test import Client

from sync.google.operations import PROJECT, Operations, operations_of
from sync.google.pace import measure
from sync.google.project import day_limit
from sync.models import Account, OperationCount
from sync.models.choices import Provider
from tests.factories import make_connection, make_run
from tests.integration.test_health import at_work, ready

WARNING = (
    "35 of the 50 operations that Google's project may make in 24 hours are used (70 %): at 40 background "
    "syncs wait."
)


@pytest.fixture
def ledger(account: Account, settings: Any) -> Operations:
    settings.GOOGLE_DAILY_OPERATIONS = 50
    make_run(make_connection(account, Provider.GOOGLE))
    found = operations_of(account, background=False)
    assert found is not None
    return found


def take(ledger: Operations, number: int) -> None:
    for each in range(number):
        ledger.take(str(each))


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "operations short" in record.getMessage()]


def test_a_crossing_is_one_line_in_the_log(
    ledger: Operations, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    other = operations_of(account, background=True)
    assert other is not None
    with caplog.at_level(logging.WARNING):
        take(ledger, 34)
        assert told(caplog) == []
        take(other, 1)
        take(ledger, 5)

        assert len(told(caplog)) == 1


def test_the_next_crossing_is_another_line_but_not_what_moves_around_it(
    ledger: Operations, caplog: pytest.LogCaptureFixture
) -> None:
    def fall_to(calls: int) -> None:
        until = OperationCount.objects.latest("until").until
        OperationCount.objects.all().delete()
        for subject in (PROJECT, str(ledger.account.pk)):
            OperationCount.objects.create(project=ledger.project, subject=subject, until=until, calls=calls)
        measure()

    with caplog.at_level(logging.WARNING):
        take(ledger, 36)
        fall_to(34)
        take(ledger, 2)
        assert len(told(caplog)) == 1

        fall_to(32)
        take(ledger, 4)
        assert len(told(caplog)) == 2


def test_it_is_a_warning_and_no_reason_not_to_be_ready(ledger: Operations, client: Client) -> None:
    at_work("sync.google", "maintenance")
    take(ledger, 34)
    assert ready(client)["warnings"] == []

    take(ledger, 1)

    told = ready(client)
    assert (told["ready"], told["reasons"], told["warnings"]) == (True, [], [WARNING])


def test_the_operator_sees_it_where_he_looks(ledger: Operations, admin_client: Client) -> None:
    take(ledger, 35)

    for command in ("limits", "queue"):
        out = StringIO()
        call_command(command, stdout=out)
        assert WARNING in out.getvalue()
    out = StringIO()
    call_command("limits", "--json", stdout=out)
    assert json.loads(out.getvalue())["google"]["used"] == 35
    assert WARNING.replace("'", "&#x27;") in admin_client.get("/admin/").content.decode()


def test_what_left_the_day_warns_no_more(ledger: Operations, client: Client) -> None:
    at_work("sync.google", "maintenance")
    take(ledger, 35)
    OperationCount.objects.update(until=F("until") - timedelta(hours=24, minutes=2))

    assert ready(client)["warnings"] == []


def test_limits_shows_the_day_the_share_and_when_something_is_free(
    ledger: Operations, other_account: Account
) -> None:
    make_connection(other_account, Provider.GOOGLE)
    measure()
    take(ledger, 45)  # all but what is lent to nobody: both accounts have a share of 20 in the background

    def shown(account: Account) -> dict[str, Any]:
        out = StringIO()
        call_command("limits", "--account", account.name, "--json", stdout=out)
        told: dict[str, Any] = json.loads(out.getvalue())["connections"][0]
        return told

    mine, theirs = shown(ledger.account), shown(other_account)
    project, share = mine["windows"][-2:]
    assert (project["budget"], project["used"], project["limit"]) == ("Google's project", 45, 50)
    assert (share["budget"], share["used"], share["limit"]) == (
        "Acme's share of it in the background",
        45,
        20,
    )
    assert project["source"] == "the setting GOOGLE_DAILY_OPERATIONS"
    assert mine["may_call_at"] is not None  # beyond its share, and nothing is left to lend
    assert theirs["may_call_at"] is None  # within it
    assert theirs["background_may_call_at"] is not None  # the rest is for people


def test_the_day_is_the_access_levels_until_somebody_says_otherwise(db: None, settings: Any) -> None:
    def origin() -> str:
        day = day_limit()
        return day.source if day else ""

    settings.GOOGLE_DAILY_OPERATIONS = settings.GOOGLE_LEVEL_OPERATIONS
    assert origin() == "the setting GOOGLE_ACCESS_LEVEL"
    settings.GOOGLE_DAILY_OPERATIONS += 1
    assert origin() == "the setting GOOGLE_DAILY_OPERATIONS"
