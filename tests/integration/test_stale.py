"""Ad accounts whose data is older than promised are a warning, whatever the reason."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from sync import health
from sync.google.project import project_name
from sync.models import Account, Connection, GoogleProject
from sync.models.choices import CredentialStatus
from tests.factories import make_connection


def told() -> list[str]:
    cache.delete("sync.stale")
    return [warning for warning in health.warnings() if "older than twice that" in warning]


def read(connection: Connection, **ago: float) -> None:
    Connection.objects.filter(pk=connection.pk).update(read_until=timezone.now() - timedelta(**ago))


def test_data_of_the_last_two_hours_is_fresh(account: Account) -> None:
    read(make_connection(account), minutes=119)
    make_connection(account)  # connected just now, and never read

    assert told() == []


def test_older_data_is_told_with_its_number_and_age(account: Account) -> None:
    for hours in (3, 30):
        read(make_connection(account), hours=hours)
    oldest = Connection.objects.order_by("read_until")[0].read_until
    assert oldest is not None

    (warning,) = told()

    assert warning.startswith("Meta's ad accounts are to be synced every 1 h, but the data of 2 is older")
    assert f"the oldest of {oldest:%Y-%m-%d %H:%M} UTC" in warning


def test_what_was_never_read_is_as_old_as_its_connecting(account: Account) -> None:
    make_connection(account)
    Connection.objects.update(created_at=timezone.now() - timedelta(hours=3))

    assert len(told()) == 1


@pytest.mark.parametrize("hours", [20, 30])
def test_googles_interval_is_the_one_that_its_day_allows(account: Account, hours: int) -> None:
    read(make_connection(account, "google"), hours=hours)
    GoogleProject.objects.create(
        name=project_name(), connections_count=1, operations_per_sync=4, interval=timedelta(hours=12)
    )

    assert bool(told()) == (hours == 30)


def test_what_a_person_has_to_mend_is_told_elsewhere(account: Account) -> None:
    for change in ({"paused_at": timezone.now()}, {"status": "access_denied"}):
        connection = make_connection(account, **change)
        read(connection, hours=5)
    lost = make_connection(account)
    lost.credential.status = CredentialStatus.RECONNECT_NEEDED
    lost.credential.save()
    read(lost, hours=5)

    assert told() == []


def test_a_probe_that_asks_every_second_looks_once_a_minute(account: Account) -> None:
    assert told() == []
    read(make_connection(account), hours=5)

    assert not [warning for warning in health.warnings() if "older than twice that" in warning]
