"""What differed at the platforms: field by field, old and new."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser
from django.db.models import Model, QuerySet

from sync.changes import FIELDS, as_csv, as_json, lines
from sync.engine.streams import TARGETS
from sync.management.command import AdTigerCommand, WrongUse, count
from sync.management.lookup import add_choice, as_uuid, chosen, find_run
from sync.management.output import add_json, print_table
from sync.management.period import add_period, period
from sync.models import Change, SyncRun
from sync.models.choices import ChangeAction, EntityKind

SHOWN = 50  # in a table, unless more are asked for; a file holds all
COLUMNS = (
    "seen_at",
    "connection",
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
SHORT = 60  # characters of a cell


class Command(AdTigerCommand):
    help = (
        "Show what the syncs found changed at the platforms, newest first: which field of which entity, its "
        "old and its new value, the run that saw it first, and who did it where the platform tells. Money "
        "is in micros. --csv and --json print all that is found, as it is read."
    )
    examples = (
        "changes --last 7d",
        "changes --connection act_123 --field daily_budget_micros",
        "changes --account Acme --entity ad --action removed --since 2026-11-01 --until 2026-11-15",
        "changes --id 23856469955990536 --json",
        "changes --provider google --last 24h --csv > changes.csv",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_choice(parser)
        parser.add_argument("--entity", choices=EntityKind.values)
        parser.add_argument("--id", metavar="ID", help="the platform's id of a campaign, ad group or ad")
        parser.add_argument("--field", choices=FIELDS, metavar="FIELD", help=", ".join(FIELDS))
        parser.add_argument("--action", choices=ChangeAction.values)
        add_period(parser)
        parser.add_argument("--run", metavar="ID", help="only what this run saw")
        parser.add_argument("--limit", type=count, help=f"how many (default {SHOWN}; of a file all)")
        parser.add_argument("--csv", action="store_true", help="print CSV with a heading")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["csv"] and options["json"]:
            raise WrongUse("--csv: give it or --json, not both.")
        changes = _chosen(options).order_by("-seen_at", "-pk")
        if options["csv"] or options["json"]:
            told = as_csv if options["csv"] else as_json
            self._print(told(changes[: options["limit"]]))
            return
        shown = list(lines(changes[: (options["limit"] or SHOWN)]))
        if not shown:
            self.stdout.write("No changes.")
            return
        rows = ([_short(line[column]) for column in COLUMNS] for line in shown)
        print_table(self, "Changes", [name.replace("_", " ") for name in COLUMNS], rows)

    def _print(self, pieces: Iterator[str]) -> None:
        for piece in pieces:
            self.stdout.write(piece, ending="")


def _chosen(options: dict[str, Any]) -> QuerySet[Change]:
    within: dict[str, Any] = {}
    if options["connection"] or options["account"] or options["provider"]:
        within = {"connection__in": chosen(options).order_by().values("pk")}
    asked = {name: options[name] for name in ("entity", "field", "action") if options[name]}
    if options["run"]:
        asked["run_id"] = _run_id(options["run"])
    if options["id"]:
        asked["external_id"] = _known(options["id"], within)
    since, until = period(options)
    if since:
        asked["seen_at__gte"] = since
    if until:
        asked["seen_at__lt"] = until
    return Change.objects.filter(**within, **asked)


def _run_id(name: str) -> UUID:
    """Changes are kept longer than the run that saw them."""
    pk = as_uuid(name)
    if pk and not SyncRun.objects.filter(pk=pk).exists() and Change.objects.filter(run_id=pk).exists():
        return pk
    return find_run(name, "--run").pk


def _known(external_id: str, within: dict[str, Any]) -> str:
    """Or an error: a mistyped id must not look like an entity that never changed."""
    tables: list[type[Model]] = [*(target.model for target in TARGETS.values()), Change]
    if not any(table._default_manager.filter(**within, external_id=external_id).exists() for table in tables):
        raise WrongUse(
            f"--id: no campaign, ad group or ad {external_id!r} is known. Give the platform's id; of "
            "Google's ads it is the ad group's and the ad's, as 123~456."
        )
    return external_id


def _short(value: Any) -> Any:
    return f"{value[:SHORT]}…" if isinstance(value, str) and len(value) > SHORT else value
