"""The change history as lines, for the command and the admin's export: any number of them in flat memory;
and what a run wrote, in words.

Old and new values are JSON in every form, so that nothing ("null"), an empty text and a number written as
text stay what they are; money is in micros of the line's currency.
"""

import csv
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Protocol, cast
from uuid import UUID

import orjson
from django.db.models import QuerySet

from sync.engine.merge import UNTOLD
from sync.engine.streams import TARGETS
from sync.models import Change, SyncRun
from sync.models.choices import ChangeAction, Kind
from sync.spreadsheet import harmless

COLUMNS = (
    "seen_at",
    "account",
    "provider",
    "connection",
    "currency",
    "entity",
    "external_id",
    "name",
    "action",
    "field",
    "old",
    "new",
    "by",
    "run",
)
FIELDS = sorted({column for target in TARGETS.values() for column in target.columns} - UNTOLD)
BATCH = 2_000  # lines whose names are looked up together

WRITTEN = {
    ChangeAction.CREATED: "new",
    ChangeAction.UPDATED: "changed",
    ChangeAction.REMOVED: "removed",
    ChangeAction.RETURNED: "returned",
}

Line = dict[str, Any]
Whose = tuple[str, UUID, str]  # entity, connection, external id


def lines(changes: QuerySet[Change]) -> Iterator[Line]:
    """By the names of `COLUMNS`; `name` is what the entity is called today."""
    found = changes.select_related("connection__account").iterator(chunk_size=BATCH)
    while batch := list(islice(found, BATCH)):
        names = _names(batch)
        yield from (_line(change, names.get(_whose(change), "")) for change in batch)


def as_csv(changes: QuerySet[Change]) -> Iterator[str]:
    """With a heading. A name that would start a formula is quoted as spreadsheets do it, by an apostrophe."""
    write = csv.writer(cast("Any", _Echo())).writerow
    yield write(COLUMNS)
    for line in lines(changes):
        values = {
            "old": _json(line["old"]),
            "new": _json(line["new"]),
            "seen_at": line["seen_at"].isoformat(),
        }
        yield write([_cell((line | values)[column]) for column in COLUMNS])


def as_json(changes: QuerySet[Change]) -> Iterator[str]:
    """One object with all of them, a line each."""
    between = ""
    yield '{"changes": ['
    for line in lines(changes):
        yield f"{between}\n{_json(line)}"
        between = ","
    yield "\n]}\n"


def written(run: SyncRun) -> str:
    """How many rows a run wrote, and why: `8,856 new, 3 changed`; empty for none."""
    return ", ".join(f"{run.changes[why]:,} {word}" for why, word in WRITTEN.items() if run.changes.get(why))


def untold(run: SyncRun) -> str:
    """Why a run has no changes to list, whatever it wrote."""
    if run.kind == Kind.INSIGHTS:
        return "Metrics are not told change by change: their rows are what the platform says now."
    if run.changes.get(ChangeAction.CREATED):
        return "The first sync of an ad account tells no changes: all of it was new."
    if run.changes:
        return "What it wrote differs in nothing that the change history tells."
    return "It saw no changes."


class _Writes(Protocol):
    def write(self, text: str) -> str: ...


class _Echo(_Writes):
    """A file that hands back what is written, so that a line can be sent at once."""

    def write(self, text: str) -> str:
        return text


def _line(change: Change, name: str) -> Line:
    connection = change.connection
    return {
        "seen_at": change.seen_at,
        "account": connection.account.name,
        "provider": connection.provider,
        "connection": connection.external_id,
        "currency": connection.currency,
        "entity": change.entity,
        "external_id": change.external_id,
        "name": name,
        "action": change.action,
        "field": change.field,
        "old": change.old,
        "new": change.new,
        "by": change.by,
        "run": str(change.run_id),
    }


def _names(changes: Iterable[Change]) -> dict[Whose, str]:
    """One look-up per kind of entity, by its key."""
    wanted: dict[str, set[Whose]] = {}
    for change in changes:
        wanted.setdefault(change.entity, set()).add(_whose(change))
    return {
        (target.entity, connection_id, external_id): name
        for target in TARGETS.values()
        if (whose := wanted.get(target.entity))
        for connection_id, external_id, name in target.model._default_manager.filter(
            connection__in={connection_id for _, connection_id, _ in whose},
            external_id__in={external_id for _, _, external_id in whose},
        ).values_list("connection_id", "external_id", "name")
    }


def _whose(change: Change) -> Whose:
    return change.entity, change.connection_id, change.external_id


def _cell(value: Any) -> str:
    return harmless(str(value))


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()
