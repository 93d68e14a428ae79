"""A run's work as its checkpoint keeps it: slices to do, slices under way, and what is too much at once.

Guarantee: whatever ends a start of the run, the next one goes on from here. Slices that nobody began are
kept short, for the checkpoint is written with every page: 37 months are 148 of them.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple, Self

from providers.records import InsightSlice, Level
from sync.engine.insights.slices import as_text, days_in, newest_first, of_text, whole

AT_ONCE = 4  # reports that one ad account lets the platform prepare; each costs calls while it waits
EARLY = 1.0  # seconds: the database's clock, by which a run is due, may be ahead of ours


@dataclass
class Begun:
    """A slice under way."""

    slice: InsightSlice
    began_at: datetime  # what the platform knew then will be here at least
    may_vanish: bool  # whether there were rows before, which the platform may no longer have
    cursor: str | None = None
    rows: int = 0
    report_id: str = ""  # the platform prepares it
    ready_at: float | None = None  # unix seconds: when to ask for it again

    def as_json(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {**asdict(self), "slice": as_text(self.slice), "began_at": self.began_at.isoformat()}

    @classmethod
    def of(cls, told: dict[str, Any]) -> Self:
        """What `as_json` made."""
        began_at = datetime.fromisoformat(told["began_at"])
        return cls(**{**told, "slice": of_text(told["slice"]), "began_at": began_at})


class Divided(NamedTuple):
    """A day that is read in parts."""

    began_at: str  # the first attempt to read it: what the platform knew then will be here at least
    parts: int  # that it was divided into so far


@dataclass
class Work:
    """All slices of a run that are not done."""

    rows_a_day: dict[Level, int]  # about; at least 1
    planned: int  # rows, about
    todo: list[InsightSlice]
    attribution: str  # by which its slices are read
    begun: list[Begun] = field(default_factory=list)
    stuck: list[InsightSlice] = field(default_factory=list)  # too much for the platform, and not divisible
    divided: dict[str, Divided] = field(default_factory=dict)  # days that are read in parts, by their text

    @classmethod
    def planning(cls, slices: list[InsightSlice], rows_a_day: dict[Level, int], attribution: str) -> Self:
        """Nothing is done yet."""
        work = cls({}, 0, [], attribution)
        work.add(slices, rows_a_day)
        return work

    def add(self, slices: list[InsightSlice], rows_a_day: dict[Level, int]) -> None:
        """More to do."""
        self.rows_a_day = rows_a_day | self.rows_a_day
        self.planned += sum(self.expected(slice) for slice in slices)
        self.todo = newest_first([*slices, *self.todo])

    @classmethod
    def of(cls, checkpoint: dict[str, Any], attribution: str) -> Self | None:
        """What is left to do; None where nothing was planned yet, or by another rule: no day may be read by
        two."""
        if "todo" not in checkpoint or checkpoint.get("attribution", attribution) != attribution:
            return None
        return cls(
            {Level(level): rows for level, rows in checkpoint["rows_a_day"].items()},
            checkpoint["planned"],
            [of_text(text) for text in checkpoint["todo"]],
            attribution,
            [Begun.of(told) for told in checkpoint["begun"]],
            [of_text(text) for text in checkpoint["stuck"]],
            divided={day: Divided(*told) for day, told in checkpoint.get("divided", {}).items()},
        )

    def as_checkpoint(self) -> dict[str, Any]:
        """As the run's row keeps it."""
        return {
            "rows_a_day": self.rows_a_day,
            "planned": self.planned,
            "attribution": self.attribution,
            "percent": self.percent,
            "todo": [as_text(slice) for slice in self.todo],
            "begun": [begun.as_json() for begun in self.begun],
            "stuck": [as_text(slice) for slice in self.stuck],
            "divided": {day: list(told) for day, told in self.divided.items()},
        }

    def expected(self, slice: InsightSlice) -> int:
        """About how many rows it has; a part as many as any other one of its day."""
        rows = self.rows_a_day[slice.level] * days_in(slice)
        return rows if slice.is_whole else rows // self.divided[as_text(whole(slice))].parts

    @property
    def left(self) -> list[InsightSlice]:
        """All that is not done."""
        return [*self.todo, *self.stuck, *(begun.slice for begun in self.begun)]

    @property
    def percent(self) -> int:
        """Done, of what is planned: slices that are done, and rows of those under way."""
        left = sum(self.expected(slice) for slice in (*self.todo, *self.stuck))
        left += sum(max(0, self.expected(begun.slice) - begun.rows) for begun in self.begun)
        return min(99, 100 - 100 * left // self.planned) if self.planned else 99

    def readable(self, now: float) -> Begun | None:
        """The first slice under way that is not waiting for its report."""
        soon = now + EARLY
        return next((one for one in self.begun if one.ready_at is None or one.ready_at <= soon), None)

    @property
    def may_begin(self) -> bool:
        """Whether there is another slice, and the platform may be asked for another report."""
        return bool(self.todo) and len(self.begun) < AT_ONCE

    def begin(self, slice: InsightSlice, now: datetime, *, may_vanish: bool) -> Begun:
        """Take a slice from what is to do."""
        self.todo.remove(slice)
        day = None if slice.is_whole else self.divided[as_text(whole(slice))]
        begun = Begun(slice, datetime.fromisoformat(day.began_at) if day else now, may_vanish)
        self.begun.append(begun)
        return begun

    def end(self, begun: Begun) -> bool:
        """It is read to its end; returns whether its days are, too: a day when its last part is."""
        self.begun.remove(begun)
        if begun.slice.is_whole:
            return True
        day = whole(begun.slice)
        if any(whole(slice) == day for slice in self.left):
            return False
        del self.divided[as_text(day)]
        return True

    def split(self, begun: Begun, narrower: Sequence[InsightSlice]) -> None:
        """It was too much: what is narrower is next. What can't be is left to the end."""
        self.begun.remove(begun)
        if not narrower:
            self.stuck.append(begun.slice)
            return
        if not narrower[0].is_whole:
            key = as_text(whole(begun.slice))
            day = self.divided.get(key, Divided(begun.began_at.isoformat(), 1))
            self.divided[key] = day._replace(parts=day.parts + len(narrower) - 1)
        self.todo[:0] = narrower

    def drop(self, level: Level) -> None:
        """The platform does not let it be read."""
        self.todo = [slice for slice in self.todo if slice.level != level]
        self.begun = [begun for begun in self.begun if begun.slice.level != level]
        self._forget_divided()

    def drop_older(self, moment: datetime) -> None:
        """Of what is under way, all that was begun before: it is to be planned anew, with the parts of days
        that are read in parts."""
        old = {as_text(whole(begun.slice)) for begun in self.begun if begun.began_at < moment}
        old |= {day for day, told in self.divided.items() if datetime.fromisoformat(told.began_at) < moment}
        self.todo = [slice for slice in self.todo if as_text(whole(slice)) not in old]
        self.stuck = [slice for slice in self.stuck if as_text(whole(slice)) not in old]
        self.begun = [begun for begun in self.begun if as_text(whole(begun.slice)) not in old]
        self._forget_divided()

    def drop_untold(self, oldest: date) -> bool:
        """Leave out the days before the oldest that the platform tells; returns whether there were any. What
        is under way of them is begun anew."""
        old = [begun for begun in self.begun if begun.slice.since < oldest]
        for begun in old:
            self.again(begun)
        before = self.todo + self.stuck
        self.todo, self.stuck = (
            [slice._replace(since=max(slice.since, oldest)) for slice in some if slice.until >= oldest]
            for some in (self.todo, self.stuck)
        )
        self._forget_divided()
        return self.todo + self.stuck != before

    def _forget_divided(self) -> None:
        left = {as_text(whole(slice)) for slice in self.left}
        self.divided = {day: told for day, told in self.divided.items() if day in left}

    def again(self, begun: Begun) -> None:
        """It has to be read from its beginning."""
        self.begun.remove(begun)
        self.todo.insert(0, begun.slice)

    def try_stuck_again(self) -> None:
        """With the next attempt: while others are awaited it would be asked for at every start."""
        self.todo, self.stuck = self.stuck, []

    @property
    def report_ids(self) -> list[str]:
        """Of the reports that are prepared."""
        return [begun.report_id for begun in self.begun if begun.report_id]

    def ask_for(self, report_ids: Collection[str]) -> None:
        """These reports are the next to be looked at, whatever the time."""
        for begun in self.begun:
            if begun.report_id in report_ids:
                begun.ready_at = None

    @property
    def next_look(self) -> float:
        """Unix seconds: when the first of the reports is to be looked at; all under way are reports."""
        return min(begun.ready_at or 0.0 for begun in self.begun)
