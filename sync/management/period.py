"""From when to when, as an operator writes it."""

import argparse
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from sync.management.command import WrongUse

UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
DAY = timedelta(days=1)
FORMS = "as 2026-11-01 or 2026-11-01T09:30, in UTC unless it ends with another offset"


def add_period(parser: CommandParser) -> None:
    """The options that choose a time."""
    parser.add_argument("--since", type=beginning, metavar="TIME", help=f"from then on, {FORMS}")
    parser.add_argument("--until", type=end, metavar="TIME", help="before then; of a date, to the day's end")
    parser.add_argument("--last", type=length, metavar="SPAN", help="only the last 30m, 24h, 7d or 2w")


def period(options: dict[str, Any]) -> tuple[datetime | None, datetime | None]:
    """The first moment, and the one after the last; None for no bound."""
    since, until, last = options["since"], options["until"], options["last"]
    now = timezone.now()
    if last and (since or until):
        raise WrongUse("--last: give it alone, or --since and --until.")
    if since and until and since >= until:
        raise WrongUse(f"--until: {until:%Y-%m-%d %H:%M} is not after --since.")
    if since and since > now:
        raise WrongUse(f"--since: {since:%Y-%m-%d %H:%M} is yet to come.")
    return (now - last, None) if last else (since, until)


def beginning(text: str) -> datetime:
    """An option's type: a moment, or the beginning of a day."""
    return _moment(text)[0]


def end(text: str) -> datetime:
    """An option's type: a moment, or the end of a day."""
    moment, is_day = _moment(text)
    return moment + DAY if is_day else moment


def length(text: str) -> timedelta:
    """An option's type: a number and its unit."""
    found = re.fullmatch(r"([1-9]\d{0,4})([mhdw])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no span: write 30m, 24h, 7d or 2w")
    return int(found[1]) * UNITS[found[2]]


def _moment(text: str) -> tuple[datetime, bool]:
    """And whether it is a whole day."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC), day is not None
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write it {FORMS}") from None
