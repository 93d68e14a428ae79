"""What was synced, and how it went."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from providers.errors import Category
from sync.management.lookup import find_account, find_connection
from sync.management.output import add_json, print_json, print_table, span
from sync.models import Change, SyncRun
from sync.models.choices import Provider, RunState
from sync.models.run import SyncRunQuerySet

CHANGES_SHOWN = 50


class Command(BaseCommand):
    help = (
        "Show the newest runs, or the whole story of one. Examples: `history`, "
        "`history --account Acme --state failed --since 24`, `history --run 0193…`, `history --json`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", help="name or id")
        parser.add_argument("--connection", help="id, or the platform's id of the ad account")
        parser.add_argument("--provider", choices=Provider.values)
        parser.add_argument("--state", choices=RunState.values)
        parser.add_argument("--category", choices=[str(category) for category in Category])
        parser.add_argument("--since", type=float, metavar="HOURS", help="only runs of the last HOURS")
        parser.add_argument("--limit", type=int, default=20, help="how many (default 20)")
        parser.add_argument("--run", help="one run with its attempts and changes")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["run"]:
            self._story(_run(options["run"]), as_json=options["json"])
            return
        runs = [summary(run) for run in _chosen(options).select_related("account", "connection")]
        if options["json"]:
            print_json(self, {"runs": runs})
            return
        columns = (
            "id",
            "account",
            "connection",
            "trigger",
            "state",
            "created_at",
            "took",
            "records",
            "error",
        )
        print_table(self, "Newest runs", columns, ([run[column] for column in columns] for run in runs))

    def _story(self, run: SyncRun, *, as_json: bool) -> None:
        changes = Change.objects.filter(run_id=run.pk).order_by("pk")
        attempts = list(
            run.attempts.values(
                "worker",
                "started_at",
                "ended_at",
                "outcome",
                "calls",
                "error_category",
                "error_code",
                "platform_code",
                "trace_id",
                "message",
            )
        )
        told = list(changes.values("entity", "external_id", "action", "field", "old", "new")[:CHANGES_SHOWN])
        if as_json:
            print_json(self, {**summary(run), "attempts": attempts, "changes": told})
            return
        for name, value in summary(run).items():
            self.stdout.write(f"{name:>14}  {value}")
        for title, rows in (("Attempts", attempts), ("Changes", told)):
            if rows:
                print_table(self, title, list(rows[0]), [list(row.values()) for row in rows])
        if changes.count() > CHANGES_SHOWN:
            self.stdout.write(f"… and {changes.count() - CHANGES_SHOWN} more changes")


def summary(run: SyncRun) -> dict[str, Any]:
    """A run on one line."""
    ended = run.finished_at or timezone.now()
    return {
        "id": str(run.pk),
        "account": run.account.name,
        "connection": f"{run.provider} {run.connection.external_id}",
        "kind": run.kind,
        "mode": run.mode,
        "trigger": run.trigger,
        "state": run.state,
        "created_at": run.created_at,
        "finished_at": run.finished_at,
        "took": span((ended - run.started_at).total_seconds()) if run.started_at else "",
        "records": run.records_count,
        "calls": run.calls,
        "found": run.changes,
        "failed_attempts": run.failed_attempts,
        "error": f"{run.error_category}: {run.error_message}" if run.error_category else "",
    }


def _chosen(options: dict[str, Any]) -> SyncRunQuerySet:
    runs = SyncRun.objects.order_by("-created_at")
    if options["account"]:
        runs = runs.filter(account=find_account(options["account"]))
    if options["connection"]:
        runs = runs.filter(connection=find_connection(options["connection"]))
    for option, column in (("provider", "provider"), ("state", "state"), ("category", "error_category")):
        if options[option]:
            runs = runs.filter(**{column: options[option]})
    if options["since"] is not None:
        runs = runs.filter(created_at__gt=timezone.now() - timedelta(hours=options["since"]))
    if options["limit"] < 1:
        raise CommandError("--limit must be at least 1.")
    return runs[: options["limit"]]


def _run(name: str) -> SyncRun:
    try:
        return SyncRun.objects.select_related("account", "connection").get(pk=UUID(name))
    except (ValueError, SyncRun.DoesNotExist):
        raise CommandError(f"--run: there is no run {name!r}; `history` lists the newest.") from None
