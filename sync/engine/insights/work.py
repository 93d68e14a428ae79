"""A run's work as its checkpoint keeps it: slices to do, slices under way, and what is too much at once.

Guarantee: whatever ends a start of the run, the next one goes on from here. Slices that nobody began are
kept short, for the checkpoint is written with every page: 37 months are 148 of them.
"""

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, Self

from providers.records import InsightSlice, Level
from sync.engine.insights.slices import days_in, halves

AT_ONCE = 4  # reports that one ad account lets the platform prepare; each costs calls while it waits


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
        return {**asdict(self), "slice": _text(self.slice), "began_at": self.began_at.isoformat()}

    @classmethod
    def of(cls, told: dict[str, Any]) -> Self:
        """What `as_json` made."""
        began_at = datetime.fromisoformat(told["began_at"])
        return cls(**{**told, "slice": _slice(told["slice"]), "began_at": began_at})


@dataclass
class Work:
    """All slices of a run that are not done."""

    rows_a_day: dict[Level, int]  # about; at least 1
    planned: int  # rows, about
    todo: list[InsightSlice]
    begun: list[Begun] = field(default_factory=list)
    stuck: list[InsightSlice] = field(default_factory=list)  # a day that is too much for the platform

    @classmethod
    def planning(cls, slices: list[InsightSlice], rows_a_day: dict[Level, int]) -> Self:
        """Nothing is done yet."""
        work = cls(rows_a_day, 0, slices)
        work.planned = sum(work.expected(slice) for slice in slices)
        return work

    @classmethod
    def of(cls, checkpoint: dict[str, Any]) -> Self | None:
        """What is left to do; None where nothing was planned yet. What was stuck gets another chance."""
        if "todo" not in checkpoint:
            return None
        return cls(
            {Level(level): rows for level, rows in checkpoint["rows_a_day"].items()},
            checkpoint["planned"],
            [_slice(text) for text in (*checkpoint["todo"], *checkpoint["stuck"])],
            [Begun.of(told) for told in checkpoint["begun"]],
        )

    def as_checkpoint(self) -> dict[str, Any]:
        """As the run's row keeps it."""
        return {
            "rows_a_day": self.rows_a_day,
            "planned": self.planned,
            "percent": self.percent,
            "todo": [_text(slice) for slice in self.todo],
            "begun": [begun.as_json() for begun in self.begun],
            "stuck": [_text(slice) for slice in self.stuck],
        }

    def expected(self, slice: InsightSlice) -> int:
        """About how many rows it has."""
        return self.rows_a_day[slice.level] * days_in(slice)

    @property
    def percent(self) -> int:
        """Done, of what is planned: slices that are done, and rows of those under way."""
        left = sum(self.expected(slice) for slice in (*self.todo, *self.stuck))
        left += sum(max(0, self.expected(begun.slice) - begun.rows) for begun in self.begun)
        return min(99, 100 - 100 * left // self.planned) if self.planned else 99

    def readable(self, now: float) -> Begun | None:
        """The first slice under way that is not waiting for its report."""
        return next((one for one in self.begun if one.ready_at is None or one.ready_at <= now), None)

    @property
    def may_begin(self) -> bool:
        """Whether there is another slice, and the platform may be asked for another report."""
        return bool(self.todo) and len(self.begun) < AT_ONCE

    def begin(self, slice: InsightSlice, now: datetime, *, may_vanish: bool) -> Begun:
        """Take a slice from what is to do."""
        self.todo.remove(slice)
        begun = Begun(slice, now, may_vanish)
        self.begun.append(begun)
        return begun

    def end(self, begun: Begun) -> None:
        """It is read to its end."""
        self.begun.remove(begun)

    def split(self, begun: Begun) -> None:
        """It was too much: its halves are next, the newer first. A single day is left to the end."""
        self.begun.remove(begun)
        if days_in(begun.slice) > 1:
            self.todo[:0] = halves(begun.slice)
        else:
            self.stuck.append(begun.slice)

    def drop(self, level: Level) -> None:
        """The platform does not let it be read."""
        self.todo = [slice for slice in self.todo if slice.level != level]
        self.begun = [begun for begun in self.begun if begun.slice.level != level]

    def again(self, begun: Begun) -> None:
        """It has to be read from its beginning."""
        self.begun.remove(begun)
        self.todo.insert(0, begun.slice)

    def ask_for(self, report_id: str) -> None:
        """The report that the run waited for is the next to be asked for, whatever the time."""
        for begun in self.begun:
            if report_id and begun.report_id == report_id:
                begun.ready_at = None

    def next_report(self) -> Begun:
        """Of those that are prepared, the one that is asked for first; all under way are."""
        return min(self.begun, key=_ready_at)


def _ready_at(begun: Begun) -> float:
    return begun.ready_at or 0.0


def _text(slice: InsightSlice) -> str:
    return f"{slice.level.value} {slice.since} {slice.until}"


def _slice(text: str) -> InsightSlice:
    level, since, until = text.split()
    return InsightSlice(Level(level), date.fromisoformat(since), date.fromisoformat(until))
