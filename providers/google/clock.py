"""Moments as a customer's clock shows them: the only way in which Google's log of changes tells time."""

from datetime import UTC, datetime, timedelta, tzinfo

FORMAT = "%Y-%m-%d %H:%M:%S.%f"


def text(moment: datetime) -> str:
    """As a query has it, to the microsecond."""
    return moment.strftime(FORMAT)


def earliest(begin: datetime, now: datetime) -> str:
    """What the clock of `now` showed at `begin`, or earlier where it was turned back since: a change in the
    hour that comes twice bears a smaller time than one before it."""
    begin = begin.astimezone(UTC)
    days = range((now - begin).days + 1)
    moments = [begin, *(begin + timedelta(days=day) for day in days), now]
    return text(begin + min(moment.astimezone(now.tzinfo).utcoffset() or timedelta() for moment in moments))


def moment(told: str, zone: tzinfo | None) -> datetime:
    """Of the hour that comes twice, the first one is meant."""
    return datetime.fromisoformat(told).replace(tzinfo=zone).astimezone(UTC)
