"""The recorded accounts' metrics, read by whole syncs in their own time: what stands in PostgreSQL is them.

Only the clocks are set: the platforms', PostgreSQL's and Python's.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from providers.google.client import GoogleClient
from providers.records import InsightRecord, Level
from providers.sandbox.accounts import MANAGER
from providers.sandbox.constants import RECORDED_GOOGLE_CUSTOMER, RECORDED_META_ACCOUNT
from providers.sandbox.process import Sandbox
from sync.engine.insights.plan import attribution_of
from sync.ledger.scope import Scope
from sync.models import Account, Connection, Insight, InsightDay, SyncRun
from sync.models.choices import Kind, Provider, RunState
from tests.factories import make_connection, make_credential
from tests.integration.database_clock import DatabaseClock
from tests.integration.insight_platform import stored
from tests.integration.recordings import GOOGLE_DAYS, META_DAYS, ZONE, assert_googles, assert_metas_ads
from tests.integration.syncing import sync
from tests.platforms import SECRETS, platform  # noqa: F401  (fixtures)

SetClocks = Callable[[datetime], None]


@pytest.fixture
def set_clocks(platform: Sandbox, monkeypatch: pytest.MonkeyPatch, db: None) -> Iterator[SetClocks]:
    def to(now: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: now)
        DatabaseClock().set(now)
        defaults = {**(GoogleClient.__init__.__kwdefaults__ or {}), "clock": now.timestamp}
        monkeypatch.setattr(GoogleClient.__init__, "__kwdefaults__", defaults)
        platform.control("settings", today=str(now.astimezone(ZONE).date()))

    yield to
    platform.control("settings", today="")


def connect_recorded(account: Account, provider: Provider) -> Connection:
    is_meta = provider == Provider.META
    return make_connection(
        account,
        provider,
        external_id=f"act_{RECORDED_META_ACCOUNT}" if is_meta else RECORDED_GOOGLE_CUSTOMER,
        login_customer_id="" if is_meta else MANAGER,
        currency="USD",
        time_zone=str(ZONE),
        credential=make_credential(account, provider, secret=SECRETS[provider]),
    )


def read(connection: Connection, since: date, until: date) -> SyncRun:
    sync(connection)
    run = sync(connection, kind=Kind.INSIGHTS, scope=Scope(date_from=since, date_to=until))
    assert (run.state, run.error_message) == (RunState.SUCCEEDED, "")
    return run


def of_level(connection: Connection, level: Level) -> list[InsightRecord]:
    return [record for (its, *_), record in stored(connection).items() if its == level]


def assert_days_are_complete(connection: Connection, since: date, until: date) -> None:
    """Each of every level, counted, and no other; by the connection's own rule."""
    rules = Insight.objects.values_list("attribution", flat=True).distinct()
    assert list(rules) == [attribution_of(connection)]
    days = InsightDay.objects.filter(connection=connection)
    for level in Level:
        of_its = days.filter(level=level)
        assert of_its.count() == (until - since).days + 1
        assert sum(of_its.values_list("rows", flat=True)) == len(of_level(connection, level))


def test_metas_december_is_copied(set_clocks: SetClocks, account: Account) -> None:
    """In the ad account's time zone it is the last of December still."""
    set_clocks(datetime(2021, 1, 1, 6, tzinfo=UTC))
    connection = connect_recorded(account, Provider.META)

    run = read(connection, META_DAYS[0], date(2021, 1, 31))

    ads = of_level(connection, Level.AD)
    assert_metas_ads(ads)
    assert_days_are_complete(connection, *META_DAYS)
    for level in Level:
        assert _sums(of_level(connection, level)) == _sums(ads), level
    assert run.insights_count == run.changes["created"] == Insight.objects.count()
    assert run.data_discrepancies == []


def test_googles_levels_are_copied_each_as_it_was_recorded(set_clocks: SetClocks, account: Account) -> None:
    set_clocks(datetime(2021, 10, 1, 12, tzinfo=ZONE))
    connection = connect_recorded(account, Provider.GOOGLE)

    run = read(connection, *GOOGLE_DAYS)

    for level in Level:
        assert_googles(level, of_level(connection, level))
    assert_days_are_complete(connection, *GOOGLE_DAYS)
    assert run.insights_count == run.changes["created"] == Insight.objects.count()


def _sums(records: list[InsightRecord]) -> dict[date, tuple[int, int, int]]:
    """What each day's rows add up to."""
    sums: dict[date, tuple[int, int, int]] = {}
    for record in records:
        impressions, clicks, spend = sums.get(record.day, (0, 0, 0))
        sums[record.day] = (
            impressions + record.impressions,
            clicks + record.clicks,
            spend + record.spend_micros,
        )
    return sums
