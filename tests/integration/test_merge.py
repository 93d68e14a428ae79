"""Merging: only what differs is written, and every difference is told once."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from providers.records import AdRecord, CampaignRecord, EntityStatus, Record, Stream
from sync import prepared
from sync.engine.chunk import chunk
from sync.engine.merge import Merged, Merging, _merge_sent_rows
from sync.engine.streams import TARGETS, Target
from sync.ledger.lease import Lease, LeaseLost
from sync.models import Ad, Campaign, Change, Connection, SyncRun
from sync.models.choices import RunState
from tests.factories import make_connection, make_run


def campaign(external_id: str = "1", **fields: Any) -> CampaignRecord:
    values: dict[str, Any] = {
        "external_id": external_id,
        "name": "Spring",
        "status": EntityStatus.ACTIVE,
        "platform_status": "ACTIVE",
        "objective": "OUTCOME_SALES",
        "bidding_strategy": "COST_CAP",
        "daily_budget_micros": 5_000_000,
        "lifetime_budget_micros": None,
        "starts_at": datetime(2026, 1, 1, tzinfo=UTC),
        "ends_at": None,
        "platform_created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "platform_updated_at": datetime(2026, 1, 2, tzinfo=UTC),
        "raw": {"id": external_id, "text": 'tab\tquote"back\\slash\nline ünï 😀'},
    }
    return CampaignRecord(**{**values, **fields})


def merged(
    connection: Connection,
    *records: Record,
    stream: Stream = Stream.CAMPAIGNS,
    tell_created: bool = True,
    lease: Lease | None = None,
) -> Merged:
    """By the lease of a run that is running, unless by that one."""
    page = Merging(
        stream,
        records,
        connection_id=connection.pk,
        lease=lease or leased(connection),
        tell_created=tell_created,
    )
    return page.merged(prepared.together(*page.asked) if page.asked else [])


def leased(connection: Connection) -> Lease:
    running = SyncRun.objects.running().filter(connection=connection).first()
    return Lease.of(running or make_run(connection, state=RunState.RUNNING))


def row_versions() -> list[tuple[Any, ...]]:
    """Which version of each row is stored: it changes with every write, even of equal values."""
    rows = Campaign.objects.extra(select={"version": "xmin::text || ctid::text"})
    return list(rows.order_by("external_id").values_list("external_id", "version"))


def test_every_field_arrives_unharmed(connection: Connection) -> None:
    record = campaign()

    assert merged(connection, record) == Merged(created=1, updated=0, returned=0)

    row = Campaign.objects.get()
    assert tuple(getattr(row, field) for field in record._fields) == tuple(record)
    assert row.connection == connection


@pytest.mark.django_db(transaction=True)
def test_an_unchanged_page_writes_nothing(connection: Connection) -> None:
    records = [campaign(str(number)) for number in range(50)]
    with transaction.atomic():
        merged(connection, *records)
    before = row_versions()

    with transaction.atomic():
        result = merged(connection, *records)

    assert result == Merged(0, 0, 0)
    assert row_versions() == before
    assert Change.objects.count() == 50  # the creations, once


def test_each_differing_field_is_one_change_with_both_values(connection: Connection) -> None:
    merged(connection, campaign(), tell_created=False)
    later = campaign(
        name="Summer", daily_budget_micros=None, platform_updated_at=timezone.now(), raw={"id": "1"}
    )

    assert merged(connection, later) == Merged(0, 1, 0)

    changes = Change.objects.order_by("field").values_list("action", "external_id", "field", "old", "new")
    assert list(changes) == [
        ("updated", "1", "daily_budget_micros", 5_000_000, None),
        ("updated", "1", "name", "Spring", "Summer"),
    ]
    assert Campaign.objects.get().raw == {"id": "1"}


def test_a_row_that_comes_twice_in_a_page_counts_once_with_its_last_values(connection: Connection) -> None:
    assert merged(connection, campaign(name="Old"), campaign(name="New")).created == 1
    assert Campaign.objects.get().name == "New"


def test_what_postgresql_cannot_store_is_replaced_and_nothing_else(connection: Connection) -> None:
    record = campaign(name="a\0b", raw={"id": "1", "name": "a\0b", "text": "\\u0000", "mix": "\\\0"})

    merged(connection, record)

    row = Campaign.objects.get()
    assert row.name == "a\ufffdb"
    assert row.raw == {"id": "1", "name": "a\ufffdb", "text": "\\u0000", "mix": "\\\ufffd"}
    assert merged(connection, record) == Merged(0, 0, 0)


def test_words_of_any_length_are_kept(connection: Connection) -> None:
    merged(connection, campaign(objective="O" * 300, platform_status="S" * 300))

    assert Campaign.objects.get().objective == "O" * 300


def test_a_removed_row_returns(connection: Connection) -> None:
    merged(connection, campaign(), tell_created=False)
    Campaign.objects.update(removed_at=timezone.now())

    assert merged(connection, campaign()) == Merged(0, 0, 1)

    assert Campaign.objects.get().removed_at is None
    assert [change.action for change in Change.objects.all()] == ["returned"]


def test_the_same_id_in_another_connection_is_another_row(connection: Connection) -> None:
    merged(connection, campaign())
    merged(make_connection(connection.account), campaign(name="Other"))

    assert Campaign.objects.count() == 2
    assert Campaign.objects.get(connection=connection).name == "Spring"


def test_two_kinds_may_be_merged_in_one_transaction(connection: Connection) -> None:
    ad = AdRecord("9", "1", "5", "Ad", EntityStatus.PAUSED, "PAUSED", "", "c1", None, None, {})

    merged(connection, campaign())
    merged(connection, ad, stream=Stream.ADS, tell_created=False)

    assert (Campaign.objects.count(), Ad.objects.count()) == (1, 1)


def test_an_empty_page_is_nothing(connection: Connection) -> None:
    assert merged(connection) == Merged(0, 0, 0)


@pytest.mark.parametrize("number", [5, 500])
def test_a_small_page_of_who_lost_its_lease_is_not_written(connection: Connection, number: int) -> None:
    lost = Lease(leased(connection).run_id, uuid4())
    page = Merging(
        Stream.CAMPAIGNS,
        [campaign(str(n)) for n in range(number)],
        connection_id=connection.pk,
        lease=lost,
        tell_created=True,
    )
    run = SyncRun.objects.get(pk=lost.run_id)

    with pytest.raises(LeaseLost), chunk(run, lost, calls=1, first=page.asked):
        raise AssertionError("a late worker writes")

    assert (Campaign.objects.count(), Change.objects.count()) == (0, 0)


@pytest.mark.parametrize("target", TARGETS.values())
def test_the_statement_of_a_small_page_is_one_that_psycopg_remembers(target: Target) -> None:
    assert len(_merge_sent_rows(target)) <= MAX_CACHED_STATEMENT_LENGTH
