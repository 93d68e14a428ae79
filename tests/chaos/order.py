"""Whether each claim took the run that was first: better classes before worse ones, older before younger.

Exact where the journal is: a run that another transaction was changing at that moment, or that a
requester held locked, may be passed over. Between the accounts of one class shares decide; those are
for the ledger's own tests.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.chaos.journal import Event

CLASSES = {1: 0, 5: 1, 10: 2}
MANUAL_PATIENCE, PATIENCE = 30.0, 600.0  # seconds until a waiting run rises a class: the settings' defaults
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

    def apply(self, event: Event) -> None:
        """One more change."""
        self.tables[event.source][str(event.row["id"])] = event.row

    def startable(self, queue: tuple[str, str], promoted: Iterable[Row]) -> Iterator[Row]:
        """What a claim of the queue may choose from, with what it found due itself."""
        runs = self.tables["sync_syncrun"] | {run["id"]: run for run in promoted}
        running = {run["connection_id"] for run in runs.values() if run["state"] == "running"}
        for run in runs.values():
            here = (run["provider"], run["region"]) == queue and run["state"] == "queued"
            if here and run["connection_id"] not in running and not self._is_held(run):
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
    committed = Rows()
    found, done = [], 0
    for claim in sorted((event for event in events if event.is_claim), key=lambda event: event.began):
        while events[done].committed < claim.began - VISIBLE:
            committed.apply(events[done])
            done += 1
        later = events[done:]
        unsure = _unsure(later, claim) | {
            lock.connection for lock in locks if lock.since <= claim.at and lock.until >= claim.began
        }
        promoted = [event.row for event in later if event.xid == claim.xid and event.number < claim.number]
        for run in committed.startable((claim.row["provider"], claim.row["region"]), promoted):
            is_sure = run["id"] != claim.row["id"] and unsure.isdisjoint(committed.keys(run))
            if is_sure and (why := _is_before(run, claim)):
                found.append(f"{claim.at:%H:%M:%S.%f}: run {claim.row['id']} was started before {why}")
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


def _is_before(run: Row, claim: Event) -> str:
    """Why the run was to start first, by the reading that is kindest to the claim; "" when it was not."""
    own, other = _class(claim.row, claim.at), _class(run, claim.began)
    if other < own:
        return f"{run['id']}, which is of a better class ({other} before {own})"
    same = {own, other, _class(claim.row, claim.began), _class(run, claim.at)} == {own}
    mine = run["account_id"] == claim.row["account_id"]
    if same and mine and run["queued_at"] < claim.row["queued_at"]:
        return f"{run['id']}, which is older, of the same account and class"
    return ""


def _class(run: Row, at: datetime) -> int:
    impatient = run["trigger"] == "manual" and run["priority"] != 5
    patience = MANUAL_PATIENCE if impatient else PATIENCE
    waited: float = max(0.0, (at - run["queued_at"]).total_seconds())
    risen = math.floor(waited / patience)
    return max(0, CLASSES[run["priority"]] - risen)
