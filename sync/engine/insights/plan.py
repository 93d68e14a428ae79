"""What a run of insights is to read: days that somebody named, or those that are due."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Avg, Q

from providers.records import Level
from providers.registry import ATTRIBUTIONS
from sync.engine.insights.due import DAY, WEEK, Clock, Policy, Read, due_days
from sync.engine.insights.partitions import add_months
from sync.engine.insights.slices import days_of, slices_of
from sync.engine.insights.work import Work
from sync.ledger.scope import READ_SINCE
from sync.models import Ad, AdGroup, Campaign, Connection, Entity, InsightDay, SyncRun

MONTHS = 37  # of history that the platforms tell
KEPT = timedelta(minutes=30)  # as long as a report may take: what was asked for before is not the data of now
RECENT_DAYS = 28  # whose rows say how many a day has
CATALOG: dict[Level, type[Entity]] = {Level.CAMPAIGN: Campaign, Level.AD_GROUP: AdGroup, Level.AD: Ad}


def plan(run: SyncRun, now: datetime) -> Work:
    """All that the run is to read, the newest days first."""
    connection, days = run.connection, _days(run, now)
    rows_a_day = {level: _rows_a_day(connection, level) for level in days}
    return Work.planning(slices_of(days), rows_a_day, attribution_of(connection))


def extend(run: SyncRun, work: Work, now: datetime) -> None:
    """Add to a run's work what was asked for since it began.

    What is under way goes on, unless it is so old that it would be told as new. What is read, and was before
    somebody asked, is read again where it is due.
    """
    read_since = datetime.fromisoformat(run.checkpoint[READ_SINCE])
    work.drop_older(read_since - KEPT)
    planned = {(slice.level, day) for slice in work.left for day in days_of(slice)}
    days = {
        level: [day for day in found if (level, day) not in planned]
        for level, found in _days(run, now, read_since=read_since).items()
    }
    work.add(slices_of(days), {level: _rows_a_day(run.connection, level) for level in days})


def _days(run: SyncRun, now: datetime, *, read_since: datetime | None = None) -> dict[Level, list[date]]:
    """By level the days to be read, but for those that were read since a moment."""
    connection = run.connection
    levels = [Level(level) for level in run.levels] or list(Level)
    attribution = attribution_of(connection)
    today = connection.day_of(now)
    named = (run.date_from, min(run.date_to, today)) if run.date_from and run.date_to else None
    since = named[0] if named else today - settings.INSIGHTS_FIRST_DAYS * DAY
    days: dict[Level, list[date]] = {}
    for level in levels:
        known = _known(connection, level, attribution, since=since)
        found = _unfinished(*named, known, attribution) if named else _due(connection, level, known, now)
        is_read = {day for day, read in known.items() if read_since and read.read_at >= read_since}
        days[level] = [day for day in found if day not in is_read]
    return days


def attribution_of(connection: Connection) -> str:
    """By which rule the connection's conversions are counted."""
    return connection.attribution or ATTRIBUTIONS[connection.provider][0]


def policy() -> Policy:
    """How often days are read again, as the settings have it."""
    return Policy(
        first_days=settings.INSIGHTS_FIRST_DAYS,
        fresh_days=settings.INSIGHTS_FRESH_DAYS,
        daily_days=settings.INSIGHTS_DAILY_DAYS,
        late_days=settings.INSIGHTS_LATE_DAYS,
    )


def oldest_day(today: date) -> date:
    """Before it the platforms tell no day's metrics. A day later than they say, for clocks differ; where the
    month of then is shorter than today's date, it lies in the next one."""
    return add_months(today, -MONTHS) + today.day * DAY


def _due(connection: Connection, level: Level, known: dict[date, Read], now: datetime) -> list[date]:
    clock = Clock.at(now, connection.zone, weekday=connection.pk.int % WEEK)
    return due_days(
        known,
        clock,
        policy(),
        attribution=attribution_of(connection),
        is_hourly=level in settings.INSIGHTS_HOURLY_LEVELS[connection.provider],
        oldest=oldest_day(clock.today),
    )


def _unfinished(since: date, until: date, known: dict[date, Read], attribution: str) -> list[date]:
    """Of the named days all but the final ones, of which the platform has nothing new to tell."""
    days = (since + DAY * number for number in range((until - since).days + 1))
    return [
        day
        for day in days
        if day not in known or not known[day].is_final or known[day].attribution != attribution
    ]


def _known(connection: Connection, level: Level, attribution: str, *, since: date) -> dict[date, Read]:
    """The days that are not final, those from `since` on, and the newest."""
    rows = InsightDay.objects.filter(connection=connection, level=level)
    newest = rows.order_by("-day").values_list("day", flat=True).first()
    if newest is None:
        return {}
    wanted = rows.filter(Q(is_final=False) | Q(day__gte=min(since, newest)))
    if wanted.exclude(attribution=attribution).exists():
        rows.exclude(attribution=attribution).update(
            is_final=False
        )  # the rule has changed: all are read again
    found = wanted.values_list("day", "read_at", "attribution", "is_final")
    return {day: Read(read_at, rule, final) for day, read_at, rule, final in found}


def _rows_a_day(connection: Connection, level: Level) -> int:
    """As many as there were lately; at first as many as there are entities."""
    if level == Level.ACCOUNT:
        return 1
    recent = InsightDay.objects.filter(connection=connection, level=level).order_by("-day")[:RECENT_DAYS]
    rows: float | None = recent.aggregate(mean=Avg("rows"))["mean"]
    if rows is None:
        entities = CATALOG[level]._default_manager.filter(connection=connection, removed_at=None)
        rows = entities.count()
    return max(1, round(rows))
