"""What a run is to do, whether that covers what is asked for, and how a waiting run takes more on.

For requests and replays alike. The connection's row is locked by whoever calls, so nothing is placed twice.
"""

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from sync.models import JoinedRequest, SyncRequest, SyncRun
from sync.models.choices import Kind, Mode, Priority, RunState, Trigger

DAY = timedelta(days=1)
MOST_NAMED = 1_000  # entities of a run: as many as fit into one platform query in its documented limits
FEW_CALLS = 10  # may be made again: to ask what changed meanwhile takes some, too
READ_SINCE = "read_since"  # in a run of insights: more was asked for, and what was read before counts no more
CATCH_UP = "catch_up"  # in a full pass's plan: somebody wants what changed since it began, too
Names = tuple[str, ...]


@dataclass(frozen=True)
class Scope:
    """How much of a connection is read; the default is all of it.

    Ids choose entities with what is below them. Levels and days are those of insights: no level means each
    one, and no days mean those that are due.
    """

    mode: Mode = Mode.FULL
    campaign_ids: Names = ()
    ad_group_ids: Names = ()
    ad_ids: Names = ()
    levels: Names = ()
    date_from: date | None = None
    date_to: date | None = None

    @classmethod
    def of(cls, run: SyncRun) -> "Scope":
        """What a run does."""
        ids = (tuple(run.campaign_ids), tuple(run.ad_group_ids), tuple(run.ad_ids))
        return cls(Mode(run.mode), *ids, tuple(run.levels), run.date_from, run.date_to)

    def columns(self) -> dict[str, Any]:
        """The run's columns that hold it."""
        return {name: list(value) if type(value) is tuple else value for name, value in asdict(self).items()}

    def covers(self, other: "Scope") -> bool:
        """Whether it does all that `other` does."""
        mode_covers = self.mode == Mode.FULL or other.mode == Mode.INCREMENTAL
        levels_cover = not self.levels or (bool(other.levels) and set(other.levels) <= set(self.levels))
        return mode_covers and levels_cover and self._covers_ids(other) and self._covers_days(other)

    def touches(self, other: "Scope") -> bool:
        """Whether one run can do both: without days between them that nobody asked for, and without names
        that pile up, for who joins a waiting run is not counted."""
        if not (self._covers_ids(other) or other._covers_ids(self) or self._are_few(other)):
            return False
        if self._days is None or other._days is None:
            return self._days == other._days
        (since, until), (others_since, others_until) = self._days, other._days
        return since <= others_until + DAY and others_since <= until + DAY

    def united(self, other: "Scope") -> "Scope":
        """What does all that either does; the two touch."""
        everything = not self._ids() or not other._ids()
        pairs = zip(self._by_kind(), other._by_kind(), strict=True)
        campaigns, ad_groups, ads = ((), (), ()) if everything else (_both(*pair) for pair in pairs)
        days = [*(self._days or ()), *(other._days or ())]
        return Scope(
            mode=Mode.FULL if Mode.FULL in (self.mode, other.mode) else Mode.INCREMENTAL,
            campaign_ids=campaigns,
            ad_group_ids=ad_groups,
            ad_ids=ads,
            levels=_both(self.levels, other.levels) if self.levels and other.levels else (),
            date_from=min(days, default=None),
            date_to=max(days, default=None),
        )

    def _by_kind(self) -> tuple[Names, Names, Names]:
        return self.campaign_ids, self.ad_group_ids, self.ad_ids

    def _ids(self) -> bool:
        return any(self._by_kind())

    def _covers_ids(self, other: "Scope") -> bool:
        if not self._ids():
            return True
        pairs = zip(self._by_kind(), other._by_kind(), strict=True)
        return other._ids() and all(set(others) <= set(own) for own, others in pairs)

    def _are_few(self, other: "Scope") -> bool:
        pairs = zip(self._by_kind(), other._by_kind(), strict=True)
        return sum(len({*own, *others}) for own, others in pairs) <= MOST_NAMED

    @property
    def _days(self) -> tuple[date, date] | None:
        return (self.date_from, self.date_to) if self.date_from and self.date_to else None

    def _covers_days(self, other: "Scope") -> bool:
        if self._days is None or other._days is None:
            return self._days == other._days
        return self._days[0] <= other._days[0] and other._days[1] <= self._days[1]


@dataclass(frozen=True)
class Ask:
    """One wish of a request."""

    trigger: Trigger
    kind: Kind
    priority: Priority
    scope: Scope = Scope()


def covers(run: SyncRun, ask: Ask) -> bool:
    """Whether the run does all that is asked for."""
    return Scope.of(run).covers(ask.scope)


def touches(run: SyncRun, ask: Ask) -> bool:
    """Whether a waiting run can take on what is asked for."""
    return Scope.of(run).touches(ask.scope)


def join(request: SyncRequest, run: SyncRun, ask: Ask) -> SyncRun:
    """Share a waiting run: it takes on what is asked for, and its end answers the request."""
    widen(run, ask)
    JoinedRequest.objects.create(request=request, run=run)
    return run


def widen(run: SyncRun, ask: Ask) -> None:
    """Let a waiting run do all that is asked for too, in the better of both classes.

    A person is shown the data of now: what the run read before the request is read again. A full pass that
    was dear so far goes on instead, and reads at its end what changed since it began; metrics that are under
    way go on, for their reports are paid for.
    """
    scope = Scope.of(run)
    is_more = not scope.covers(ask.scope)
    if is_more:
        for column, value in scope.united(ask.scope).columns().items():
            setattr(run, column, value)
    if run.kind == Kind.INSIGHTS and "todo" in run.checkpoint:
        _plan_more(run, ask, is_more=is_more)
    elif is_more or (ask.trigger == Trigger.MANUAL and run.checkpoint):
        _read_anew(run, goes_on=not is_more and scope == Scope())
    if ask.priority < run.priority:
        run.priority = ask.priority
        _let_be_due(run)
    if ask.trigger == Trigger.MANUAL:
        run.trigger = Trigger.MANUAL
    run.save()


def _plan_more(run: SyncRun, ask: Ask, *, is_more: bool) -> None:
    """Let its next start add to its plan what is due by then, but for what was read since this moment."""
    if ask.trigger == Trigger.MANUAL:
        run.checkpoint[READ_SINCE] = timezone.now().isoformat()
    elif is_more:
        run.checkpoint.setdefault(READ_SINCE, run.created_at.isoformat())


def _read_anew(run: SyncRun, *, goes_on: bool) -> None:
    """From the first page on, unless it may go on and was dear."""
    is_pass = goes_on and run.kind == Kind.CAMPAIGNS and "plan" in run.checkpoint
    if is_pass and run.calls > FEW_CALLS:
        run.checkpoint["plan"][CATCH_UP] = True
    else:
        begin_again(run)


def begin_again(run: SyncRun) -> None:
    """Read from the first page on: what was read so far lacks what is asked for now."""
    run.checkpoint, run.expected, run.report_ids = {}, {}, []
    run.access_issues, run.data_discrepancies = [], []
    run.campaigns_count = run.ad_groups_count = run.ads_count = run.insights_count = 0
    run.seen.all().delete()


def _both(some: Names, others: Names) -> Names:
    return tuple(sorted({*some, *others}))


def _let_be_due(run: SyncRun) -> None:
    """A better class may start sooner: people have a reserve of the budget, and need no more patience.

    Where the budget is spent for them, too, the run is deferred again before anything is called.
    """
    if run.state == RunState.DEFERRED:
        run.state, run.queued_at = RunState.QUEUED, timezone.now()
        run.available_at, run.defer_reason, run.waiting_for = None, "", ""
