"""What it costs to ask for the scheduled syncs, with few and many connections; together and one by one.

Run: `python -m benchmarks.schedule_scale [--connections 100000] [--due 1000] [--history 1000000]`. Two
databases, filled by SQL, asked in turn; the small one has a tenth of the connections and of the history, and
as many connections per tenant. As many are due in both; each has a run for its catalog and one for its
metrics. One by one is how a person's request is made, with all that joining needs.
"""

from datetime import timedelta
from functools import partial

from django.utils import timezone

from benchmarks.harness import rows
from benchmarks.harness.options import options
from benchmarks.harness.product import execute, ready_database, use_database
from benchmarks.harness.report import Report
from benchmarks.harness.rounds import Contender, interleave
from benchmarks.harness.timed import timed
from sync.ledger.request import Requested, request_sync
from sync.ledger.wishes import of_schedule
from sync.models import Connection, SyncRun
from sync.models.choices import RunState, Trigger
from sync.schedule.hourly import request_due

SMALL, LARGE = "adtiger_bench_schedule_small", "adtiger_bench_schedule_large"
PER_TENANT = 100  # connections
NO_TOKEN = "never-used"
# Evenly spread over the tenants, as the schedule spreads them.
DUE = """
    UPDATE sync_connection SET next_sync_at = now() - interval '1 second' WHERE id IN (
        SELECT id FROM sync_connection ORDER BY right(id::text, 12) LIMIT %(due)s)
"""
UNDO = """
    DELETE FROM sync_syncrun WHERE state = 'queued';
    DELETE FROM sync_syncrequest request
    WHERE NOT EXISTS (SELECT FROM sync_syncrun WHERE request_id = request.id);
    UPDATE sync_connection SET next_sync_at = now() + interval '1 hour' WHERE next_sync_at < now()
"""


def main() -> None:
    asked = options(__doc__, connections=(100_000, 200), due=(1_000, 20), history=(1_000_000, 400))
    report = Report("schedule_scale")
    for name, part in ((SMALL, 10), (LARGE, 1)):
        _fill(name, connections=asked.connections // part, history=asked.history // part)
    small, large = (f"together, of {asked.connections // part:,}" for part in (10, 1))
    alone = f"one by one, of {asked.connections:,}"
    contenders = [
        Contender(small, partial(_together, SMALL, asked.due)),
        Contender(large, partial(_together, LARGE, asked.due)),
        Contender(alone, partial(_one_by_one, LARGE, asked.due)),
    ]
    found = interleave(contenders, rounds=asked.rounds)
    report.compare_all(f"{asked.due:,} are due", found, bases=[small, alone])
    report.save()


def _fill(name: str, *, connections: int, history: int) -> None:
    ready_database(name)
    rows.empty(slots=2)
    ids = [f"act_{number}" for number in range(1, connections + 1)]
    rows.connections(ids, tenants=max(1, connections // PER_TENANT), secret=NO_TOKEN)
    rows.history(runs=history)


def _make_due(name: str, number: int) -> None:
    use_database(name)
    execute(UNDO)
    execute(DUE, {"due": number})
    execute("VACUUM ANALYZE sync_connection, sync_syncrun, sync_syncrequest")


def _together(name: str, number: int) -> dict[str, float]:
    _make_due(name, number)
    asked, took = timed(lambda: request_due(timezone.now()))
    assert asked.queued == number, asked
    return _each(took, number)


def _one_by_one(name: str, number: int) -> dict[str, float]:
    _make_due(name, number)
    due = list(Connection.objects.due(timezone.now()).select_related("account"))
    _, took = timed(lambda: [_ask(connection) for connection in due])
    return _each(took, number)


def _ask(connection: Connection) -> Requested:
    return request_sync(
        connection.account, [connection], trigger=Trigger.SCHEDULED, source="beat", wishes=of_schedule
    )


def _each(took: float, number: int) -> dict[str, float]:
    made = SyncRun.objects.filter(state=RunState.QUEUED, created_at__gt=timezone.now() - timedelta(hours=1))
    assert made.count() == 2 * number
    return {"ms a connection": took / number}


if __name__ == "__main__":
    main()
