"""Whether each claim took the run that was first: the better class, then in turn of accounts, then the older.

Exact where the journal is: a run that another transaction was changing at that moment, or that a
requester held locked, may be passed over.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.chaos.journal import Event

CLASSES = {1: 0, 5: 1, 10: 2}
MANUAL_PATIENCE, PATIENCE = 30.0, 600.0  # seconds until a waiting run rises a class: the settings' defaults
LAG = timedelta(seconds=5)  # within which a waiting run rises, and a hold that a race missed is mended
MOST_TURNS = 3  # of one account while another waits: two by the shares, and one where ages decide a draw
VISIBLE = timedelta(seconds=0.2)  # a commit is seen by others a moment after its time, on a busy machine
Row = dict[str, Any]


class Lock(NamedTuple):
    """A requester may have held the runs of a connection."""

    connection: str
    since: datetime
    until: datetime


@dataclass
class Rows:
    """The rows as the committed transactions left them."""

    tables: dict[str, dict[str, Row]] = field(default_factory=lambda: defaultdict(dict))
    since: dict[str, datetime] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        """One more change."""
        name = str(event.row["id"])
        self.tables[event.source][name] = event.row
        self.since[name] = event.committed

    def is_settled(self, run: Row, claim: Event) -> bool:
        """Nothing was changed of it for longer than upkeep takes."""
        since = self.since.get(run["id"])
        return since is not None and since < claim.began - LAG

    def startable(self, claim: Event, promoted: Iterable[Row]) -> Iterator[Row]:
        """What the claim may choose from, with what it found due itself."""
        queue = claim.row["provider"], claim.row["region"]
        runs = self.tables["sync_syncrun"] | {run["id"]: run for run in promoted}
        running = {run["connection_id"] for run in runs.values() if run["state"] == "running"}
        for run in runs.values():
            here = (run["provider"], run["region"]) == queue and run["state"] == "queued"
            if not here or run["connection_id"] in running or self._is_held(run):
                continue
            if not run["is_held"] or self.is_settled(run, claim):
                yield run

    def keys(self, run: Row) -> set[str]:
        """Whose changes decide whether the run may start."""
        connection = self.tables["sync_connection"][run["connection_id"]]
        return {run["connection_id"], run["account_id"], connection["credential_id"]}

    def _is_held(self, run: Row) -> bool:
        connection = self.tables["sync_connection"][run["connection_id"]]
        credential = self.tables["sync_credential"][connection["credential_id"]]
        account = self.tables["sync_account"][run["account_id"]]
        active = connection["status"] == credential["status"] == "active"
        return not active or bool(connection["paused_at"] or account["paused_at"])


def violations(events: list[Event], locks: Iterable[Lock]) -> list[str]:
    """One sentence for each claim that passed over a run which was before its own."""
    locks = list(locks)
    committed, turns = Rows(), Turns()
    found, done = [], 0
    for claim in sorted((event for event in events if event.is_claim), key=lambda event: event.began):
        while events[done].committed < claim.began - VISIBLE:
            committed.apply(events[done])
            done += 1
        waited = list(_surely_waited(committed, claim, events[done:], locks))
        reasons = [why for run in waited if (why := _is_before(run, claim, committed))]
        reasons += turns.unfair(waited, claim)
        found += [
            f"{claim.at:%H:%M:%S.%f}: run {claim.row['id']} was started before {why}" for why in reasons
        ]
    return found


def _surely_waited(rows: Rows, claim: Event, later: list[Event], locks: list[Lock]) -> Iterator[Row]:
    """The other runs that the claim could have taken, whatever was being written at that moment."""
    unsure = _unsure(later, claim) | {
        lock.connection for lock in locks if lock.since <= claim.at and lock.until >= claim.began
    }
    promoted = [event.row for event in later if event.xid == claim.xid and event.number < claim.number]
    for run in rows.startable(claim, promoted):
        if run["id"] != claim.row["id"] and unsure.isdisjoint(rows.keys(run)):
            yield run


@dataclass
class Turns:
    """How often other accounts had their turn while one waited, by its queue and class.

    An account's next start is at most one turn behind the last one started, so none gets three turns
    before another that waits; all weights are 1 in chaos.
    """

    passed: dict[tuple[str, str, str], Counter[str]] = field(default_factory=dict)

    def unfair(self, waited: Iterable[Row], claim: Event) -> list[str]:
        """The accounts that had to wait for too many turns of the claim's account."""
        queue, favoured = (claim.row["provider"], claim.row["region"]), claim.row["account_id"]
        waiting = {run["account_id"] for run in waited if run["rank"] == claim.row["rank"]} - {favoured}
        kept = {key: turns for key, turns in self.passed.items() if key[:2] != queue or key[2] in waiting}
        self.passed = kept
        found = []
        for account in waiting:
            turns = self.passed.setdefault((*queue, account), Counter())
            turns[favoured] += 1
            if turns[favoured] > MOST_TURNS:
                found.append(
                    f"any of account {account}, in the {turns[favoured]}th turn of {favoured} meanwhile"
                )
        return found


def slots_exceeded(events: Iterable[Event]) -> Iterator[str]:
    """Each claim that made more runs of a queue running than it has slots."""
    rows = Rows()
    for event in events:
        rows.apply(event)
        if not event.is_claim:
            continue
        where = event.row["provider"], event.row["region"]
        running = sum(
            run["state"] == "running" and (run["provider"], run["region"]) == where
            for run in rows.tables["sync_syncrun"].values()
        )
        slots = next(
            queue["concurrency"]
            for queue in rows.tables["sync_queue"].values()
            if (queue["provider"], queue["region"]) == where
        )
        if running > slots:
            yield f"{event.at:%H:%M:%S.%f}: {running} runs of {where[0]} were running in {slots} slots"


def _unsure(later: Iterable[Event], claim: Event) -> set[str]:
    """Connections, accounts and credentials of which other transactions held a row at that moment."""
    return {
        str(event.row["connection_id" if event.source == "sync_syncrun" else "id"])
        for event in later
        if event.began <= claim.at and event.xid != claim.xid
    }


def _is_before(run: Row, claim: Event, rows: Rows) -> str:
    """Why the run was to start first; "" when it was not."""
    own, other = claim.row["rank"], run["rank"]
    if other < own:
        return f"{run['id']}, which is of a better class ({other} before {own})"
    if rows.is_settled(run, claim) and _risen(run, claim.began - LAG) < min(own, other):
        return f"{run['id']}, which waited past its patience and is still of class {other}"
    is_sibling = run["account_id"] == claim.row["account_id"] and other == own
    if is_sibling and run["queued_at"] < claim.row["queued_at"]:
        return f"{run['id']}, which is older, of the same account and class"
    return ""


def _risen(run: Row, at: datetime) -> int:
    """The class that a run's patience gives it by then, 0 the best."""
    impatient = run["trigger"] == "manual" and run["priority"] != 5
    patience = MANUAL_PATIENCE if impatient else PATIENCE
    waited: float = max(0.0, (at - run["queued_at"]).total_seconds())
    risen = math.floor(waited / patience)
    return max(0, CLASSES[run["priority"]] - risen)
