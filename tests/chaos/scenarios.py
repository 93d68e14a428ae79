"""All scenarios by name, in the order in which they are played."""

from typing import TYPE_CHECKING

from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from tests.chaos.scenario import Scenario

SCENARIOS = {
    "kill-workers": "worker_scenarios.KilledWorkers",
    "kill-backlog": "worker_scenarios.KilledUnderBacklog",
    "freeze-workers": "worker_scenarios.FrozenWorkers",
    "kill-points": "worker_scenarios.KillPoints",
    "kill-beat": "worker_scenarios.KilledBeat",
    "restart-workers": "worker_scenarios.RollingRestart",
    "valkey-killed": "server_scenarios.KilledValkey",
    "valkey-flushed": "server_scenarios.FlushedValkey",
    "valkey-slow": "server_scenarios.SlowValkey",
    "postgres-restarted": "server_scenarios.RestartedPostgres",
    "postgres-sessions": "server_scenarios.TerminatedConnections",
    "postgres-full": "server_scenarios.ExhaustedConnections",
    "platform-errors": "platform_scenarios.ServerErrors",
    "platform-cuts": "platform_scenarios.CutStreams",
    "platform-limits": "platform_scenarios.RateLimits",
    "tokens": "platform_scenarios.ExpiredTokens",
}


def scenario(name: str) -> "Scenario":
    """A new one of this name. It stands on Django's settings, which the names do not."""
    made: Scenario = import_string(f"tests.chaos.{SCENARIOS[name]}")()
    return made
