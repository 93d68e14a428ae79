"""The daily statistic of ended runs, and where it ends. Days are UTC's.

Guarantee: each day is counted once, by whoever comes first when it is over, and no run is removed before its
day was counted. So all that ended is in the statistic up to `counted_until`, and behind it in the ledger.
"""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection as database
from django.db.models import Count, Max
from django.db.models.functions import TruncDate

from sync.models import Connection, CountedDay, SyncRun
from sync.models.choices import ENDED

Ends = Counter[str]  # by state
DAY = timedelta(days=1)
LATE = timedelta(minutes=10)  # behind midnight: what ended just before is committed by then
# The row of the day is the lock: who comes second waits for the first one's commit, and inserts nothing.
COUNT = """
    WITH day AS (INSERT INTO sync_countedday (day) VALUES (%(day)s) ON CONFLICT DO NOTHING RETURNING day),
    ended AS (
        SELECT connection_id, kind, state, error_category, count(*) AS number, sum(calls) AS calls,
            COALESCE(sum(extract(epoch FROM finished_at - started_at)), 0) AS seconds
        FROM sync_syncrun WHERE finished_at >= %(begins)s AND finished_at < %(ends)s
        GROUP BY connection_id, kind, state, error_category
    )
    INSERT INTO sync_dailystatistic
        (connection_id, day, kind, succeeded, failed, cancelled, calls, seconds, error_categories)
    SELECT connection_id, day, kind,
        COALESCE(sum(number) FILTER (WHERE state = 'succeeded'), 0),
        COALESCE(sum(number) FILTER (WHERE state = 'failed'), 0),
        COALESCE(sum(number) FILTER (WHERE state = 'cancelled'), 0),
        sum(calls),
        COALESCE(sum(seconds) FILTER (WHERE state = 'succeeded'), 0),
        COALESCE(jsonb_object_agg(error_category, number)
                 FILTER (WHERE state = 'failed' AND error_category <> ''), '{}')
    FROM ended, day GROUP BY connection_id, day, kind
"""


def count_days(now: datetime) -> int:
    """Count all days that are over and not counted yet; returns how many."""
    day, counted = _first_uncounted(), 0
    while day and day < (now - LATE).date():
        begins = _midnight(day)
        with database.cursor() as cursor:
            cursor.execute(COUNT, {"day": day, "begins": begins, "ends": begins + DAY})
        counted += 1
        day += DAY
    return counted


def counted_until() -> datetime | None:
    """Behind which what ended is not in the statistic yet; None where nothing is."""
    last = _last_counted()
    return _midnight(last + DAY) if last else None


def _first_uncounted() -> date | None:
    """The day after the last one that was counted; at first that of the oldest run."""
    if last := _last_counted():
        return last + DAY
    oldest = SyncRun.objects.filter(finished_at__isnull=False).order_by("finished_at")
    ended = oldest.values_list("finished_at", flat=True).first()
    return ended.astimezone(UTC).date() if ended else None


def _last_counted() -> date | None:
    found: date | None = CountedDay.objects.aggregate(last=Max("day"))["last"]
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def ended_by_day(connection: Connection, since: date) -> dict[date, Ends]:
    """How the connection's runs ended, by state and day; days without an end are left out."""
    found: dict[date, Ends] = defaultdict(Counter)
    for row in connection.statistics.filter(day__gte=since):
        found[row.day].update({state: getattr(row, state) for state in ENDED})
    until = max(_midnight(since), counted_until() or _midnight(since))
    # with the account, for the index of what ended
    runs = SyncRun.objects.filter(account_id=connection.account_id, connection=connection)
    ended = runs.filter(finished_at__gte=until).order_by().values_list(TruncDate("finished_at"), "state")
    for day, state, number in ended.annotate(number=Count("pk")):
        found[day][state] += number
    return found
