"""From which day to which: named, or by a word such as `last_7d`. Days are those of the ad accounts."""

from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta
from typing import Any

from rest_framework.exceptions import ValidationError

from sync.engine.insights.plan import oldest_day
from sync.models import Connection

DAY = timedelta(days=1)
Days = tuple[date, date]  # both included


def _before(days: int) -> Callable[[date], Days]:
    return lambda today: (today - days * DAY, today - DAY)


def _last_week(today: date) -> Days:
    monday = today - (today.weekday() + 7) * DAY
    return monday, monday + 6 * DAY


def _last_month(today: date) -> Days:
    last = today.replace(day=1) - DAY
    return last.replace(day=1), last


RANGES: dict[str, Callable[[date], Days]] = {
    "today": lambda today: (today, today),
    "yesterday": _before(1),
    "last_7d": _before(7),
    "last_14d": _before(14),
    "last_28d": _before(28),
    "last_30d": _before(30),
    "last_90d": _before(90),
    "this_week": lambda today: (today - today.weekday() * DAY, today),
    "last_week": _last_week,
    "this_month": lambda today: (today.replace(day=1), today),
    "last_month": _last_month,
    "this_year": lambda today: (today.replace(month=1, day=1), today),
}


def period(asked: dict[str, Any], connections: Collection[Connection], now: datetime) -> Days:
    """The days that are asked for; 400 for days that nobody can know.

    A word counts from the day that has begun in all of the ad accounts, a named day may be one that has
    begun in any of them.
    """
    todays = {one.day_of(now) for one in connections} or {now.date()}
    word, since, until = asked.get("range"), asked.get("from"), asked.get("to")
    if word and (since or until):
        raise ValidationError({"range": "Send it alone, or from and to without it."})
    if word:
        return RANGES[word](min(todays))
    if since is None:
        raise ValidationError({"from": "Say from and to, or a range such as last_7d."})
    days = since, until or max(todays)
    _check(days, latest=max(todays), oldest=oldest_day(min(todays)))
    return days


def _check(days: Days, *, latest: date, oldest: date) -> None:
    since, until = days
    if since > latest:
        raise ValidationError({"from": f"{since} is yet to come. The latest day is {latest}."})
    if until > latest:
        raise ValidationError({"to": f"{until} is yet to come. The latest day is {latest}."})
    if since > until:
        raise ValidationError({"to": f"{until} is before from, {since}."})
    if since < oldest:
        raise ValidationError({"from": f"Metrics are told for 37 months. The oldest day is {oldest}."})
