"""What a scenario is: something that breaks, for some time, and how it is made whole again."""

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos.stage import Stage
from tests.chaos.tenants import Tenants, three_tenants
from tests.chaos.traffic import Traffic


@dataclass(frozen=True)
class Storm:
    """For how long it lasts, whom it hits, and the dice."""

    stage: Stage
    tenants: Tenants
    traffic: Traffic
    dice: random.Random
    ends_at: float

    def rages(self) -> bool:
        """Whether there is time for one more blow."""
        return time.monotonic() < self.ends_at

    def rage(self) -> None:
        """Let what was broken stay so until the end."""
        self.stage.wait_until(lambda: not self.rages(), self.ends_at)

    def pause(self, shortest: float, longest: float) -> None:
        """Between two blows."""
        self.stage.wait(self.dice.uniform(shortest, longest))


class Scenario(ABC):
    """One way to break things. A new one is a class here, and a line in `scenarios.py`."""

    name: str
    dead_letters: frozenset[str] = frozenset()  # causes that it explains; any other is a breach

    def prepare(self, stage: Stage) -> Tenants:
        """Whom it is about."""
        return three_tenants(stage.sandbox, self.name)

    @abstractmethod
    def inject(self, storm: Storm) -> None:
        """Break things while the storm rages, at least once."""

    def heal(self, stage: Stage) -> None:  # noqa: B027  (most break nothing that lasts)
        """Make whole what is still broken."""

    def missed(self, storm: Storm) -> Iterator[str]:
        """What it promises besides, and what it set out to do but did not: each a breach."""
        yield from ()
