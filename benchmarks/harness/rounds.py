"""Interleaved rounds: every contender runs once per round, so that a slow minute hits all of them alike.

A ratio is taken within each round and then summed up, so the machine's drift cancels out.
"""

import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Contender(NamedTuple):
    """Who is measured. `run` does one round and gives its figures by unit, e.g. "runs a second"."""

    name: str
    run: Callable[[], dict[str, float]]


class Spread(NamedTuple):
    """The median of several rounds, the lowest and the highest."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Summed up."""
        return cls(statistics.median(values), min(values), max(values))


Figures = dict[str, list[float]]  # by contender, one per round


def interleave(contenders: Sequence[Contender], *, rounds: int) -> dict[str, Figures]:
    """All contenders, `rounds` times in turn; every second round backwards, so nobody is always first.

    The figures by unit.
    """
    found: dict[str, Figures] = {}
    for number in range(rounds):
        for contender in contenders if number % 2 == 0 else reversed(contenders):
            for unit, figure in contender.run().items():
                found.setdefault(unit, {}).setdefault(contender.name, []).append(figure)
    return found


def ratio(figures: Figures, name: str, base: str) -> Spread:
    """`name` in multiples of `base`, round by round."""
    return Spread.of([mine / theirs for mine, theirs in zip(figures[name], figures[base], strict=True)])
