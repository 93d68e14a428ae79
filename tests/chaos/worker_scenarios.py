"""Workers and beat die, at any moment and at chosen ones."""

from collections.abc import Iterator

from django.conf import settings

from sync.models import SyncAttempt
from sync.models.choices import Outcome, Provider, Trigger
from tests.chaos.fleet import BEAT, WORKERS
from tests.chaos.scenario import Scenario, Storm
from tests.chaos.stage import READY_SECONDS, Stage
from tests.chaos.tenants import Tenants, many_connections
from tests.chaos.traps import TRAPS, clear_traps, set_traps, sprung
from tests.factories import make_account

TAKEN_OVER_SECONDS = 2.5  # after a lease's end: a tick, and the other worker's claim and first page
BACKLOG = {Provider.META: 90, Provider.GOOGLE: 30}  # waiting runs of each of two accounts


class KilledWorkers(Scenario):
    """`kill -9` in a loop: of a worker with its pool, or of its parent process alone."""

    name = "workers killed"
    dead_letters = frozenset({"lost_worker"})  # three deaths in a row before a page; checked by the judge

    def inject(self, storm: Storm) -> None:
        while True:
            storm.pause(1.5, 3.5)
            victim = storm.stage.fleet.members[storm.dice.choice(WORKERS)]
            storm.dice.choice([victim.kill, victim.behead])()
            if not storm.rages():
                return


class KilledUnderBacklog(KilledWorkers):
    """The same while hundreds of runs wait."""

    name = "workers killed, backlog"

    def prepare(self, stage: Stage) -> Tenants:
        accounts = [make_account(f"{self.name} {number}") for number in (1, 2)]
        connections = [
            connection
            for account in accounts
            for provider, count in BACKLOG.items()
            for connection in many_connections(stage.sandbox, account, provider, count)
        ]
        return Tenants(accounts, connections)

    def inject(self, storm: Storm) -> None:
        for connection in storm.tenants.connections:
            storm.traffic.ask([connection], Trigger.SCHEDULED)
        super().inject(storm)


class FrozenWorkers(Scenario):
    """A worker stands still until others have its runs, and then goes on as if nothing had been."""

    name = "workers frozen"
    dead_letters = frozenset({"lost_worker"})

    def inject(self, storm: Storm) -> None:
        while True:
            storm.pause(0.5, 1.5)
            victim = storm.stage.fleet.members[storm.dice.choice(WORKERS)]
            victim.freeze()
            storm.stage.wait(settings.LEASE.total_seconds() + TAKEN_OVER_SECONDS)
            victim.thaw()
            if not storm.rages():
                return


class KillPoints(Scenario):
    """A worker's process ends itself at each place of the matrix."""

    name = "kill points"
    dead_letters = frozenset({"lost_worker"})

    def inject(self, storm: Storm) -> None:
        self._left = set(TRAPS)
        while True:
            set_traps(TRAPS)
            storm.stage.wait_until(lambda: sprung() == set(TRAPS), READY_SECONDS)
            self._left -= sprung()
            if not storm.rages():
                return

    def heal(self, stage: Stage) -> None:
        clear_traps()

    def missed(self, storm: Storm) -> Iterator[str]:
        yield from (f"no worker came by {name!r}" for name in sorted(self._left))


class KilledBeat(Scenario):
    """Beat is killed again and again, and at times there are two."""

    name = "beat killed, two beats"

    def inject(self, storm: Storm) -> None:
        fleet = storm.stage.fleet
        fleet.add("second beat", "beat")
        while True:
            storm.pause(1.5, 3.0)
            fleet.members[storm.dice.choice([BEAT, "second beat"])].kill()
            if not storm.rages():
                return

    def heal(self, stage: Stage) -> None:
        stage.fleet.remove("second beat")


class RollingRestart(Scenario):
    """Each worker in turn is asked to stop, and started again: no attempt is lost by that."""

    name = "workers restarted"

    def inject(self, storm: Storm) -> None:
        while True:
            for name in WORKERS:
                storm.stage.fleet.restart(name)
            if not storm.rages():
                return
            storm.pause(2.0, 3.0)

    def missed(self, storm: Storm) -> Iterator[str]:
        attempts = SyncAttempt.objects.filter(run__account__in=storm.tenants.accounts)
        for attempt in attempts.filter(outcome=Outcome.LOST):
            yield f"run {attempt.run_id} lost the attempt that {attempt.worker} had begun"
