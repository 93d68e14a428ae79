"""One start of a run, from claim to the state it is left in.

What is left is told in `sync.engine.unfinished`. Whatever escapes here is a defect of ours, and uses an
attempt.
"""

from collections.abc import Callable
from contextlib import nullcontext

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, transaction

from providers.base import Client
from providers.budget import BudgetGate
from providers.errors import (
    BudgetSpent,
    CircuitOpen,
    LimitReached,
    ProviderError,
)
from sync import prepared
from sync.engine.authors import name_authors
from sync.engine.checks import discrepancies
from sync.engine.chunk import CancelRequested, GaveWay
from sync.engine.copy import copy
from sync.engine.drift import counting_drift
from sync.engine.heartbeat import Heartbeat
from sync.engine.insights.copy import ReportsPrepared, copy_insights
from sync.engine.plan import chosen, read_until
from sync.engine.platform import heeding, open_client
from sync.engine.stopping import WorkerStops
from sync.engine.turn import Turn
from sync.engine.unfinished import defect, defer, leave, misconfigured
from sync.engine.unknown import counting_unknown
from sync.ledger import finish
from sync.ledger.finish import Success
from sync.ledger.follow import succeed_and_claim
from sync.ledger.lease import Lease, LeaseLost
from sync.models import SyncRun
from sync.models.choices import Kind, Mode, RunState

logger = structlog.get_logger(__name__)

LEFT = """
    SELECT state, available_at, defer_reason, waiting_for,
        campaigns_count + ad_groups_count + ads_count + insights_count
    FROM sync_syncrun WHERE id = %(run)s
"""


def never() -> bool:
    """For `execute`: no further run is wanted."""
    return False


def execute(run: SyncRun, *, goes_on: Callable[[], bool] = never) -> SyncRun | None:
    """Do what the run asks for, as far as budget and platform allow, and leave it in a state.

    Where it succeeds and the worker `goes_on` then, returns its queue's next run, claimed in the same step.
    """
    lease = Lease.of(run)
    following = None
    with structlog.contextvars.bound_contextvars(run=str(run.pk), connection=str(run.connection_id)):
        logger.info("run started", provider=run.provider, worker=run.worker)
        try:
            with Heartbeat(lease):
                following = _attempt(run, lease, goes_on)
        except LeaseLost:
            logger.warning("run left to its new owner")
        else:
            if run.state == RunState.RUNNING:  # it did not succeed
                _look_at_what_was_left(run)
    return following


def _look_at_what_was_left(run: SyncRun) -> None:
    """The drain asks why it waits, and when it is due again."""
    [(*left, records)] = prepared.fetch(LEFT, {"run": run.pk})
    run.state, run.available_at, run.defer_reason, run.waiting_for = left
    _tell(run, records)


def _tell(run: SyncRun, records: int) -> None:
    logger.info("run left", state=run.state, records=records, reason=run.waiting_for)


def _attempt(run: SyncRun, lease: Lease, goes_on: Callable[[], bool]) -> SyncRun | None:
    try:
        client, gate = open_client(run)
    except ImproperlyConfigured as exc:
        finish.fail(lease, misconfigured(exc), calls=0)
        return None
    try:
        return _work(run, lease, client, gate, goes_on)
    except (LeaseLost, OperationalError, InterfaceError):
        raise  # nothing can be written: the lease runs out and the run is taken back
    except Exception as exc:
        # the task boundary, for what fails in the way out as well: a run is always left in a state
        logger.exception("run failed by a defect")
        finish.fail(lease, defect(exc), calls=client.calls)
    return None


def _work(
    run: SyncRun, lease: Lease, client: Client, gate: BudgetGate, goes_on: Callable[[], bool]
) -> SyncRun | None:
    turn = Turn(run, lease, client)
    try:
        with counting_unknown(run.provider), counting_drift(run.provider), heeding(gate):
            _copy(turn)
    except CancelRequested:
        finish.cancel_running(lease, calls=client.calls)
    except WorkerStops:
        finish.give_back(lease, message="Its worker was stopped.", calls=client.calls)
    except (BudgetSpent, CircuitOpen, GaveWay, LimitReached, ReportsPrepared) as exc:
        defer(lease, exc, calls=client.calls)
    except ProviderError as exc:
        leave(run, lease, exc, calls=client.calls)
    else:
        return _succeed(turn, calls=client.calls, goes_on=goes_on)
    return None


def _copy(turn: Turn) -> None:
    if turn.run.kind == Kind.INSIGHTS:
        copy_insights(turn)
    else:
        copy(turn)
        name_authors(turn)


def _succeed(turn: Turn, *, calls: int, goes_on: Callable[[], bool] = never) -> SyncRun | None:
    run, lease = turn.run, turn.lease
    read_all = run.kind == Kind.CAMPAIGNS and chosen(run).is_all
    success = Success(
        calls,
        is_full=read_all and run.mode == Mode.FULL,
        read_until=read_until(run) if read_all else None,
        authors_since=turn.authors_since,
    )
    following = None
    # what the account told differently is the connection's and the run's, or nobody's
    with transaction.atomic() if turn.account else nullcontext():
        success = success._replace(discrepancies=discrepancies(turn))  # which may take a second
        if goes_on():
            records, following = succeed_and_claim(run, lease, success)
        else:
            records = finish.succeed(lease, success)
    run.state, run.available_at, run.defer_reason, run.waiting_for = RunState.SUCCEEDED, None, "", ""
    _tell(run, records)
    return following
