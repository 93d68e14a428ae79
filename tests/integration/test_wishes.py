"""What a sync asks for, and that one request asks for several runs at once or for none."""

from collections import Counter
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from sync.errors import AlreadySyncing
from sync.ledger import request as requests
from sync.ledger import wishes
from sync.ledger.request import request_sync
from sync.ledger.scope import Ask, Scope
from sync.ledger.wishes import Wish
from sync.models import Account, Connection, SyncRequest, SyncRun
from sync.models.choices import Kind, Mode, RunState, Trigger
from sync.schedule.hourly import request_due
from tests.factories import make_connection, make_run

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BOTH_KINDS = wishes.only(Wish(Kind.CAMPAIGNS, Scope(Mode.INCREMENTAL)), Wish(Kind.ADS, Scope(ad_ids=("7",))))


def mode_of_person(connection: Connection) -> Mode:
    return next(wish.scope.mode for wish in wishes.of_person(connection) if wish.kind == Kind.CAMPAIGNS)


def mode_of_schedule(connection: Connection) -> Mode:
    return next(wish.scope.mode for wish in wishes.of_schedule(connection) if wish.kind == Kind.CAMPAIGNS)


@pytest.mark.parametrize(
    ("ago", "mode"), [(None, Mode.FULL), (DAY + HOUR, Mode.FULL), (DAY - HOUR, Mode.INCREMENTAL)]
)
def test_a_person_gets_a_full_pass_when_the_last_is_a_day_old(
    connection: Connection, ago: timedelta | None, mode: Mode
) -> None:
    connection.last_full_sync_at = timezone.now() - ago if ago else None

    assert mode_of_person(connection) == mode


def test_the_schedule_has_one_full_pass_in_each_day_of_a_connection(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime.fromisoformat("2026-03-01T09:40:00+00:00")
    monkeypatch.setattr("sync.ledger.wishes.timezone.now", lambda: moment)
    full = []
    for _ in range(24 * 5):
        if mode_of_schedule(connection) == Mode.FULL:
            full.append(moment)
            connection.last_full_sync_at = moment
        moment += HOUR

    assert full[0].hour == 9  # never read
    assert full[1] - full[0] <= DAY
    assert {later - earlier for earlier, later in pairwise(full[1:])} == {DAY}
    assert len(full) in (5, 6)


def test_full_passes_spread_over_the_day(account: Account) -> None:
    moment = datetime.fromisoformat("2026-03-01T00:00:00+00:00")
    hours = Counter(
        Connection(account=account).slot_before(moment, DAY).hour  # each with an id of its own
        for _ in range(2_400)
    )

    assert len(hours) == 24
    assert max(hours.values()) < 2 * min(hours.values())


def test_the_hourly_sync_asks_for_what_changed(account: Account) -> None:
    now = timezone.now()
    connection = make_connection(account, next_sync_at=now, last_full_sync_at=now, read_until=now)

    request_due(now)

    run = SyncRun.objects.get(connection=connection, kind=Kind.CAMPAIGNS)
    assert (run.mode, run.trigger) == (Mode.INCREMENTAL, Trigger.SCHEDULED)


def test_one_request_asks_for_runs_of_several_kinds(account: Account) -> None:
    connections = [make_connection(account) for _ in range(2)]

    asked = request_sync(
        account, connections, trigger=Trigger.MANUAL, source="api", wishes=BOTH_KINDS, limited=True
    )

    made = {(run.connection_id, run.kind, run.mode) for run in asked.made}
    assert made == {
        (connection.pk, kind, mode)
        for connection in connections
        for kind, mode in ((Kind.CAMPAIGNS, Mode.INCREMENTAL), (Kind.ADS, Mode.FULL))
    }
    assert {run.request_id for run in asked.made} == {asked.request.pk}
    assert SyncRequest.objects.count() == 1


def test_what_an_open_run_covers_is_not_asked_for_and_the_rest_is(connection: Connection) -> None:
    running = make_run(connection, state=RunState.RUNNING)

    asked = request_sync(
        connection.account, [connection], trigger=Trigger.MANUAL, source="api", wishes=BOTH_KINDS
    )

    assert [skipped.run for skipped in asked.skipped] == [running]
    assert [run.kind for run in asked.made] == [Kind.ADS]


def test_nothing_to_ask_for_makes_no_request(connection: Connection) -> None:
    make_run(connection, state=RunState.RUNNING)
    make_run(connection, kind=Kind.ADS, ad_ids=["7", "8"], trigger=Trigger.MANUAL)

    with pytest.raises(AlreadySyncing):
        request_sync(
            connection.account, [connection], trigger=Trigger.MANUAL, source="api", wishes=BOTH_KINDS
        )

    assert SyncRequest.objects.count() == 2  # those of the two runs


def test_all_runs_of_a_request_are_made_or_none(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = requests.new_run

    def make_no_ads(request: SyncRequest, of: Connection, ask: Ask) -> SyncRun:
        if ask.kind == Kind.ADS:
            raise RuntimeError("no")
        return make(request, of, ask)

    monkeypatch.setattr(requests, "new_run", make_no_ads)

    with pytest.raises(RuntimeError):
        request_sync(
            connection.account, [connection], trigger=Trigger.MANUAL, source="api", wishes=BOTH_KINDS
        )

    assert not SyncRun.objects.exists()
    assert not SyncRequest.objects.exists()


def test_a_request_joins_the_waiting_run_that_covers_it(connection: Connection) -> None:
    """Several may wait whose days do not touch."""
    days = [date(2026, 3, day) for day in (1, 2, 10, 12)]
    make_run(connection, kind=Kind.INSIGHTS, date_from=days[0], date_to=days[1])
    later = make_run(connection, kind=Kind.INSIGHTS, date_from=days[2], date_to=days[3])

    asked = request_sync(
        connection.account,
        [connection],
        trigger=Trigger.SCHEDULED,
        source="api",
        kind=Kind.INSIGHTS,
        scope=Scope(date_from=days[2], date_to=days[2]),
    )

    assert asked.joined == [later]
    later.refresh_from_db()
    assert (later.date_from, later.date_to) == (days[2], days[3])
