"""What `pause` and `resume` share: what they name, and how they tell what became of it."""

from typing import Any

from django.core.management.base import CommandParser

from sync.ledger.pause import PausableRow
from sync.management.command import WrongUse
from sync.management.lookup import find_account, find_connection, find_queues
from sync.management.operator import add_reason
from sync.management.output import add_json
from sync.models import Connection, Queue, SyncRun
from sync.models.choices import WAITING, RunState

SUBJECTS = ("provider", "account", "connection")


def add_subjects(parser: CommandParser) -> None:
    """What is paused or resumed."""
    parser.add_argument("what", choices=SUBJECTS)
    parser.add_argument(
        "names",
        nargs="+",
        metavar="name",
        help="meta or google; an account's name or id; a connection's id, or the platform's id of it",
    )
    parser.add_argument("--region", help="of a provider: only its queue in this region")
    add_reason(parser)
    add_json(parser)


def subjects(options: dict[str, Any]) -> list[PausableRow]:
    """The rows that are named, or a message that says which name is wrong."""
    what: str = options["what"]
    if options["region"] and what != "provider":
        raise WrongUse("--region: only a provider has regions. Leave it out.")
    found: list[PausableRow] = []
    for name in options["names"]:
        match what:
            case "provider":
                found += find_queues(name, options["region"])
            case "account":
                found.append(find_account(name, what))
            case _:
                connections = Connection.objects.select_related("account", "credential")
                found.append(find_connection(name, connections, what))
    return found


def describe(row: PausableRow, *, changed: bool) -> dict[str, Any]:
    """What became of it, for scripts."""
    runs = SyncRun.objects.filter(**_runs_of(row))
    return {
        "subject": "provider" if isinstance(row, Queue) else row._meta.model_name,
        "id": row.name if isinstance(row, Queue) else str(row.pk),
        "name": label(row),
        "changed": changed,
        "paused_at": row.paused_at,
        "paused_by": row.paused_by,
        "reason": row.pause_reason,
        "running": runs.filter(state=RunState.RUNNING).count(),
        "waiting": runs.filter(state__in=WAITING).count(),
    }


def label(row: PausableRow) -> str:
    """How a person calls it."""
    return f"the queue {row}" if isinstance(row, Queue) else str(row)


def _runs_of(row: PausableRow) -> dict[str, Any]:
    if isinstance(row, Queue):
        return {"provider": row.provider, "region": row.region}
    return {"connection": row} if isinstance(row, Connection) else {"account": row}
