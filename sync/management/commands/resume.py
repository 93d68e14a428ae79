"""Let a provider, an account or a connection start again."""

from typing import Any

from django.core.management.base import CommandParser

from sync.ledger.pause import resume
from sync.management.command import AdTigerCommand
from sync.management.operator import operator
from sync.management.output import print_json
from sync.management.pausing import add_subjects, describe, label, subjects


class Command(AdTigerCommand):
    help = (
        "Let a provider, an account or a connection start again: what waits goes on in its order, at once "
        "where a slot is free. What is not paused stays as it is, and that is no error."
    )
    examples = (
        "resume provider meta",
        'resume account Acme --reason "the invoice is paid"',
        "resume connection act_123 --json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_subjects(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        rows, by = subjects(options), operator()
        done = [(row, resume(row, by=by, reason=options["reason"])) for row in rows]
        told = [describe(row, changed=changed) for row, changed in done]
        if options["json"]:
            print_json(self, {"resumed": told})
            return
        for (row, changed), each in zip(done, told, strict=True):
            if changed:
                self.stdout.write(f"Resumed {label(row)}: {each['waiting']} waiting, for their turn.")
            else:
                self.stdout.write(f"Nothing changed: {label(row)} is not paused.")
