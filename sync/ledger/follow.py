"""End a run and start the next one in one step: one round trip, one commit.

Guarantee: both or none, and the next one only when the first succeeded under its lease. Locks are taken in
the order of all: the ended run's connection, the queue, the run, the next run, its lanes.
"""

from sync import prepared
from sync.ledger.claim import claiming, loaded
from sync.ledger.finish import Success, records_of, succeeding
from sync.ledger.lease import Lease
from sync.models import SyncRun


def succeed_and_claim(run: SyncRun, lease: Lease, success: Success) -> tuple[int, SyncRun | None]:
    """`succeed`, and `claim` from the same queue for the same worker."""
    end = succeeding(lease, success, queue_of=run)
    claim = claiming(run.provider, run.region, worker=run.worker, behind=lease.token)
    ended, _, rows = prepared.together(end, *claim)
    return records_of(lease, ended), loaded(rows)
