"""The table of verdicts, and what is to be said about a breach."""

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.chaos.judge import SHOWN, Verdict

COUNTED = ("lost", "doubled", "order", "windows")
COLUMNS = (
    "scenario",
    "requested",
    "succeeded",
    "dead letters",
    "cancelled",
    *COUNTED,
    "catalog",
    "recovery s",
)


def table(verdicts: Iterable[Verdict]) -> Table:
    """A row per scenario."""
    result = Table()
    for name in COLUMNS:
        result.add_column(name, justify="left" if name in ("scenario", "dead letters") else "right")
    for verdict in verdicts:
        result.add_row(
            verdict.scenario,
            str(verdict.requested),
            str(verdict.succeeded),
            ", ".join(f"{code} {count}" for code, count in sorted(verdict.dead_letters.items())) or "0",
            str(verdict.cancelled),
            *(_figure(verdict.count(column)) for column in COUNTED),
            "[red]differs[/]" if verdict.count("catalog") else "[green]equal[/]",
            "-" if verdict.recovery is None else f"{verdict.recovery:.1f}",
        )
    return result


def _figure(count: int) -> str:
    return f"[red]{count}[/]" if count else "0"


def explain(console: Console, verdict: Verdict, folder: Path) -> None:
    """What was broken, in sentences, and where to look."""
    for column, sentences in verdict.breaches.items():
        for sentence in sentences[:SHOWN]:
            console.print(f"[red]{verdict.scenario}: {column}[/]: {sentence}", highlight=False)
        if len(sentences) > SHOWN:
            console.print(f"  … and {len(sentences) - SHOWN} more of this kind", highlight=False)
    console.print(f"  logs and the journal: {folder}", highlight=False)
