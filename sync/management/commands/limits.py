"""The budgets: our windows beside what is used of them, and what people set."""

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from redis.exceptions import RedisError

from sync.engine.budgets import budgets, park_of, sentences
from sync.google.day import GoogleDay, google_day
from sync.google.project import is_day_limit
from sync.management.command import AdTigerCommand
from sync.management.limit_edits import add_edits, clear_from, set_from
from sync.management.lookup import add_choice, chosen
from sync.management.output import add_json, print_json, print_table
from sync.management.probe import probe
from sync.models import CallLimit

COLUMNS = ("budget", "used", "limit", "seconds", "source", "free_at")
PARKS = ("parked until", "because")
HEEDED = "Workers heed it within 3 seconds."  # the processes' memory of limits, and a run's of its own
DAY_HEEDED = "Google's day holds for each run from its next start on."


class Command(AdTigerCommand):
    help = (
        "Show Google's day, and each connection's budgets: the windows of its ad account, its provider and "
        "its account, where each comes from, what is used of it now and when it has room again, and what is "
        "parked until when and why. With --probe make one real call per connection and show what the "
        "platform says of its own limits; exit code 1 when one fails. `limits set` and `limits clear` change "
        "limits at run time."
    )
    examples = (
        "limits",
        "limits --provider google --json",
        "limits --connection act_123 --probe",
        'limits set 20/60 400/3600 --connection act_123 --reason "full access"',
        "limits set 1/0.5 --provider meta --each",
        "limits set 5000/3600 --account Acme",
        "limits set 20000/86400 --provider google",
        "limits clear --connection act_123",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_choice(parser)
        parser.add_argument("--probe", action="store_true", help="make one real call per connection")
        add_json(parser)
        add_edits(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        match options["edit"]:
            case "set":
                self._set(options)
            case "clear":
                self._clear(options)
            case _:
                self._show(options)

    def _set(self, options: dict[str, Any]) -> None:
        limits = set_from(options)
        if options["json"]:
            print_json(self, {"set": [_limit(limit) for limit in limits]})
            return
        for limit in limits:
            self.stdout.write(f"Set: {limit}.")
        self.stdout.write(_heeded(limits))

    def _clear(self, options: dict[str, Any]) -> None:
        subject, limits = clear_from(options)
        if options["json"]:
            print_json(self, {"cleared": [_limit(limit) for limit in limits]})
            return
        for limit in limits:
            self.stdout.write(f"Cleared: {limit}.")
        done = f"The defaults hold again. {_heeded(limits)}"
        self.stdout.write(done if limits else f"Nothing was set for {subject.subject}.")

    def _show(self, options: dict[str, Any]) -> None:
        connections = list(chosen(options))
        probes = {each.pk: probe(each) for each in connections if options["probe"]}
        google = google_day()
        try:
            told = [budgets(each) | {"probe": probes.get(each.pk)} for each in connections]
        except RedisError:
            raise CommandError(
                "The budget store does not answer: check REDIS_URL, and that it runs."
            ) from None
        if options["json"]:
            print_json(self, {"google": google.figures() if google else None, "connections": told})
        else:
            self._print_day(google)
            self._print(told)
        if any(each.error for each in probes.values()):
            sys.exit(1)

    def _print_day(self, google: GoogleDay | None) -> None:
        for line in [str(google), *google.sentences] if google else []:
            self.stdout.write(line)

    def _print(self, told: list[dict[str, Any]]) -> None:
        if not told:
            self.stdout.write("No connection fits. `connect` makes one.")
        for each in told:
            rows = ([*(window[column] for column in COLUMNS), *park_of(window)] for window in each["windows"])
            names = [column.replace("_", " ") for column in (*COLUMNS, *PARKS)]
            print_table(self, each["connection"], names, rows)
            for line in sentences(each):
                self.stdout.write(line)
            if each["probe"]:
                self.stdout.write(str(each["probe"]))


def _heeded(limits: list[CallLimit]) -> str:
    """How soon the edit holds."""
    are_days = {is_day_limit(limit) for limit in limits}
    return " ".join(words for is_day, words in ((False, HEEDED), (True, DAY_HEEDED)) if is_day in are_days)


def _limit(limit: CallLimit) -> dict[str, Any]:
    return {
        "subject": limit.subject,
        "calls": limit.calls,
        "seconds": limit.seconds,
        "set_at": limit.set_at,
        "set_by": limit.set_by,
        "reason": limit.reason,
    }
