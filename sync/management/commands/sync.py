"""Ask for syncs, and follow them."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sync.errors import AlreadySyncing, SyncError
from sync.ledger.request import request_sync
from sync.management.follow import follow
from sync.management.lookup import find_account, find_connection
from sync.management.output import add_json, print_json
from sync.models import Account, Connection, SyncRun
from sync.models.choices import Priority, Provider, Trigger


class Command(BaseCommand):
    help = (
        "Ask for syncs. With --wait follow them to their end: exit code 1 when one fails. "
        "Examples: `sync --connection act_123 --wait`, `sync --account Acme --provider google`, `sync --all`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--connection", help="one connection: its id, or the platform's id of the ad account"
        )
        parser.add_argument("--account", help="all active connections of an account: its name or id")
        parser.add_argument("--provider", choices=Provider.values, help="all of a provider, or only these")
        parser.add_argument("--all", action="store_true", help="all active connections, as scheduled work")
        parser.add_argument("--campaign", action="append", default=[], help="only this campaign; repeatable")
        parser.add_argument("--wait", action="store_true", help="follow the syncs to their end")
        parser.add_argument("--timeout", type=float, help="stop waiting after so many seconds")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        connections = _chosen(options)
        if not connections:
            raise CommandError(
                "No active connection fits. `connect` makes one; the admin shows what is paused."
            )
        is_bulk = not (options["connection"] or options["account"])
        runs = _request(connections, options["campaign"], is_bulk=is_bulk)
        if options["wait"]:
            ended = follow(runs, self, timeout=options["timeout"], quiet=options["json"])
            runs = list(SyncRun.objects.filter(pk__in=[run.pk for run in runs]).select_related("connection"))
        if options["json"]:
            print_json(self, {"runs": [_describe(run) for run in runs]})
        elif not options["wait"]:
            for run in runs:
                self.stdout.write(f"{run.connection}: {run.state}, run {run.pk}")
        if options["wait"] and not ended:
            sys.exit(1)


def _chosen(options: dict[str, Any]) -> list[Connection]:
    if not (options["connection"] or options["account"] or options["provider"] or options["all"]):
        raise CommandError("Say what to sync: --connection, --account, --provider or --all.")
    if options["all"] and (options["connection"] or options["account"] or options["provider"]):
        raise CommandError("--all stands alone.")
    if options["connection"]:
        connection = find_connection(options["connection"])
        if not Connection.objects.active().filter(pk=connection.pk).exists():
            raise CommandError(
                f"{connection} can't be synced: it is {connection.condition.replace('_', ' ')}."
            )
        return [connection]
    connections = Connection.objects.active().select_related("account").order_by("pk")
    if options["account"]:
        connections = connections.filter(account=find_account(options["account"]))
    if options["provider"]:
        connections = connections.filter(provider=options["provider"])
    return list(connections)


def _request(connections: list[Connection], campaigns: list[str], *, is_bulk: bool) -> list[SyncRun]:
    """One request per account; a sync that runs already is followed instead."""
    runs: list[SyncRun] = []
    by_account: dict[Account, list[Connection]] = {}
    for connection in connections:
        by_account.setdefault(connection.account, []).append(connection)
    for account, own in by_account.items():
        try:
            requested = request_sync(
                account,
                own,
                trigger=Trigger.MANUAL,
                source="command",
                campaign_ids=campaigns,
                priority=Priority.SCHEDULED if is_bulk else None,
            )
            runs += [*requested.runs, *(skipped.run for skipped in requested.skipped)]
        except AlreadySyncing:
            runs += SyncRun.objects.open().filter(connection__in=own)
        except SyncError as exc:
            raise CommandError(f"{account}: {exc}") from None
    ids = [run.pk for run in runs]
    return list(SyncRun.objects.filter(pk__in=ids).select_related("connection", "account").order_by("pk"))


def _describe(run: SyncRun) -> dict[str, Any]:
    return {
        "id": str(run.pk),
        "connection": run.connection.external_id,
        "provider": run.provider,
        "state": run.state,
        "progress": run.progress,
        "records": run.records_count,
        "changes": run.changes,
        "error": run.error_message,
    }
