"""The platforms' error codes that AdTiger does not know."""

from typing import Any

from django.core.management.base import CommandParser
from django.db.models import QuerySet

from sync.management.command import AdTigerCommand, WrongUse
from sync.management.output import add_json, print_json, print_table
from sync.models import UnknownCode
from sync.models.choices import Provider

COLUMNS = (
    "provider",
    "platform_code",
    "http_status",
    "count",
    "first_seen_at",
    "last_seen_at",
    "last_trace_id",
)


class Command(AdTigerCommand):
    help = (
        "Show the errors of the platforms whose codes AdTiger does not know: how often and since when, and "
        "the newest trace id, which the platform's support asks for. --clear forgets codes that were "
        "reported; one that comes again is counted, and logged, anew."
    )
    examples = ("errors", "errors --provider meta --json", "errors --clear 987654", "errors --clear")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--provider", choices=Provider.values)
        parser.add_argument("--clear", nargs="*", metavar="CODE", help="forget these codes, or all")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        codes: QuerySet[UnknownCode] = UnknownCode.objects.all()
        if options["provider"]:
            codes = codes.filter(provider=options["provider"])
        if options["clear"] is not None:
            if options["clear"]:
                codes = _named(codes, options["clear"])
            self.stdout.write(f"Cleared {codes.delete()[0]}.")
            return
        if options["json"]:
            print_json(self, {"unknown": list(codes.values(*COLUMNS))})
        elif codes:
            rows = codes.values_list(*COLUMNS)
            print_table(self, "Unknown error codes", [name.replace("_", " ") for name in COLUMNS], rows)
        else:
            self.stdout.write("Every error so far had a known code.")


def _named(codes: QuerySet[UnknownCode], names: list[str]) -> QuerySet[UnknownCode]:
    named = codes.filter(platform_code__in=names)
    if missing := set(names) - set(named.values_list("platform_code", flat=True)):
        raise WrongUse(f"No such code was met: {', '.join(sorted(missing))}. `errors` lists them.")
    return named
