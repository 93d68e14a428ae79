"""Which days of a level are due: what is missing, and what may still move, ever less often. Pure.

Conversions arrive for weeks after the click. So a day is read at every sync while it is today or yesterday,
then daily, then weekly, and once more when it is final. Daily and weekly are moments of the ad account's own
clock, the same for all its days: those that are due are due together, and are one range to ask for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
WEEK = 7  # days
SETTLED = time(3)  # of the ad account's night: then platforms have most of yesterday


class Read(NamedTuple):
    """What is known of a day that was read to its end."""

    read_at: datetime
    attribution: str
    is_final: bool


@dataclass(frozen=True)
class Policy:
    """How old a day may be, in days, to be read so often; today is 0 days old."""

    first_days: int  # of history at the beginning
    fresh_days: int  # younger days are read by every sync
    daily_days: int  # younger ones daily, the others weekly
    late_days: int  # older ones are final


@dataclass(frozen=True)
class Clock:
    """The ad account's: its day, and since when its daily and weekly reading is due."""

    today: date
    daily: datetime
    weekly: datetime

    @classmethod
    def at(cls, now: datetime, zone: ZoneInfo, *, weekday: int) -> "Clock":
        """`weekday` is its day of the weekly reading, for all ad accounts need not read on one day."""
        local = now.astimezone(zone)
        settled = (
            local.date() if local >= datetime.combine(local.date(), SETTLED, zone) else local.date() - DAY
        )
        last_weekly = settled - (settled.weekday() - weekday) % WEEK * DAY
        return cls(
            local.date(),
            datetime.combine(settled, SETTLED, zone),
            datetime.combine(last_weekly, SETTLED, zone),
        )


def due_days(
    known: Mapping[date, Read],
    clock: Clock,
    policy: Policy,
    *,
    attribution: str,
    is_hourly: bool,
    oldest: date,
) -> list[date]:
    """The days of one level to be read now, the newest first.

    `known` are the days that are not final, those of the first history, and the newest at least. A level that
    is not `is_hourly` is read once a day, in the night. Before `oldest` the platform tells nothing. What
    nobody read since the newest day that was read when it was new is missing, as after a pause; an older
    hole nobody asked for.
    """
    begin = clock.today - (policy.first_days - 1) * DAY
    newest = max(known, default=None)
    if newest and newest < begin and (known[newest].read_at.date() - newest).days <= policy.late_days:
        begin = newest
    until = clock.today if is_hourly else clock.daily.date()
    wanted = {begin + number * DAY for number in range((until - begin).days + 1)} | set(known)
    due = (
        day
        for day in wanted
        if oldest <= day <= until
        and _is_due(day, known.get(day), clock, policy, attribution, is_hourly=is_hourly)
    )
    return sorted(due, reverse=True)


def _is_due(
    day: date, read: Read | None, clock: Clock, policy: Policy, attribution: str, *, is_hourly: bool
) -> bool:
    if read is None or read.attribution != attribution:
        return True
    if read.is_final:
        return False
    age = (clock.today - day).days
    if age < policy.fresh_days and is_hourly:
        return True
    return read.read_at < (clock.daily if age < policy.daily_days else clock.weekly)
