"""Workers by simulated time: what runs next, what is called and what waits is decided by the product.

Real: `claim` with its order, slots and lanes, the budgets' scripts and Google's day with their limits and
reserve, deferrals and ends, each in PostgreSQL and Valkey. Simulated: the clock, how long a call takes,
and the worker around it, which takes `own` seconds of a run for itself.
"""

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from benchmarks.harness.clock import SimulatedClock
from benchmarks.harness.rows import REGION
from providers.base import Usage
from providers.budget import BudgetGate
from providers.errors import BudgetSpent
from providers.http import CALL_SECONDS
from sync.engine.limits import limits_of
from sync.google.operations import operations_of
from sync.ledger import finish
from sync.ledger.claim import claim
from sync.ledger.finish import Success
from sync.ledger.lease import Lease
from sync.models import Connection, SyncRun
from sync.models.choices import DeferReason, Provider

SEED = 7


class Work(NamedTuple):
    """What a sync is."""

    calls: int
    latency: tuple[float, float]  # seconds of a call, evenly between
    own: float  # seconds of a run that are the worker's and the ledger's


@dataclass
class Outcome:
    """What came of it."""

    ended: int = 0
    deferred: int = 0
    calls: int = 0
    drained_at: float = 0.0  # when the last one ended
    busy: float = 0.0  # seconds, of all slots together
    longest_wait: float = 0.0  # seconds, from being asked for to the first start


class Simulation:
    """The slots of one provider's queue; what is asked for lies in the ledger already, or is asked for by
    events that are added."""

    def __init__(self, clock: SimulatedClock, provider: Provider, work: Work, *, slots: int) -> None:
        self.clock, self.work, self.outcome = clock, work, Outcome()
        self._provider, self._idle = provider, slots
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._dice = random.Random(SEED)
        self._left: dict[UUID, int] = {}  # calls, by run

    def after(self, seconds: float, event: Callable[[], None]) -> None:
        """Let something happen; of two at the same moment, what was added first."""
        heapq.heappush(self._events, (self.clock.seconds + seconds, next(self._numbers), event))

    def run(self, *, until: float = math.inf) -> Outcome:
        """Until nothing is left to happen, or up to a moment."""
        self.fill_slots()
        while self._events and self._events[0][0] <= until:
            seconds, _, event = heapq.heappop(self._events)
            self.clock.set(seconds)
            event()
        return self.outcome

    def fill_slots(self) -> None:
        """Start runs as long as the ledger lets."""
        while self._idle and (run := claim(self._provider, REGION, worker="simulated")):
            self._idle -= 1
            if run.pk not in self._left:
                self._left[run.pk] = self.work.calls
                self.outcome.longest_wait = max(
                    self.outcome.longest_wait, self.clock.seconds - self.clock.at(run.created_at)
                )
            Turn(self, run).prepare()

    def latency(self) -> float:
        """Of the next call, in seconds."""
        return self._dice.uniform(*self.work.latency)

    def answered(self, run: SyncRun) -> bool:
        """A call of the run is done. Whether it was the last one."""
        self.outcome.calls += 1
        self._left[run.pk] -= 1
        return not self._left[run.pk]

    def leave(self, *, begun: float) -> None:
        """A slot is free again."""
        self._idle += 1
        self.outcome.busy += self.clock.seconds - begun
        self.fill_slots()


class Turn:
    """One start of a run, until it leaves its slot."""

    def __init__(self, simulation: Simulation, run: SyncRun) -> None:
        self._simulation, self._run, self._lease = simulation, run, Lease.of(run)
        self._gate = _gate(simulation.clock, run.connection)
        self._begun, self._calls = simulation.clock.seconds, 0

    def prepare(self) -> None:
        """The worker's own time comes before the calls, evenly."""
        work = self._simulation.work
        self._simulation.after(work.own / work.calls, self._call)

    def _call(self) -> None:
        try:
            ticket = self._gate.take()
        except BudgetSpent as exc:
            self._defer(exc)
        else:
            self._simulation.after(self._simulation.latency(), partial(self._answered, ticket))

    def _answered(self, ticket: str) -> None:
        self._gate.settle(ticket, Usage())
        self._calls += 1
        if not self._simulation.answered(self._run):
            self.prepare()
            return
        finish.succeed(self._lease, Success(calls=self._calls))
        self._simulation.outcome.ended += 1
        self._simulation.outcome.drained_at = self._simulation.clock.seconds
        self._simulation.leave(begun=self._begun)

    def _defer(self, exc: BudgetSpent) -> None:
        """As `sync.engine.unfinished` does it, with the hint for the moment at which it is due again."""
        simulation, until = self._simulation, datetime.fromtimestamp(exc.retry_at, UTC)
        finish.defer(
            self._lease, until=until, reason=DeferReason.BUDGET, waiting_for=str(exc), calls=self._calls
        )
        simulation.outcome.deferred += 1
        simulation.after(simulation.clock.at(until) - simulation.clock.seconds, simulation.fill_slots)
        simulation.leave(begun=self._begun)


def _gate(clock: SimulatedClock, connection: Connection) -> BudgetGate:
    """As `sync.engine.platform.gate_for` makes it, on the store that reads the simulated clock."""
    is_google = connection.provider == Provider.GOOGLE
    return BudgetGate(
        clock.store,
        partial(limits_of, connection),
        background=True,
        reserve=settings.BUDGET_RESERVE,
        call_seconds=CALL_SECONDS,
        ledger=operations_of(connection.account, background=True) if is_google else None,
    )
