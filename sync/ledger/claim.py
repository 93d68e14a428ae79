"""Take the best due run of a queue.

Guarantee: the queue's row is locked while choosing, so over all workers and machines the order is
exact and never more runs are running than the queue has slots. The choosing is `sync_claim` in
`sync/migrations/sql/`: one index entry of the lanes, however much waits.
"""

from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection as database

from sync import prepared
from sync.ledger.loading import columns, take
from sync.models import Account, Connection, Credential, Lane, Plan, Queue, SyncRun
from sync.models.choices import RunState
from sync.prepared import Asked, Rows

BATCH = 200  # runs that ripen in one transaction: some tens of milliseconds during which claims wait

_CLAIM = "SELECT sync_claim(%(provider)s, %(region)s, %(worker)s, %(lease)s, %(token)s)"
_CLAIM_BEHIND = f"""
    {_CLAIM} WHERE EXISTS (
        SELECT FROM sync_syncattempt WHERE lease_token = %(behind)s AND outcome = 'succeeded')
"""
# A statement of its own: the claim may have waited for its turn, and what is loaded is to be as new as it.
_LOAD = f"""
    SELECT {columns(SyncRun, "run")}, {columns(Connection, "connection")},
        {columns(Credential, "credential")}, {columns(Account, "account")}, {columns(Plan, "plan")}
    FROM sync_syncattempt attempt
    JOIN sync_syncrun run ON run.id = attempt.run_id
    JOIN sync_connection connection ON connection.id = run.connection_id
    JOIN sync_credential credential ON credential.id = connection.credential_id
    JOIN sync_account account ON account.id = run.account_id
    LEFT JOIN sync_plan plan ON plan.id = account.plan_id
    WHERE attempt.lease_token = %(token)s
"""  # noqa: S608  (our own words)
_BETTER_WAITS = """
    SELECT EXISTS (
        SELECT FROM sync_lane lane JOIN sync_queue queue ON queue.id = lane.queue_id
        WHERE queue.provider = %(provider)s AND queue.region = %(region)s
          AND lane.head_at IS NOT NULL AND lane.rank < %(rank)s
          AND EXISTS (
              SELECT FROM sync_syncrun waits
              WHERE waits.provider = %(provider)s AND waits.region = %(region)s AND waits.kind = lane.kind
                AND waits.account_id = lane.account_id AND waits.rank = lane.rank
                AND waits.state = 'queued' AND NOT waits.is_held
                AND (waits.connection_id = %(connection)s OR queue.concurrency <= (
                    SELECT count(*) FROM sync_syncrun running WHERE running.provider = %(provider)s
                      AND running.region = %(region)s AND running.state = 'running') AND NOT EXISTS (
                    SELECT FROM sync_syncrun other
                    WHERE other.connection_id = waits.connection_id AND other.state = 'running'))))
"""


def claim(provider: str, region: str, *, worker: str) -> SyncRun | None:
    """The run that is to start now, leased to `worker`; None when nothing is due or no slot is free."""
    _, rows = prepared.together(*claiming(provider, region, worker=worker))
    return loaded(rows)


def claiming(provider: str, region: str, *, worker: str, behind: UUID | None = None) -> tuple[Asked, Asked]:
    """The statements of a claim, for one transaction; `loaded` makes a run of what the second returns.

    `behind` a lease, it is made only when that lease's run succeeded.
    """
    claim = _CLAIM_BEHIND if behind else _CLAIM
    lease = {"worker": worker, "lease": settings.LEASE, "token": uuid4()}
    return (claim, {"provider": provider, "region": region, "behind": behind, **lease}), (_LOAD, lease)


def loaded(rows: Rows) -> SyncRun | None:
    """The claimed run with all that executing it needs to know."""
    if not rows:
        return None
    values = iter(rows[0])
    run, connection = take(SyncRun, values), take(Connection, values)
    run.connection, connection.credential = connection, take(Credential, values)
    run.account = connection.account = take(Account, values)
    run.account.plan = take(Plan, values) if run.account.plan_id else None
    return run


def promote_due(provider: str, region: str) -> int:
    """Queue the deferred runs whose time has come, and let the patient ones rise. Returns how many became
    due.

    One that somebody else just holds (to join or to cancel it) is left to the next time: waiting for
    several, in no order, might end in a deadlock.
    """
    promoted = 0
    with database.cursor() as cursor:
        while True:
            cursor.execute("SELECT sync_ripen(%s, %s, %s)", [provider, region, BATCH])
            number: int = cursor.fetchone()[0]
            promoted += number
            if number < BATCH:
                return promoted


def slots_free(queue: Queue) -> int:
    """How many more runs of the queue may run now."""
    running = SyncRun.objects.filter(
        provider=queue.provider, region=queue.region, state=RunState.RUNNING
    ).count()
    return max(0, queue.concurrency - running)


def best_class_waiting(queue: Queue) -> int | None:
    """The class of the best run that may start, 0 the best; None when none may."""
    lanes = Lane.objects.filter(queue=queue, head_at__isnull=False)
    return lanes.order_by("rank").values_list("rank", flat=True).first()


def another_kind_waits(run: SyncRun) -> bool:
    """Whether the run's queue holds runs of other kinds that may start: they may call other endpoints."""
    lanes = Lane.objects.filter(queue__provider=run.provider, queue__region=run.region)
    return lanes.filter(head_at__isnull=False).exclude(kind=run.kind).exists()


def better_run_waits(run: SyncRun) -> bool:
    """Whether a running run should give way at the end of its chunk: a run of a better class waits, and
    either no slot is free or it is this very connection that it waits for."""
    values = {
        "rank": run.rank,
        "provider": run.provider,
        "region": run.region,
        "connection": run.connection_id,
    }
    [(waits,)] = prepared.fetch(_BETTER_WAITS, values)
    return bool(waits)


def mend_holds() -> int:
    """Release runs that a race left held; returns how many. Without it, nothing would start them."""
    with database.cursor() as cursor:
        cursor.execute("SELECT sync_mend_holds()")
        return int(cursor.fetchone()[0])
