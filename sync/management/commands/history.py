"""What was synced, and how it went."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from providers.errors import Category
from sync.changes import untold, written
from sync.ledger.waiting import waiting_for
from sync.management.command import AdTigerCommand, count, seconds
from sync.management.lookup import add_choice, chosen, find_account, find_run
from sync.management.output import add_json, plain, print_json, print_table, span
from sync.management.story import ATTEMPT, INTERVENTION, attempts, interventions
from sync.models import Change, SyncRun
from sync.models.choices import Kind, Mode, RunState
from sync.models.run_queries import SyncRunQuerySet

CHANGES_SHOWN = 50
COLUMNS = (
    "id",
    "account",
    "connection",
    "task",
    "trigger",
    "state",
    "created_at",
    "took",
    "records",
    "error",
)
CHANGE = ("entity", "external_id", "action", "field", "old", "new")


class Command(AdTigerCommand):
    help = (
        "Show the newest runs, or with --run the whole story of one: its attempts with the platform's "
        "error codes and trace ids, and what it found changed."
    )
    examples = (
        "history",
        "history --account Acme --state failed --since 24",
        "history --connection act_123 --limit 5 --json",
        "history --run 01a20dc0-ac9d-749e-b664-577b0df47475",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_choice(parser)
        parser.add_argument("--state", choices=RunState.values)
        parser.add_argument("--kind", choices=Kind.values)
        parser.add_argument("--mode", choices=Mode.values)
        parser.add_argument("--category", choices=[str(category) for category in Category])
        parser.add_argument("--since", type=seconds, metavar="HOURS", help="only runs of the last HOURS")
        parser.add_argument("--limit", type=count, default=20, help="how many (default 20)")
        parser.add_argument("--run", metavar="ID", help="one run with its attempts and changes")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["run"]:
            self._story(find_run(options["run"], "--run"), as_json=options["json"])
            return
        newest = _chosen(options).order_by("-created_at")[: options["limit"]]
        runs = [summary(run) for run in newest.select_related("account", "connection")]
        if options["json"]:
            print_json(self, {"runs": runs})
        else:
            print_table(self, "Newest runs", COLUMNS, ([run[column] for column in COLUMNS] for run in runs))

    def _story(self, run: SyncRun, *, as_json: bool) -> None:
        found = Change.objects.filter(run_id=run.pk).order_by("pk")
        changes = list(found.values(*CHANGE)[:CHANGES_SHOWN])
        tried, done = attempts(run), interventions(run)
        told = {
            **summary(run),
            "source": run.request.source,
            "waiting_for": waiting_for([run]).get(run.pk, ""),
            "stage": run.stage,
            "progress": run.progress,
            "full_because": run.checkpoint.get("plan", {}).get("full_because", ""),
            "health": "" if run.is_open else run.health,
            "access_issues": run.access_issues,
            "data_discrepancies": run.data_discrepancies,
        }
        if as_json:
            total = found.count()
            story = {"attempts": tried, "interventions": done, "changes": changes, "changes_count": total}
            print_json(self, {**told, **story})
            return
        for name, value in {**told, "written": written(run)}.items():
            for line in value if isinstance(value, list) else [value]:
                self.stdout.write(plain(f"{name:>18}  {line}"))
        for title, columns, rows in (
            ("Attempts", ATTEMPT, tried),
            ("Interventions", INTERVENTION, done),
            ("Changes", CHANGE, changes),
        ):
            if rows:
                print_table(self, title, columns, [list(row.values()) for row in rows])
        if not changes:
            self.stdout.write(untold(run))
        if (more := found.count() - CHANGES_SHOWN) > 0:
            self.stdout.write(f"… and {more} more changes")


def summary(run: SyncRun) -> dict[str, Any]:
    """A run on one line."""
    ended = timezone.now() if run.state == RunState.RUNNING else run.finished_at
    took = (ended - run.started_at).total_seconds() if run.started_at and ended else None
    return {
        "id": str(run.pk),
        "account": run.account.name,
        "connection": f"{run.provider} {run.connection.external_id}",
        "kind": run.kind,
        "mode": run.mode,
        "task": run.task,
        "trigger": run.trigger,
        "state": run.state,
        "created_at": run.created_at,
        "finished_at": run.finished_at,
        "took": span(took) if took is not None else "",
        "took_seconds": took,
        "records": run.records_count,
        "calls": run.calls,
        "written": run.changes,
        "failed_attempts": run.failed_attempts,
        "error": f"{run.error_category}: {run.error_message}" if run.error_category else "",
    }


def _chosen(options: dict[str, Any]) -> SyncRunQuerySet:
    runs = SyncRun.objects.all()
    if options["connection"]:
        runs = runs.filter(connection=chosen(options).get())
    elif options["account"]:
        runs = runs.filter(account=find_account(options["account"]))
    for option in ("provider", "kind", "mode", "state"):
        if options[option]:
            runs = runs.filter(**{option: options[option]})
    if options["category"]:
        runs = runs.filter(error_category=options["category"])
    if options["since"]:
        runs = runs.filter(created_at__gt=timezone.now() - timedelta(hours=options["since"]))
    return runs
