"""Which days of insights are due: no gap, and no day more often than its age says."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.google.insight_queries import oldest_day as googles_oldest_day
from providers.records import InsightSlice, Level
from sync.engine.insights.due import DAY, WEEK, Clock, Policy, Read, due_days
from sync.engine.insights.plan import oldest_day
from sync.engine.insights.slices import LONGEST, days_in, halves, slices_of

BERLIN = ZoneInfo("Europe/Berlin")
POLICY = Policy(first_days=30, fresh_days=2, daily_days=8, late_days=28)
EPOCH = date(2020, 1, 1)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("now", "today", "daily", "weekly"),
    [
        # before three in the night yesterday's reading is the last one
        ("2026-11-24T01:30+01:00", "2026-11-24", "2026-11-23T03:00+01:00", "2026-11-18T03:00+01:00"),
        ("2026-11-24T03:00+01:00", "2026-11-24", "2026-11-24T03:00+01:00", "2026-11-18T03:00+01:00"),
        ("2026-11-25T03:00+01:00", "2026-11-25", "2026-11-25T03:00+01:00", "2026-11-25T03:00+01:00"),
        # at midnight UTC it is already tomorrow there
        ("2026-11-24T23:30+00:00", "2026-11-25", "2026-11-24T03:00+01:00", "2026-11-18T03:00+01:00"),
    ],
)
def test_the_clock_is_the_ad_accounts(now: str, today: str, daily: str, weekly: str) -> None:
    clock = Clock.at(datetime.fromisoformat(now), BERLIN, weekday=2)

    assert clock == Clock(
        date.fromisoformat(today), datetime.fromisoformat(daily), datetime.fromisoformat(weekly)
    )


@dataclass
class Account:
    """One level of an ad account through its time: what was read when, as the engine writes it down."""

    zone: ZoneInfo = BERLIN
    weekday: int = 2
    is_hourly: bool = True
    attribution: str = "click_date"
    known: dict[date, Read] = field(default_factory=dict)
    reads: Counter[date] = field(default_factory=Counter)

    def sync(self, now: datetime) -> list[date]:
        """One tick."""
        clock = Clock.at(now, self.zone, weekday=self.weekday)
        newest = max(self.known, default=None)
        first = clock.today - POLICY.first_days * DAY
        loaded = {
            day: read
            for day, read in self.known.items()
            if not read.is_final or day >= first or day == newest
        }
        days = due_days(
            loaded,
            clock,
            POLICY,
            attribution=self.attribution,
            is_hourly=self.is_hourly,
            oldest=EPOCH,
        )
        for day in days:
            is_final = day < clock.today - POLICY.late_days * DAY
            self.known[day] = Read(now, self.attribution, is_final)
        self.reads.update(days)
        return days

    def today(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()


def test_the_first_sync_reads_the_first_days_and_the_next_one_today_and_yesterday() -> None:
    account, now = Account(), datetime(2026, 11, 24, 12, tzinfo=BERLIN)

    first, second = account.sync(now), account.sync(now + HOUR)

    assert first == [date(2026, 11, 24) - age * DAY for age in range(30)]
    assert second == [date(2026, 11, 24), date(2026, 11, 23)]


def test_a_level_that_is_not_hourly_is_read_once_a_day() -> None:
    account = Account(is_hourly=False)
    night = datetime(2026, 11, 24, tzinfo=BERLIN)

    read = [len(account.sync(night + number * HOUR)) for number in range(48)]

    assert [number for number in read if number] == [29, 8, 30]  # until yesterday, daily, weekly
    assert [hour for hour, number in enumerate(read) if number] == [0, 3, 27]


def test_after_a_pause_nothing_is_missing_and_an_old_backfill_opens_no_hole() -> None:
    account, now = Account(), datetime(2026, 3, 1, 12, tzinfo=BERLIN)
    account.known[date(2025, 1, 1)] = Read(now, "click_date", is_final=True)
    assert account.sync(now)[-1] == date(2026, 1, 31)

    late = account.sync(now + 90 * DAY)

    assert set(late) >= {date(2026, 3, 1) + age * DAY for age in range(91)}
    assert min(account.known) == date(2025, 1, 1)
    assert date(2025, 1, 2) not in account.known


def test_another_attribution_reads_all_again_once() -> None:
    account, now = Account(), datetime(2026, 3, 1, 12, tzinfo=BERLIN)
    account.sync(now)

    account.attribution = "conversion_date"

    assert len(account.sync(now + HOUR)) == 30
    assert len(account.sync(now + 2 * HOUR)) == 2


@settings(max_examples=25)
@given(
    zone=st.sampled_from(
        ["Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Kolkata", "UTC"]
    ),
    start=st.integers(0, 30_000).map(lambda hours: datetime(2024, 1, 1, tzinfo=UTC) + hours * HOUR),
    weekday=st.integers(0, WEEK - 1),
    is_hourly=st.booleans(),
    waits=st.lists(st.integers(1, 60), min_size=20, max_size=60),
)
def test_no_gap_and_no_day_more_often_than_its_policy(
    zone: str, start: datetime, weekday: int, *, is_hourly: bool, waits: list[int]
) -> None:
    account = Account(ZoneInfo(zone), weekday, is_hourly)
    read_at: dict[date, list[datetime]] = {}
    now = start
    for wait in waits:
        now += wait * HOUR
        days = account.sync(now)
        for day in days:
            read_at.setdefault(day, []).append(now)
        today = account.today(now)
        first = account.today(start + waits[0] * HOUR) - (POLICY.first_days - 1) * DAY
        until = today if is_hourly else Clock.at(now, account.zone, weekday=weekday).daily.date()
        assert set(account.known) - {today} == {first + DAY * n for n in range((until - first).days + 1)} - {
            today
        }
        assert today in account.known or not is_hourly
        assert days == sorted(days, reverse=True)
        assert_fresh(account, now, days)
    for day, times in read_at.items():
        assert_no_more(account, day, times)


def assert_fresh(account: Account, now: datetime, days: list[date]) -> None:
    """What is due is one range, and what was left alone is as new as its age asks for."""
    clock = Clock.at(now, account.zone, weekday=account.weekday)
    assert len(slices_of({Level.AD: days})) <= 1 or len(days) > LONGEST
    for day, read in account.known.items():
        age = (clock.today - day).days
        if age < POLICY.fresh_days and account.is_hourly:
            assert read.read_at == now
        elif age < POLICY.daily_days:
            assert read.read_at >= clock.daily
        else:
            assert read.is_final or read.read_at >= clock.weekly


def assert_no_more(account: Account, day: date, times: list[datetime]) -> None:
    """Once between two of the moments that its age then asks for; never again when it was final."""
    for before, after in pairwise(times):
        clock = Clock.at(after, account.zone, weekday=account.weekday)
        age = (clock.today - day).days
        assert (account.today(before) - day).days <= POLICY.late_days
        if age < POLICY.fresh_days and account.is_hourly:
            continue
        assert before < (clock.daily if age < POLICY.daily_days else clock.weekly)


days_sets = st.sets(st.integers(0, 400).map(lambda number: EPOCH + number * DAY))


@given(by_level=st.dictionaries(st.sampled_from(list(Level)), days_sets))
def test_slices_hold_each_day_once_the_newest_first(by_level: dict[Level, set[date]]) -> None:
    slices = slices_of(by_level)

    held = Counter((one.level, one.since + n * DAY) for one in slices for n in range(days_in(one)))
    assert held == Counter((level, day) for level, days in by_level.items() for day in days)
    assert [one.until for one in slices] == sorted((one.until for one in slices), reverse=True)
    assert all(days_in(one) <= LONGEST for one in slices)


@given(since=days_sets.filter(bool).map(min), length=st.integers(2, 60))
def test_halves_are_the_whole(since: date, length: int) -> None:
    whole = InsightSlice(Level.AD, since, since + (length - 1) * DAY)

    newer, older = halves(whole)

    assert (older.since, newer.until) == (whole.since, whole.until)
    assert newer.since - older.until == DAY
    assert abs(days_in(newer) - days_in(older)) <= 1


def test_on_no_date_is_a_day_asked_for_that_google_tells_no_more() -> None:
    for today in (date(2026, 1, 1) + number * DAY for number in range(4 * 366)):
        assert oldest_day(today) == googles_oldest_day(today) + DAY, today
