"""After a run of insights: whether the levels agree, in one currency, without a gap.

Only days that are over and were read to their end by this run are compared, level against level: today grows
between two questions. The newest are compared first, and no more rows are summed than a second or so takes.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from providers.records import Level
from sync import prepared
from sync.engine.incoming import BY_KEY
from sync.models import SyncRun

MOST_ROWS = 500_000
MICROS = 1_000_000
ROUNDING = 10_000  # micros that each row may be off: platforms round to cents
SETTLED = timedelta(days=2)  # until then a level that is read once a day may not have had its turn
DAY = timedelta(days=1)

# Campaigns without ad groups or ads of their own can't be compared with those.
SUMS = """
    WITH done AS (
        SELECT level, day, sum(rows) OVER (ORDER BY day DESC, level) AS so_far
        FROM sync_insightday
        WHERE connection_id = %(connection)s AND run_id = %(run)s AND day < %(today)s
    ), days AS MATERIALIZED (SELECT level, day FROM done WHERE so_far <= %(most)s)
    SELECT days.level, days.day,
        coalesce(sum(spend_micros), 0)::bigint, coalesce(sum(impressions), 0)::bigint,
        coalesce(sum(spend_micros) FILTER (WHERE is_whole), 0)::bigint,
        coalesce(sum(impressions) FILTER (WHERE is_whole), 0)::bigint,
        count(own.currency), coalesce(min(own.currency), ''), coalesce(max(own.currency), '')
    FROM days LEFT JOIN LATERAL (
        SELECT spend_micros, impressions, currency, days.level <> 'campaign' OR NOT EXISTS (
            SELECT FROM sync_campaign campaign
            WHERE campaign.connection_id = metric.connection_id AND campaign.external_id = metric.external_id
              AND campaign.objective = 'PERFORMANCE_MAX'
        ) AS is_whole
        FROM sync_insight metric
        WHERE metric.connection_id = %(connection)s AND metric.level = days.level AND metric.day = days.day
    ) AS own ON true
    GROUP BY days.level, days.day
"""
GAPS = """
    SELECT level, day + 1, following - 1 FROM (
        SELECT level, day, lead(day, 1, %(until)s) OVER (PARTITION BY level ORDER BY day) AS following
        FROM sync_insightday WHERE connection_id = %(connection)s AND day >= %(since)s AND day < %(until)s
    ) AS each WHERE following > day + 1 ORDER BY level, day
"""
WORDS = {
    Level.ACCOUNT: "the account",
    Level.CAMPAIGN: "campaigns",
    Level.AD_GROUP: "ad groups",
    Level.AD: "ads",
}


class Sum(NamedTuple):
    """One level's day, and the same without what has no level below."""

    spend: int
    impressions: int
    whole_spend: int
    whole_impressions: int
    rows: int
    currency: str
    other_currency: str  # the same, unless the day has two


class Pair(NamedTuple):
    """A level whose sums are to be those of the one above it, or of what of it has parts."""

    lower: Level
    upper: Level
    is_whole: bool = False
    perhaps: str = ""


DELETED = " Deleted ones may be hidden."
PAIRS = (
    Pair(Level.CAMPAIGN, Level.ACCOUNT, perhaps=DELETED),
    Pair(Level.AD_GROUP, Level.CAMPAIGN, is_whole=True, perhaps=DELETED),
    Pair(Level.AD, Level.CAMPAIGN, is_whole=True, perhaps=DELETED),
)
Sums = dict[Level, dict[date, Sum]]


def contradictions(run: SyncRun) -> list[str]:
    """What can't all be true of the days that the run completed, and the days that are missing."""
    sums = _sums(run)
    unequal = (sentence for pair in PAIRS for sentence in _compare(pair, sums, run.connection.currency))
    return [*_currencies(sums, run.connection.currency), *unequal, *_gaps(run)]


def _sums(run: SyncRun) -> Sums:
    values = {"today": run.connection.day_of(timezone.now()), "most": MOST_ROWS}
    sums: Sums = defaultdict(dict)
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(BY_KEY)
        rows = prepared.fetch(SUMS, _whose(run) | values)
    for level, day, *rest in rows:
        sums[Level(level)][day] = Sum(*rest)
    return sums


def _compare(pair: Pair, sums: Sums, currency: str) -> Iterator[str]:
    lower, upper = sums[pair.lower], sums[pair.upper]
    days = sorted(lower.keys() & upper.keys())
    for metric, unit in (("spend", currency), ("impressions", "")):
        column = f"whole_{metric}" if pair.is_whole else metric
        found = {day: (getattr(lower[day], metric), getattr(upper[day], column)) for day in days}
        rounding = ROUNDING if metric == "spend" else 0
        off = [day for day in days if _differ(*found[day], rounding * (lower[day].rows + upper[day].rows))]
        if off:
            yield _sentence(pair, metric, unit, {day: found[day] for day in off})


def _differ(some: int, others: int, rounding: int) -> bool:
    allowed: float = settings.MAX_DISCREPANCY * max(some, others)
    return abs(some - others) > max(allowed, rounding)


def _sentence(pair: Pair, metric: str, unit: str, days: dict[date, tuple[int, int]]) -> str:
    below, above = (sum(both[place] for both in days.values()) for place in (0, 1))
    figures = (f"{number / MICROS:,.2f} {unit}" if unit else f"{number:,}" for number in (below, above))
    some, others = (figure.strip() for figure in figures)
    whose = "those with parts" if pair.is_whole else "the account"
    total = f"{WORDS[pair.upper]} add up to" if pair.upper != Level.ACCOUNT else "the account has"
    only = f" ({whose} only)" if pair.is_whole else ""
    return (
        f"{_span(list(days))}: {WORDS[pair.lower]} add up to {some} of {metric}, {total} {others}{only}: "
        f"{_percent(below, above)} off.{pair.perhaps if below < above else ''}"
    )


def _currencies(sums: Sums, own: str) -> Iterator[str]:
    """Rows in another currency than the ad account's."""
    days: dict[str, set[date]] = defaultdict(set)
    for by_day in sums.values():
        for day, found in by_day.items():
            for currency in (found.currency, found.other_currency):
                days[currency].add(day)
    for currency in sorted(days.keys() - {own, ""}):
        if own:
            yield f"{_span(sorted(days[currency]))}: metrics are in {currency}, the ad account in {own}."


def _gaps(run: SyncRun) -> Iterator[str]:
    """Days that no run read to its end, among those that are always read."""
    if run.date_from:
        return
    today = run.connection.day_of(timezone.now())
    since = today - timedelta(days=settings.INSIGHTS_FIRST_DAYS)
    for level, first, last in prepared.fetch(GAPS, _whose(run) | {"since": since, "until": today - SETTLED}):
        number = (last - first).days + 1
        days = f"{first}" if number == 1 else f"{number} days from {first} to {last}"
        yield f"Metrics of {WORDS[Level(level)]} are missing: {days}."


def _whose(run: SyncRun) -> dict[str, Any]:
    return {"connection": run.connection_id, "run": run.pk}


def _span(days: list[date]) -> str:
    if len(days) == 1:
        return f"On {days[0]}"
    return f"On {len(days)} days from {days[0]} to {days[-1]}"


def _percent(some: int, others: int) -> str:
    return f"{100 * abs(some - others) / max(some, others):.1f} %"
