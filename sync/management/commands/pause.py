"""Start nothing more of a provider, an account or a connection."""

from typing import Any

from django.core.management.base import CommandParser

from sync.ledger.pause import pause
from sync.management.command import AdTigerCommand
from sync.management.operator import operator
from sync.management.output import print_json
from sync.management.pausing import add_subjects, describe, label, subjects


class Command(AdTigerCommand):
    help = (
        "Start nothing more of a provider, an account or a connection until it is resumed. What runs goes on "
        "to its end, what waits keeps its place. Pauses overlap: a connection of a paused account starts "
        "when both are resumed. What is paused already keeps its first reason, and that is no error."
    )
    examples = (
        'pause provider meta --reason "maintenance at the platform"',
        "pause account Acme",
        "pause connection act_123 123-456-7890 --json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_subjects(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        rows, by = subjects(options), operator()
        done = [(row, pause(row, by=by, reason=options["reason"])) for row in rows]
        told = [describe(row, changed=changed) for row, changed in done]
        if options["json"]:
            print_json(self, {"paused": told})
            return
        for (row, changed), each in zip(done, told, strict=True):
            if changed:
                running, waiting = f"{each['running']} running, to their end", f"{each['waiting']} waiting"
                self.stdout.write(f"Paused {label(row)}: {running}; {waiting}, until it is resumed.")
            else:
                since = f"{row.paused_at:%Y-%m-%d %H:%M:%S} UTC"
                self.stdout.write(f"Nothing changed: {label(row)} is paused since {since}{row.pause_note}.")
