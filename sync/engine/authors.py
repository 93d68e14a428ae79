"""Who made the changes that a run found, where the platform tells: for one call more, if it can be afforded.

Whoever it was is a pseudonym, or the tool through which it was done; never a name or an address. It is an
extra: what goes wrong with it fails no sync. Where it can't be asked now, or would cost a tick more than
it may, it is asked by the connection's next run that can: `Connection.authors_since` says of which changes.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from providers.errors import (
    RETRYABLE,
    BudgetSpent,
    CircuitOpen,
    LimitReached,
    ProviderError,
    TooMuchData,
)
from providers.records import Edit
from sync import prepared
from sync.engine.authorship import Made, authors
from sync.engine.chunk import chunk
from sync.engine.plan import OVERLAP, Reading, reading_of
from sync.engine.streams import TARGETS
from sync.engine.turn import Turn
from sync.google.day import google_day
from sync.models import Change, SyncRun
from sync.models.choices import EntityKind, Mode, Provider, Trigger

logger = structlog.get_logger(__name__)

MOST = 10_000  # changes that are looked at: what one edit of everything makes is not worth more
ONE_PAGE = 500  # changes that Meta's log tells with one call
TICK = 6  # operations that a tick of a Google customer may cost
METRICS = 2  # of them, by the run of metrics
FEW = 5_000  # changed entities that may wait: Google's log tells 10,000 edits at once
LONGEST_WAIT = timedelta(days=1)  # for a tick with room
FORGOTTEN = timedelta(days=7)  # what could not be asked for so long is asked no more
PASSING = (*RETRYABLE, LimitReached, BudgetSpent, CircuitOpen)  # what may be over by the next run
NAME = """
    UPDATE sync_change SET by = told.by
    FROM unnest(%(ids)s::bigint[], %(authors)s::text[]) AS told (id, by)
    WHERE sync_change.id = told.id AND connection_id = %(connection)s AND sync_change.by <> told.by
"""
Whose = tuple[str, str]  # entity, external id
Readings = dict[UUID, Reading]  # by run


def name_authors(turn: Turn) -> None:
    """Write beside the changes of this run, and of those that wait, who made them; or let them wait."""
    run, waiting_since = turn.run, _waiting_since(turn.run)
    since = min((moment for moment in (waiting_since, _own_since(run)) if moment), default=None)
    readings = _readings(_seen(run, since)) if since else {}
    if since is None or not readings:
        turn.authors_since = None
    elif not _is_affordable(run):
        turn.authors_since = waiting_since
    elif _has_no_room(turn, since):
        turn.authors_since = since
    else:
        turn.authors_since = None if _ask(turn, since, readings) else since


def _ask(turn: Turn, since: datetime, readings: Readings) -> bool:
    """Of all changes seen since then; False where it is to be asked once more."""
    run, edits = turn.run, list[Edit]()
    until: datetime | None = None
    try:
        edits.extend(turn.client.changes_by(min(one.behind for one in readings.values()), timezone.now()))
    except TooMuchData:  # behind the oldest
        until = edits[-1].at if edits else since
    except (ProviderError, BudgetSpent, CircuitOpen) as exc:
        logger.info("authors not told", reason=str(exc))
        return not isinstance(exc, PASSING)
    told = dict(_authors(_seen(run, since), readings, edits, until))
    with chunk(run, turn.lease, calls=turn.client.calls):
        if told:
            values = {"ids": list(told), "authors": list(told.values()), "connection": run.connection_id}
            prepared.run(NAME, values)
    return True


def _waiting_since(run: SyncRun) -> datetime | None:
    """Since when the connection's changes wait for their authors."""
    since = run.connection.authors_since
    return since if since and timezone.now() - since < FORGOTTEN else None


def _own_since(run: SyncRun) -> datetime | None:
    """Since when the changes were made that this run saw; None where there are none, or all was new."""
    reading = reading_of(run)
    return reading.behind if reading and run.changes else None


def _seen(run: SyncRun, since: datetime) -> QuerySet[Change]:
    return Change.objects.filter(connection_id=run.connection_id, seen_at__gte=since)


def _is_affordable(run: SyncRun) -> bool:
    """Whether the settings, and Google's day, have a call to spare."""
    choice = settings.AUTHORS[run.provider]
    if choice != "auto":
        return bool(choice == "always")
    if run.provider == Provider.META:
        return sum(run.changes.values()) <= ONE_PAGE
    day = google_day()
    return day is None or not day.sentences


def _has_no_room(turn: Turn, since: datetime) -> bool:
    """Whether one operation more would be too many for a tick, and the question can wait."""
    run = turn.run
    is_tick = (run.trigger, run.mode) == (Trigger.SCHEDULED, Mode.INCREMENTAL)
    if run.provider != Provider.GOOGLE or not is_tick or timezone.now() - since > LONGEST_WAIT:
        return False
    if run.calls + turn.client.calls + METRICS < TICK:
        return False
    return _seen(run, since).values("entity", "external_id").distinct()[: FEW + 1].count() <= FEW


def _authors(
    seen: QuerySet[Change], readings: Readings, edits: Iterable[Edit], until: datetime | None
) -> Iterator[tuple[int, str]]:
    """By the changes' keys; the edits are all there were, or all `until` then."""
    of: dict[Whose, list[Edit]] = defaultdict(list)
    for edit in edits:
        of[TARGETS[edit.stream].entity, edit.external_id].append(edit)
    ids = {external_id for _, external_id in of}
    made: dict[Whose, list[Made]] = defaultdict(list)
    for change in seen.filter(external_id__in=ids).order_by("seen_at", "pk")[:MOST]:
        one = _made(change, readings.get(change.run_id))
        if one and (until is None or one.ends <= until):
            made[change.entity, change.external_id].append(one)
    for (entity, external_id), some in made.items():
        for change, who in authors(some, of[EntityKind(entity), external_id]):
            yield change.pk, who


def _made(change: Change, reading: Reading | None) -> Made | None:
    """None where its run does not remember how it read, or has planned anew since."""
    if reading is None or change.seen_at < reading.until:
        return None
    return Made(change, reading.behind, reading.until, change.seen_at + OVERLAP)


def _readings(changes: QuerySet[Change]) -> Readings:
    """Of the runs that saw these changes, where they remember it."""
    runs = SyncRun.objects.filter(pk__in=changes.values("run_id")).only("checkpoint")
    return {run.pk: reading for run in runs if (reading := reading_of(run))}
