"""The budgets: our windows beside what is used of them."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from redis.exceptions import RedisError

from providers.base import Gate, Usage
from providers.errors import BudgetSpent, ProviderError
from sync.engine.limits import limits_of
from sync.engine.platform import budget_store, connection_client, gate_for
from sync.management.lookup import find_account, find_connection
from sync.management.output import add_json, print_json, print_table
from sync.models import Connection
from sync.models.choices import Provider


class Command(BaseCommand):
    help = (
        "Show each connection's budgets: the windows, what is used, and what is parked until when. "
        "With --probe make one real call per connection and show what the platform says of its own limits. "
        "Examples: `limits`, `limits --provider google`, `limits --connection act_123 --probe`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--connection", help="id, or the platform's id of the ad account")
        parser.add_argument("--account", help="name or id")
        parser.add_argument("--provider", choices=Provider.values)
        parser.add_argument("--probe", action="store_true", help="make one real call per connection")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        told = [_describe(connection, probe=options["probe"]) for connection in _chosen(options)]
        if options["json"]:
            print_json(self, {"connections": told})
            return
        for each in told:
            columns = ("budget", "used", "limit", "seconds", "parked_until", "parked_because")
            rows = ([window[column] for column in columns] for window in each["windows"])
            print_table(self, each["connection"], [column.replace("_", " ") for column in columns], rows)
            if options["probe"]:
                self.stdout.write(f"The platform says: {each['platform']}")


def _chosen(options: dict[str, Any]) -> list[Connection]:
    connections = Connection.objects.select_related("account__plan", "credential").order_by("pk")
    if options["connection"]:
        connections = connections.filter(pk=find_connection(options["connection"]).pk)
    if options["account"]:
        connections = connections.filter(account=find_account(options["account"]))
    if options["provider"]:
        connections = connections.filter(provider=options["provider"])
    return list(connections)


def _describe(connection: Connection, *, probe: bool) -> dict[str, Any]:
    platform = _probe(connection) if probe else ""
    try:
        meters = budget_store().meters(limits_of(connection))
    except RedisError:
        raise CommandError("The budget store does not answer: check REDIS_URL, and that it runs.") from None
    return {
        "connection": str(connection),
        "id": str(connection.pk),
        "platform": platform,
        "windows": [
            {
                "budget": meter.label,
                "used": meter.used,
                "limit": meter.limit,
                "seconds": meter.seconds,
                "parked_until": datetime.fromtimestamp(meter.parked_until, UTC)
                if meter.parked_until
                else None,
                "parked_because": meter.parked_because,
            }
            for meter in meters
        ],
    }


class _Listening:
    """The connection's gate, remembering what the answer said."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.usage = Usage()

    def take(self) -> str:
        """As the gate does."""
        return self._gate.take()

    def settle(self, ticket: str, usage: Usage) -> None:
        """As the gate does."""
        self.usage = usage
        self._gate.settle(ticket, usage)


def _probe(connection: Connection) -> str:
    gate = _Listening(gate_for(connection, background=False))
    try:
        connection_client(connection, gate).account()
    except (ProviderError, BudgetSpent) as exc:
        return str(exc)
    percent, regain = gate.usage
    if percent is None:
        return "nothing about its limits"
    return f"{percent:g} % used" + (f", calls again in {regain:g} s" if regain else "")
