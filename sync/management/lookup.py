"""Find what an operator names, or say which option is wrong and what to do."""

from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from sync.ledger.queues import ensure_queue
from sync.ledger.waiting import RELATED
from sync.management.command import WrongUse
from sync.models import Account, Connection, Queue, SyncRun
from sync.models.choices import Provider
from sync.models.connection import ConnectionQuerySet

T = TypeVar("T", Account, Connection)
TOLD = 5  # ids in a message: more would hide its sentence


def add_choice(parser: CommandParser) -> None:
    """The options that choose connections; together they narrow the choice."""
    parser.add_argument("--connection", help="its id, or the platform's id of the ad account")
    parser.add_argument("--account", help="name or id")
    parser.add_argument("--provider", choices=Provider.values)


def chosen(options: dict[str, Any]) -> ConnectionQuerySet:
    """The connections that the options of `add_choice` name; all of them where none is given."""
    connections = Connection.objects.select_related("account__plan", "credential").order_by("pk")
    if options["account"]:
        connections = connections.filter(account=find_account(options["account"]))
    if options["provider"]:
        connections = connections.filter(provider=options["provider"])
    if options["connection"]:
        connections = connections.filter(pk=find_connection(options["connection"], connections).pk)
    return connections


def active_of(options: dict[str, Any]) -> list[Connection]:
    """Of the chosen ones those that can be synced; says why, where there is none."""
    found = chosen(options)
    active = list(found.active())
    if not active and options["connection"]:
        connection = found.get()
        words = connection.condition.replace("_", " ")
        raise CommandError(f"{connection} can't be synced: it is {words}.")
    if not active:
        raise CommandError(
            "No active connection fits. `connect` makes one; the admin shows what is paused or denied."
        )
    return active


def find_account(name: str, option: str = "--account") -> Account:
    """By id, or by its exact name."""
    pk = as_uuid(name)
    found = Account.objects.filter(pk=pk) if pk else Account.objects.filter(name=name)
    return _only(found, option, name, "Give its exact name or its id; the admin lists the accounts.")


def find_connection(name: str, among: ConnectionQuerySet, option: str = "--connection") -> Connection:
    """By id, or by the platform's id of the ad account as the platform or a person writes it."""
    if pk := as_uuid(name):
        found = among.filter(pk=pk)
    else:
        digits = name.removeprefix("act_").replace("-", "")
        found = among.filter(external_id=name) or among.filter(external_id__in=[digits, f"act_{digits}"])
    hint = "Give its id, or the platform's id of the ad account (act_123, 123-456-7890)"
    narrowed = among.query.where and ", and no --account or --provider that it is not of"
    return _only(found, option, name, f"{hint}{narrowed or ''}.")


def find_queues(provider: str, region: str | None) -> list[Queue]:
    """A provider's. Made here when no sync was asked for yet: what is set is to hold then, too."""
    if provider not in Provider.values:
        raise WrongUse(f"provider: there is no {provider!r}. Give one of {', '.join(Provider.values)}.")
    ensure_queue(provider, settings.REGION)
    queues = Queue.objects.filter(provider=provider).order_by("region")
    chosen = queues.filter(region=region) if region else queues
    if not chosen:
        regions = ", ".join(queue.region for queue in queues)
        raise WrongUse(f"--region: {provider} has no queue in {region!r}. Give one of {regions}.")
    return list(chosen)


def find_run(name: str, option: str) -> SyncRun:
    """By its id, with all that its story needs."""
    pk, runs = as_uuid(name), SyncRun.objects.select_related("account", "request", *RELATED)
    if pk is None or (run := runs.filter(pk=pk).first()) is None:
        raise WrongUse(f"{option}: there is no run {name!r}; `history` lists the newest.")
    return run


def _only(found: Iterable[T], option: str, name: str, hint: str) -> T:
    rows = list(found)
    if not rows:
        raise WrongUse(f"{option}: there is no {name!r}. {hint}")
    if len(rows) > 1:
        ids = ", ".join(str(row.pk) for row in rows[:TOLD])
        raise WrongUse(f"{option}: {name!r} names {len(rows)}. Give one's id: {ids}.")
    return rows[0]


def as_uuid(text: str) -> UUID | None:
    """The id that the text is; None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
