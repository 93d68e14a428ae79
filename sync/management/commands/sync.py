"""Ask for syncs, and follow them."""

from typing import Any

from django.core.management.base import CommandParser

from sync.management.ask import answer, ask
from sync.management.command import AdTigerCommand, WrongUse, seconds
from sync.management.lookup import active_of, add_choice
from sync.management.output import add_json
from sync.management.wanted import IDS, add_wanted, check_ids, wanted
from sync.models.choices import Priority


class Command(AdTigerCommand):
    help = (
        "Ask for syncs of one connection, of an account's, of a provider's, or of all. What is chosen by "
        "provider or --all is scheduled work, which lets people's syncs go first. A sync that runs already "
        "is followed instead of asked for again. Exit code with --wait: 1 when one fails."
    )
    examples = (
        "sync --connection act_123 --wait",
        "sync --connection act_123 --campaign 7 --campaign 8 --wait",
        "sync --connection 123-456-7890 --ad 33~44",
        "sync --account Acme --mode full",
        "sync --connection act_123 --kind insights --from 2026-10-01 --to 2026-10-31 --level campaign",
        "sync --account Acme --provider google --wait --timeout 600",
        "sync --all --json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_choice(parser)
        parser.add_argument("--all", action="store_true", help="every active connection")
        add_wanted(parser)
        parser.add_argument("--wait", action="store_true", help="follow the syncs to their end")
        parser.add_argument("--timeout", type=seconds, metavar="SECONDS", help="with --wait: give up waiting")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        _check(options)
        what, connections = wanted(options), active_of(options)
        for connection in connections:
            check_ids(options, connection)
        by_person = options["connection"] or options["account"]
        priority = Priority.MANUAL if by_person else Priority.SCHEDULED
        asked = ask(connections, wishes=what, priority=priority)
        answer(self, asked, options)


def _check(options: dict[str, Any]) -> None:
    named = options["connection"] or options["account"]
    if not (named or options["provider"] or options["all"]):
        raise WrongUse("Say what to sync: --connection, --account, --provider or --all.")
    if options["all"] and named:
        raise WrongUse("--all means every connection: leave out --connection and --account, or --all.")
    for name, option in IDS.items():
        if options[name] and not options["connection"]:
            raise WrongUse(f"{option}: say with --connection in which ad account it is.")
    if options["timeout"] and not options["wait"]:
        raise WrongUse("--timeout ends the waiting: give --wait, too.")
