"""Copy daily metrics, slice by slice.

Guarantee: a page's rows, the run's checkpoint and, with a slice's last page, the words that its days are
complete commit together, fenced by the lease. A report that the platform prepares costs a call when it is
asked for and one each time it is asked after, whatever dies between: its cursor is committed at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from providers.errors import AccessDenied, CursorExpired, ReportPending, TooMuchData
from providers.records import InsightPage, InsightRecord, InsightSlice, Level
from sync.engine.ahead import read_ahead
from sync.engine.chunk import chunk
from sync.engine.denied import check_the_rest, note_denied
from sync.engine.insights.days import (
    any_rows,
    complete,
    forget_all_but,
    forget_seen,
    remember_seen,
    remove_vanished,
)
from sync.engine.insights.due import DAY
from sync.engine.insights.ended import take
from sync.engine.insights.merge import merge_insights
from sync.engine.insights.partitions import ensure_partitions
from sync.engine.insights.plan import attribution_of, extend, oldest_day, plan
from sync.engine.insights.slices import days_in, halves
from sync.engine.insights.too_much import check_refused, remember_refusal
from sync.engine.insights.work import Begun, Work
from sync.engine.turn import Turn
from sync.ledger.scope import READ_SINCE

EXPECTED = "insights"  # in the run's expectations


class ReportsPrepared(Exception):
    """All that is left is prepared at the platform: come back after `wait`, or when it tells of a report.

    A span, for by the database's clock a run is due: one that is ahead of ours would make it due at once,
    again and again.
    """

    def __init__(self, waiting_for: str, *, wait: timedelta, report_ids: list[str]) -> None:
        super().__init__(waiting_for)
        self.wait = wait
        self.report_ids = report_ids


def copy_insights(turn: Turn) -> None:
    """Read what the run is to read, from its checkpoint on.

    Raises `ReportsPrepared` when only reports are left, and `TooMuchData` at the end, for the days of which
    even one was too much.
    """
    run = turn.run
    work = Work.of(run.checkpoint, attribution_of(run.connection))
    if work is None:
        work = _planned(turn)
    elif READ_SINCE in run.checkpoint:
        _extend(turn, work)
    _drop_untold(turn, work)
    while begun := _next(turn, work):
        _read(turn, work, begun)
        if work.todo or work.begun:
            turn.check()
    if work.begun:
        _come_back(work)
    if work.stuck:
        days = ", ".join(dict.fromkeys(f"{slice.level.value} {slice.since}" for slice in work.stuck))
        with _chunk(turn, work):
            work.try_stuck_again()
        raise TooMuchData(f"A single day is too much for the platform: {days}"[:500])


def _planned(turn: Turn) -> Work:
    run = turn.run
    work = plan(run, timezone.now())
    with _chunk(turn, work):
        if run.checkpoint:
            run.seen.all().delete()  # by another rule
        run.expected[EXPECTED] = work.planned
    return work


def _extend(turn: Turn, work: Work) -> None:
    """Take on what somebody asked for since it was planned."""
    run = turn.run
    extend(run, work, timezone.now())
    with _chunk(turn, work):
        forget_all_but(run, [begun.slice for begun in work.begun])
        run.expected[EXPECTED] = work.planned


def _drop_untold(turn: Turn, work: Work) -> None:
    """Leave out the days that the platform no longer tells: it did when somebody asked for them, days ago."""
    run = turn.run
    if work.drop_untold(oldest_day(run.connection.day_of(timezone.now()))):
        with _chunk(turn, work):
            forget_all_but(run, [begun.slice for begun in work.begun])


def _next(turn: Turn, work: Work) -> Begun | None:
    """What can be read now: what is under way, then what nobody began, then what the platform told to be
    ready before its time."""
    begun = work.readable(timezone.now().timestamp())
    if begun is not None:
        return begun
    if not work.may_begin:
        work.ask_for(take(work.report_ids))
        return work.readable(timezone.now().timestamp())
    slice = work.todo[0]
    ensure_partitions(slice.since, slice.until)
    return work.begin(slice, timezone.now(), may_vanish=any_rows(turn.run, slice))


def _read(turn: Turn, work: Work, begun: Begun) -> None:
    """Read a slice to its end, or as far as the platform can tell it now."""
    slice = begun.slice
    begun.ready_at = None
    try:
        _read_or_divide(turn, work, begun)
    except ReportPending as exc:
        begun.cursor, begun.report_id = exc.cursor, exc.report_id
        begun.ready_at = timezone.now().timestamp() + exc.retry_after
        with _chunk(turn, work):
            pass
    except AccessDenied as exc:
        check_the_rest(turn, exc)
        work.drop(slice.level)
        if not (turn.run.insights_count or work.todo or work.begun):
            raise  # nothing of it could be read
        with _chunk(turn, work):
            forget_seen(turn.run, slice)
            note_denied(turn.run, f"metrics of {slice.level.value.replace('_', ' ')}s", exc)
    except CursorExpired:
        work.again(begun)
        with _chunk(turn, work):
            forget_seen(turn.run, slice)
        raise


def _read_or_divide(turn: Turn, work: Work, begun: Begun) -> None:
    """Page by page; what is too much becomes several slices."""
    slice, rows = begun.slice, work.expected(begun.slice)
    try:
        if slice.is_whole and begun.cursor is None:
            check_refused(turn.run, slice, rows)
        pages = turn.client.insights(
            _asked(turn, slice),
            attribution=turn.run.connection.attribution,
            cursor=begun.cursor,
            expected_rows=rows,
        )
        for page in read_ahead(turn, pages, behind_first=True):
            _commit(turn, work, begun, page)
    except TooMuchData as exc:
        if slice.is_whole and exc.platform_code:
            remember_refusal(turn.run, slice, rows)
        work.split(begun, halves(slice) if days_in(slice) > 1 else turn.client.narrower(slice))
        with _chunk(turn, work):
            forget_seen(turn.run, slice)


def _asked(turn: Turn, slice: InsightSlice) -> InsightSlice:
    """With campaigns' conversions by type, which may cost a call of their own: not with the days that every
    sync reads, but whenever an older one is read."""
    today = turn.run.connection.day_of(timezone.now())
    has_older = slice.since <= today - settings.INSIGHTS_FRESH_DAYS * DAY
    return slice._replace(by_type=has_older and slice.level is Level.CAMPAIGN)


def _commit(turn: Turn, work: Work, begun: Begun, page: InsightPage) -> None:
    """Write one page, with everything that says it was written."""
    run, slice = turn.run, begun.slice
    records = _once(slice, page.records)
    begun.cursor, begun.rows = page.cursor, begun.rows + len(records)
    ends_days = page.cursor is None and work.end(begun)
    with _chunk(turn, work, rows=len(records)):
        merged = merge_insights(slice, records, connection_id=run.connection_id, run_id=run.pk)
        changes = merged.as_changes()
        if page.cursor is None:
            if begun.may_vanish and (removed := remove_vanished(run, slice, records)):
                changes["removed"] = removed
            if ends_days:
                complete(run, begun, attribution_of(run.connection))
        elif begun.may_vanish:
            remember_seen(run, slice, records)
        for name, count in changes.items():
            run.changes[name] = run.changes.get(name, 0) + count


def _once(slice: InsightSlice, records: list[InsightRecord]) -> list[InsightRecord]:
    """Each day and entity once: a row can come twice, then the last one counts."""
    rows = {(record.day, record.external_id): record for record in records}
    return [record for record in rows.values() if slice.since <= record.day <= slice.until]


def _come_back(work: Work) -> None:
    wait = timedelta(seconds=max(0.0, work.next_look - timezone.now().timestamp()))
    number = len(work.begun)
    words = "a report of the platform" if number == 1 else f"{number} reports of the platform"
    raise ReportsPrepared(words, wait=wait, report_ids=work.report_ids)


@contextmanager
def _chunk(turn: Turn, work: Work, *, rows: int = 0) -> Iterator[None]:
    """One chunk, with the work as it is then left."""
    with chunk(turn.run, turn.lease, calls=turn.client.calls, insights_count=rows):
        yield
        turn.run.checkpoint = work.as_checkpoint()
    turn.run.insights_count += rows
