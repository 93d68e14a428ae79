"""Which endpoints of the platforms are down now, for people."""

from dataclasses import dataclass
from datetime import UTC, datetime

from redis.exceptions import RedisError

from providers.breaker import Circuit
from sync.engine.platform import PLATFORMS, circuits
from sync.models.choices import Provider


@dataclass(frozen=True)
class Outage:
    """An endpoint that nothing is sent to but a probe."""

    provider: str
    endpoint: str
    since: datetime
    next_try_at: datetime
    is_tried: bool  # a probe is under way
    only: str  # the ad account for which it is down, where no other met it yet; empty: for all
    why: str

    def __str__(self) -> str:
        whom = f" for {self.only}" if self.only else ""
        then = "one call tries it now" if self.is_tried else f"the next try is at {self.next_try_at:%H:%M:%S}"
        return (
            f"{PLATFORMS[Provider(self.provider)]}'s {self.endpoint} do not answer{whom} since "
            f"{self.since:%Y-%m-%d %H:%M:%S}; {then} UTC. {self.why}"
        )


def outages(provider: str = "") -> list[Outage]:
    """Those of a provider, or all; none while the store that knows them is away, which health tells."""
    try:
        found = circuits().open()
    except RedisError:
        return []
    return [_outage(circuit) for circuit in found if provider in ("", circuit.provider)]


def _outage(circuit: Circuit) -> Outage:
    return Outage(
        circuit.provider,
        circuit.endpoint,
        since=datetime.fromtimestamp(circuit.since, UTC),
        next_try_at=datetime.fromtimestamp(circuit.until, UTC),
        is_tried=circuit.is_probing,
        only=circuit.only,
        why=circuit.why,
    )
