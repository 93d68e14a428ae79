"""Valkey and PostgreSQL go away, forget, or become slow."""

import signal

from tests.chaos.scenario import Scenario, Storm
from tests.chaos.stage import Stage

SLOW = 0.25  # seconds each way: half a second for an answer


class KilledValkey(Scenario):
    """It is killed, and comes back with what it had written down, or with nothing."""

    name = "Valkey killed, emptied"

    def inject(self, storm: Storm) -> None:
        servers = storm.stage.servers
        for empty in (False, True):
            servers.kill_valkey()
            storm.pause(1.0, 2.0)
            servers.start_valkey(empty=empty)
            storm.pause(1.0, 2.0)


class FlushedValkey(Scenario):
    """FLUSHALL, again and again."""

    name = "Valkey flushed"

    def inject(self, storm: Storm) -> None:
        while True:
            storm.pause(0.5, 2.0)
            storm.stage.servers.flush_valkey()
            if not storm.rages():
                return


class SlowValkey(Scenario):
    """Every answer takes half a second."""

    name = "Valkey slow"

    def inject(self, storm: Storm) -> None:
        storm.stage.servers.relay.delay = SLOW
        while storm.rages():
            storm.pause(0.5, 1.0)

    def heal(self, stage: Stage) -> None:
        stage.servers.relay.delay = 0


class RestartedPostgres(Scenario):
    """In good order, and as in a crash."""

    name = "PostgreSQL restarted"
    dead_letters = frozenset({"lost_worker"})  # to the ledger a run that can't be written is a lost one

    def inject(self, storm: Storm) -> None:
        for sign in (signal.SIGINT, signal.SIGQUIT):
            storm.stage.servers.stop_postgres(sign)
            storm.pause(0.5, 1.5)
            storm.stage.servers.start_postgres()
            storm.pause(1.5, 2.5)


class TerminatedConnections(Scenario):
    """All sessions end, whatever they are doing."""

    name = "PostgreSQL sessions ended"
    dead_letters = frozenset({"lost_worker"})

    def inject(self, storm: Storm) -> None:
        while True:
            storm.pause(0.7, 2.0)
            storm.stage.servers.terminate_connections()
            if not storm.rages():
                return


class ExhaustedConnections(Scenario):
    """Nobody gets a new session; those who have one keep it, or lose it and get no other."""

    name = "PostgreSQL full"
    dead_letters = frozenset({"lost_worker"})

    def inject(self, storm: Storm) -> None:
        while True:
            storm.stage.servers.terminate_connections()
            with storm.stage.servers.exhausted_postgres():
                storm.pause(1.5, 3.0)
            storm.pause(1.0, 2.0)
            if not storm.rages():
                return
