"""Hold the daily metrics of connections against the sandbox's truth, day by day."""

from collections.abc import Iterable, Iterator
from datetime import date

import requests
from django.db.models import Max, Min, Sum

from adtiger.up.comparison import TIMEOUT, Comparison
from providers.meta.parse import micros_per_minor
from providers.records import Level
from sync.models import Connection, Insight, InsightDay
from sync.models.choices import Provider

Sums = tuple[int, int, int]  # impressions, clicks and spend in micros


def compare_metrics(connections: Iterable[Connection], sandbox_url: str) -> Iterator[Comparison]:
    """All levels of each: on how many days something was delivered, and on which days the sums differ."""
    for connection in connections:
        connection.refresh_from_db(fields=["currency"])  # its first sync told which
        for level in Level:
            yield _compare(connection, level, sandbox_url)


def _compare(connection: Connection, level: Level, sandbox_url: str) -> Comparison:
    name = f"metrics by {level.replace('_', ' ')}"
    days = InsightDay.objects.filter(connection=connection, level=level)
    read = days.aggregate(since=Min("day"), until=Max("day"))
    if read["since"] is None:
        return Comparison(str(connection), name, 0, 0, ["never read"])
    copied, expected = _copied(connection, level), _expected(connection, level, sandbox_url, read)
    either = copied.keys() | expected.keys()
    differing = sorted(str(day) for day in either if copied.get(day) != expected.get(day))
    return Comparison(str(connection), name, len(copied), len(expected), differing)


def _copied(connection: Connection, level: Level) -> dict[date, Sums]:
    rows = Insight.objects.filter(connection_id=connection.pk, level=level).values("day").order_by("day")
    sums = rows.values_list("day", Sum("impressions"), Sum("clicks"), Sum("spend_micros"))
    return _delivered({day: (impressions, clicks, spend) for day, impressions, clicks, spend in sums})


def _expected(
    connection: Connection, level: Level, sandbox_url: str, read: dict[str, date]
) -> dict[date, Sums]:
    account = connection.external_id.removeprefix("act_")
    days = {name: day.isoformat() for name, day in read.items()}
    question = {"platform": connection.provider, "account": account, "level": level.value, **days}
    answer = requests.get(f"{sandbox_url}/control/insights", params=question, timeout=TIMEOUT)
    answer.raise_for_status()
    sums: dict[date, Sums] = {}
    for row in answer.json()["rows"]:
        impressions, clicks, spend = sums.get(day := date.fromisoformat(row["day"]), (0, 0, 0))
        sums[day] = impressions + row["impressions"], clicks + row["clicks"], spend + _spend(connection, row)
    return _delivered(sums)


def _delivered(sums: dict[date, Sums]) -> dict[date, Sums]:
    """A day on which only a late conversion was credited is none of delivery."""
    return {day: found for day, found in sums.items() if any(found)}


def _spend(connection: Connection, row: dict[str, int]) -> int:
    if connection.provider == Provider.META:
        return row["spend"] * micros_per_minor(connection.currency)
    return row["cost_micros"]
