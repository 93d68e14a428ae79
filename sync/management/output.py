"""How commands print: tables for people, JSON for scripts."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import IO, Any

import orjson
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.table import Table

PIPED_WIDTH = 200  # columns where no terminal tells its own: nothing is folded in a log
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # but for line breaks and tabs
ENDLESS = 100_000  # columns, to measure what would fit if they were there


def add_json(parser: CommandParser) -> None:
    """The option of every command that a script may read."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def print_json(command: BaseCommand, value: Any) -> None:
    """Times are ISO 8601 in UTC."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z
    command.stdout.write(orjson.dumps(value, default=str, option=options).decode())


def print_table(
    command: BaseCommand, title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """As wide as the terminal; ids are never cut, for they are copied. Where words would have to be cut,
    each row is a list of its own."""
    table = Table(header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column == "id")
    cells = [[_cell(value) for value in row] for row in rows]
    for row in cells:
        table.add_row(*row)
    out = console(command)
    out.print(plain(title), style="bold")
    if out.measure(table, options=out.options.update(width=ENDLESS)).minimum <= out.width:
        out.print(table)
        return
    for row in cells:
        out.print(_listed(columns, row))
        out.print()


def _listed(columns: Sequence[str], row: Sequence[str]) -> Table:
    """What a row has, one below the other."""
    listed = Table.grid(padding=(0, 2))
    listed.add_column(justify="right", no_wrap=True)
    listed.add_column(overflow="fold")
    for column, cell in zip(columns, row, strict=True):
        if cell:
            listed.add_row(column, cell)
    return listed


def console(command: BaseCommand) -> Console:
    """rich on the command's own output. What platforms name "[/b]" or ":tiger:" is printed as it is."""
    width = None if command.stdout.isatty() else PIPED_WIDTH
    out: IO[str] = command.stdout  # type: ignore[assignment]  # Django's wrapper has all that rich uses
    return Console(file=out, highlight=False, markup=False, emoji=False, width=width)


def plain(text: str) -> str:
    """Without what a terminal obeys: a name at a platform may hold it."""
    return CONTROL.sub("\ufffd", text)


def ago(moment: datetime | None) -> str:
    """`12 s ago`; empty for never."""
    if moment is None:
        return ""
    return f"{span((timezone.now() - moment).total_seconds())} ago"


def span(seconds: float) -> str:
    """`42 s`, `7 min`, `3 h`, `2 d`"""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return "" if value is None else plain(str(value))
