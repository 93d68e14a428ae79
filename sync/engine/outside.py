"""Calls that no run makes, but who connects or probes: metered, heeded and remembered like a run's."""

from collections.abc import Iterator
from contextlib import contextmanager

from providers.base import Client
from providers.budget import BudgetGate
from sync.engine.platform import heeding
from sync.engine.unknown import counting_unknown
from sync.models import Connection, OutsideCalls


@contextmanager
def outside_runs(connection: Connection, gate: BudgetGate, client: Client) -> Iterator[Client]:
    """Around the calls of `client`, for a connection that need not be stored yet."""
    try:
        with counting_unknown(connection.provider), heeding(gate):
            yield client
    finally:
        if client.calls:
            OutsideCalls.objects.create(
                account_id=connection.account_id,
                provider=connection.provider,
                external_id=connection.external_id,
                calls=client.calls,
            )
