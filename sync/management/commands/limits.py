"""The budgets: our windows beside what is used of them."""

import sys
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from redis.exceptions import RedisError

from providers.budget import Window
from providers.budget.store import Meter
from sync.engine.limits import all_limits_of
from sync.engine.platform import budget_store
from sync.management.command import AdTigerCommand
from sync.management.lookup import add_choice, chosen
from sync.management.output import add_json, print_json, print_table
from sync.management.probe import Probe, probe
from sync.models import Connection

COLUMNS = ("budget", "used", "limit", "seconds", "parked_until", "parked_because")
NO_WINDOW = (Window(1, 1.0),)  # stands in where nothing is counted, to read until when it is parked


class Command(AdTigerCommand):
    help = (
        "Show each connection's budgets: the windows of its ad account, its provider and its account, what "
        "is used of them now, and what is parked until when and why. With --probe make one real call per "
        "connection and show what the platform says of its own limits; exit code 1 when one fails."
    )
    examples = ("limits", "limits --provider google --json", "limits --connection act_123 --probe")

    def add_arguments(self, parser: CommandParser) -> None:
        add_choice(parser)
        parser.add_argument("--probe", action="store_true", help="make one real call per connection")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        connections = list(chosen(options))
        probes = {each.pk: probe(each) for each in connections if options["probe"]}
        told = [_describe(connection, probes.get(connection.pk)) for connection in connections]
        if options["json"]:
            print_json(self, {"connections": told})
        else:
            self._print(told)
        if any(each.error for each in probes.values()):
            sys.exit(1)

    def _print(self, told: list[dict[str, Any]]) -> None:
        if not told:
            self.stdout.write("No connection fits. `connect` makes one.")
        for each in told:
            rows = ([window[column] for column in COLUMNS] for window in each["windows"])
            print_table(self, each["connection"], [column.replace("_", " ") for column in COLUMNS], rows)
            if each["probe"]:
                self.stdout.write(str(each["probe"]))


def _describe(connection: Connection, answer: Probe | None) -> dict[str, Any]:
    found = all_limits_of(connection)
    limits = [limit if limit.windows else limit._replace(windows=NO_WINDOW) for limit in found]
    counted = {limit.key for limit in found if limit.windows}
    try:
        meters = budget_store().meters(limits)
    except RedisError:
        raise CommandError("The budget store does not answer: check REDIS_URL, and that it runs.") from None
    return {
        "id": str(connection.pk),
        "connection": str(connection),
        "external_id": connection.external_id,
        "probe": answer,
        "windows": [
            _window(meter, is_counted=meter.key in counted)
            for meter in meters
            if meter.key in counted or meter.parked_until
        ],
    }


def _window(meter: Meter, *, is_counted: bool) -> dict[str, Any]:
    parked = datetime.fromtimestamp(meter.parked_until, UTC) if meter.parked_until else None
    return {
        "budget": meter.label,
        "used": meter.used if is_counted else None,
        "limit": meter.limit if is_counted else None,
        "seconds": meter.seconds if is_counted else None,
        "parked_until": parked,
        "parked_because": meter.parked_because,
    }
