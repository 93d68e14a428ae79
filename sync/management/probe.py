"""One real call for a connection, within its budget, to hear what the platform says of its own limits."""

from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from providers.base import Usage
from providers.errors import BudgetSpent, ProviderError
from sync.engine.outside import outside_runs
from sync.engine.platform import connection_client, gate_for
from sync.models import Connection


@dataclass(frozen=True)
class Probe:
    """The platform's view; `error` says why there is none."""

    percent: float | None = None  # of the fullest of its meters
    regain_seconds: float | None = None  # until it allows calls again
    error: str = ""

    def __str__(self) -> str:
        if self.error:
            return f"No answer: {self.error}"
        if self.percent is None:
            return "The platform says nothing of its limits."
        regain = f", calls again in {self.regain_seconds:g} s" if self.regain_seconds else ""
        return f"The platform says: {self.percent:g} % used{regain}."


def probe(connection: Connection) -> Probe:
    """Ask for the ad account's description: the cheapest call that both platforms meter."""
    heard: list[Usage] = []
    try:
        gate = gate_for(connection, background=False, heard=heard.append)
        with outside_runs(connection, gate, connection_client(connection, gate)) as client:
            client.account()
    except (ProviderError, BudgetSpent, ImproperlyConfigured) as exc:
        return Probe(error=str(exc))
    return Probe(heard[-1].percent, heard[-1].regain_after)
