"""Ask for syncs of many connections at once, as a person at the command line does."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand

from sync.errors import AlreadySyncing
from sync.ledger.request import request_sync
from sync.ledger.wishes import Wishes
from sync.management.follow import follow
from sync.management.output import plain, print_json
from sync.models import Account, Connection, SyncRun
from sync.models.choices import Priority, Trigger


@dataclass
class Asked:
    """The runs that will answer, and which of them were there already and do all that was asked."""

    ids: list[UUID] = field(default_factory=list)
    already: set[UUID] = field(default_factory=set)

    def runs(self) -> list[SyncRun]:
        """As they are now."""
        found = SyncRun.objects.filter(pk__in=self.ids)
        return list(found.select_related("connection").order_by("pk"))


def ask(connections: Iterable[Connection], *, wishes: Wishes, priority: Priority) -> Asked:
    """One request per account; nothing new where a sync that covers it is open."""
    asked = Asked()
    by_account = sorted(connections, key=lambda connection: connection.account_id)
    for account, own in groupby(by_account, key=lambda connection: connection.account):
        _ask(asked, account, list(own), wishes, priority)
    return asked


def _ask(
    asked: Asked, account: Account, connections: list[Connection], wishes: Wishes, priority: Priority
) -> None:
    try:
        requested = request_sync(
            account,
            connections,
            trigger=Trigger.MANUAL,
            source="command",
            wishes=wishes,
            priority=priority,
        )
    except AlreadySyncing as exc:
        already = {UUID(run_id) for run_id in exc.run_ids}
    else:
        asked.ids += [run.pk for run in requested.runs]
        already = {skipped.run.pk for skipped in requested.skipped}
    asked.ids += already
    asked.already |= already


def _tell(command: BaseCommand, asked: Asked) -> None:
    """Print what became of it, a line for each run."""
    for run in asked.runs():
        already = "already " if run.pk in asked.already else ""
        command.stdout.write(plain(f"{run.connection}, {run.task}: {already}{run.state}, run {run.pk}"))


def answer(command: BaseCommand, asked: Asked, options: Mapping[str, Any]) -> None:
    """Tell what became of it, and wait for its end, as the options say; exit code 1 when a sync fails."""
    if not options["json"]:
        _tell(command, asked)
    succeeded = True
    if options["wait"]:
        succeeded = follow(asked.ids, command, timeout=options["timeout"], quiet=options["json"])
    if options["json"]:
        print_json(command, {"runs": [_describe(run, asked) for run in asked.runs()]})
    if not succeeded:
        sys.exit(1)


def _describe(run: SyncRun, asked: Asked) -> dict[str, Any]:
    """The same for scripts."""
    return {
        "id": str(run.pk),
        "connection": run.connection.external_id,
        "provider": run.provider,
        "kind": run.kind,
        "mode": run.mode,
        "state": run.state,
        "already_syncing": run.pk in asked.already,
        "progress": run.progress,
        "records": run.records_count,
        "changes": run.changes,
        "access_issues": run.access_issues,
        "error": run.error_message,
    }
