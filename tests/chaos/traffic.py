"""People and schedules who go on asking, whatever is broken: one thread, thrown by seeded dice.

It remembers what it was answered, for the judge: what was accepted, what it cancelled, what it edited.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils import timezone

from providers.sandbox.process import Sandbox
from sync.errors import AlreadySyncing
from sync.ledger.cancel import cancel
from sync.ledger.pause import PausableRow, pause, resume
from sync.ledger.replay import replay
from sync.ledger.request import request_sync
from sync.ledger.scope import Scope
from sync.ledger.wishes import Wish, Wishes, of_schedule, only
from sync.models import Ad, Campaign, Connection, Queue, SyncRun
from sync.models.choices import Kind, Mode, Trigger
from tests.chaos.tenants import Tenants

AWAY = (OperationalError, InterfaceError)  # what a caller gets while PostgreSQL is away: no promise was made
CHANGES = Wish(Kind.CAMPAIGNS, Scope(Mode.INCREMENTAL))
NAME = "traffic"
PAUSE_SECONDS = (0.3, 1.5)  # how long something stays paused
RHYTHM = (0.01, 0.1)  # seconds between two actions
VANISHING = 0.3  # of the edits
STOP_SECONDS = 60  # an action waits for a server that is away for some seconds


@dataclass
class Told:
    """What the traffic did, and what it was answered."""

    requests: set[UUID] = field(default_factory=set)  # accepted: each has to end
    cancelled: set[UUID] = field(default_factory=set)  # runs
    replayed: set[UUID] = field(default_factory=set)  # dead letters that it sent back
    edited: set[UUID] = field(default_factory=set)  # connections
    locks: list[tuple[UUID, datetime, datetime]] = field(default_factory=list)  # connections held, from, to
    refused: int = 0  # the database was away
    deadlocks: list[str] = field(default_factory=list)


class Traffic(threading.Thread):
    """Asks, joins, cancels, pauses, replays and edits until it is stopped, and leaves nothing paused."""

    def __init__(self, sandbox: Sandbox, tenants: Tenants, dice: random.Random) -> None:
        super().__init__(name="traffic", daemon=True)
        self.told = Told()
        self._sandbox = sandbox
        self._tenants = tenants
        self._dice = dice
        self._vanished: set[str] = set()
        self._paused: list[tuple[float, PausableRow]] = []
        self._stopped = threading.Event()
        self._broken: BaseException | None = None
        self._actions: list[tuple[int, Callable[[Connection], None]]] = [
            (50, self._ask),
            (15, self._schedule),
            (15, self._let_be_due),
            (5, self._cancel),
            (5, self._pause),
            (10, self._edit),
            (5, self._replay),
        ]

    def run(self) -> None:
        try:
            while not self._stopped.wait(self._dice.uniform(*RHYTHM)):
                self._act()
            while self._paused:
                self._try(lambda: self._resume(everything=True))
        except Exception as exc:  # noqa: BLE001  (handed to whoever stops the traffic)
            self._broken = exc
        finally:
            connection.close()

    def stop(self) -> None:
        """Returns when the last action has ended."""
        self._stopped.set()
        self.join(STOP_SECONDS)
        if self._broken is not None:
            raise RuntimeError("the traffic broke") from self._broken

    def ask(self, connections: list[Connection], trigger: Trigger, wishes: Wishes | None = None) -> None:
        """One request, of a full pass unless it wishes for something else; an answer that everything runs
        already is none to wait for."""
        account = connections[0].account
        began = timezone.now()
        try:
            asked = request_sync(account, connections, trigger=trigger, source="api", wishes=wishes)
        except AlreadySyncing:
            pass
        else:
            self.told.requests.add(asked.request.pk)
        finally:
            self.told.locks += [(one.pk, began, timezone.now()) for one in connections]

    def _act(self) -> None:
        weights, actions = zip(*self._actions, strict=True)
        action = self._dice.choices(actions, weights)[0]
        one = self._dice.choice(self._tenants.connections)
        self._try(self._resume)
        self._try(lambda: action(one))

    def _try(self, action: Callable[[], None]) -> None:
        close_old_connections()
        try:
            action()
        except AWAY as exc:
            self.told.refused += 1
            if "deadlock" in str(exc):
                self.told.deadlocks.append(str(exc))
            connection.close()

    def _ask(self, one: Connection) -> None:
        """For everything, for what changed, or for a campaign at once."""
        campaigns = Campaign.objects.filter(connection=one).order_by("external_id")
        ids = list(campaigns.values_list("external_id", flat=True)[:10])
        chosen = [Wish(Kind.ADS, Scope(campaign_ids=(self._dice.choice(ids),)))] if ids else []
        wish = self._dice.choice([Wish(Kind.CAMPAIGNS), CHANGES, CHANGES, *chosen])
        self.ask([one], Trigger.MANUAL, only(wish))

    def _schedule(self, one: Connection) -> None:
        self.ask([one], Trigger.SCHEDULED, of_schedule)

    def _let_be_due(self, one: Connection) -> None:
        """Beat asks for it."""
        Connection.objects.filter(pk=one.pk).update(next_sync_at=timezone.now())

    def _cancel(self, one: Connection) -> None:
        runs = SyncRun.objects.filter(connection=one)
        self.told.cancelled |= set(
            runs.open().values_list("pk", flat=True)
        )  # before, for the answer may be lost
        cancel(runs, by=NAME, reason="chaos")

    def _pause(self, one: Connection) -> None:
        queue = Queue.objects.filter(provider=one.provider).first()
        chosen = self._dice.choice([one, one.account, queue or one])
        until = time.monotonic() + self._dice.uniform(*PAUSE_SECONDS)
        self._paused.append((until, chosen))
        pause(chosen, by=NAME)

    def _resume(self, *, everything: bool = False) -> None:
        now = time.monotonic()
        for until, row in list(self._paused):
            if everything or until < now:
                resume(row, by=NAME)
                self._paused.remove((until, row))

    def _replay(self, one: Connection) -> None:
        dead = SyncRun.objects.filter(connection=one).dead_letters().order_by("finished_at").first()
        if dead is not None:
            self.told.replayed.add(dead.pk)
            replay(dead.pk, by=NAME)

    def _edit(self, one: Connection) -> None:
        """At the platform, as its users do; now and then something vanishes there."""
        self.told.edited.add(one.pk)
        self._sandbox.control(
            "random-edits",
            platform=one.provider,
            account=one.external_id,
            count=3,
            seed=self._dice.getrandbits(32),
        )
        if self._dice.random() < VANISHING:
            self._let_vanish(one)

    def _let_vanish(self, one: Connection) -> None:
        ads = Ad.objects.filter(connection=one, removed_at=None).exclude(external_id__in=self._vanished)
        ids = list(ads.order_by("external_id").values_list("external_id", flat=True)[:50])
        if ids:
            chosen = self._dice.choice(ids)
            self._vanished.add(chosen)
            self._sandbox.control(
                "remove", platform=one.provider, account=one.external_id, id=chosen, vanish=True
            )
