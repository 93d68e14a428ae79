"""What the platforms send that AdTiger does not know, and what they no longer have."""

from typing import Any

from django.core.management.base import CommandParser

from providers.drift import DriftKind
from sync.management.command import AdTigerCommand
from sync.management.output import add_json, print_json, print_table
from sync.models import Drift
from sync.models.choices import Provider

COLUMNS = ("provider", "kind", "place", "value", "count", "first_seen_at", "last_seen_at")


class Command(AdTigerCommand):
    help = (
        "Show where the platforms' answers differ from what this version of AdTiger knows: words of enums, "
        "keys that nobody asked for, keys that are missing, fields that the platform's version no longer "
        "has, and warnings of a version's end. None of it fails a sync but a field that is gone. --clear "
        "forgets what is shown; what comes again is counted, and logged, anew."
    )
    examples = ("drift", "drift --provider meta --kind word --json", "drift --kind version --clear")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--provider", choices=Provider.values)
        parser.add_argument("--kind", choices=[kind.value for kind in DriftKind])
        parser.add_argument("--clear", action="store_true", help="forget what the other options choose")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        asked = {name: options[name] for name in ("provider", "kind") if options[name]}
        found = Drift.objects.filter(**asked)
        if options["clear"]:
            self.stdout.write(f"Cleared {found.delete()[0]}.")
        elif options["json"]:
            print_json(self, {"drift": list(found.values(*COLUMNS))})
        elif rows := list(found.values_list(*COLUMNS)):
            print_table(self, "Schema drift", [name.replace("_", " ") for name in COLUMNS], rows)
        else:
            self.stdout.write("Everything that the platforms sent was known.")
