"""One start of a run, from claim to the state it is left in.

Every way out is named after the platform error's next move: defer, retry, reconnect, give up. A
deferral uses no attempt. Whatever escapes here is a defect of ours, and uses one.
"""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Case, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from providers.base import Client
from providers.budget import BudgetGate
from providers.budget.gate import LONGEST_PARK
from providers.errors import (
    RETRYABLE,
    AccessDenied,
    BudgetSpent,
    Category,
    CircuitOpen,
    CursorExpired,
    LimitReached,
    ProviderError,
    ReconnectNeeded,
)
from sync import prepared
from sync.engine.authors import name_authors
from sync.engine.checks import discrepancies
from sync.engine.chunk import CancelRequested, GaveWay
from sync.engine.copy import copy
from sync.engine.drift import counting_drift
from sync.engine.error_rate import least_wait
from sync.engine.heartbeat import Heartbeat
from sync.engine.insights.copy import ReportsPrepared, copy_insights
from sync.engine.insights.ended import any_ended
from sync.engine.plan import chosen, read_until
from sync.engine.platform import heeding, open_client
from sync.engine.stopping import WorkerStops
from sync.engine.turn import Turn
from sync.engine.unknown import counting_unknown
from sync.ledger import finish
from sync.ledger.finish import Failure, Success
from sync.ledger.follow import succeed_and_claim
from sync.ledger.lease import Lease, LeaseLost
from sync.ledger.reports import let_start
from sync.models import Connection, Credential, SyncRun
from sync.models.choices import ConnectionStatus, DeferReason, Kind, Mode, RunState
from sync.models.credential import CredentialQuerySet

logger = structlog.get_logger(__name__)

Later = BudgetSpent | CircuitOpen | GaveWay | LimitReached | ReportsPrepared
RETRIED = (*RETRYABLE, CursorExpired)
AGAIN = timedelta(seconds=0.25)  # a step of the hints for a moment to come
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
        finish.fail(lease, _misconfigured(exc), calls=0)
        return None
    try:
        return _work(run, lease, client, gate, goes_on)
    except (LeaseLost, OperationalError, InterfaceError):
        raise  # nothing can be written: the lease runs out and the run is taken back
    except Exception as exc:
        # the task boundary, for what fails in the way out as well: a run is always left in a state
        logger.exception("run failed by a defect")
        finish.fail(lease, _defect(exc), calls=client.calls)
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
        _defer(lease, exc, calls=client.calls)
    except ProviderError as exc:
        _leave(run, lease, exc, calls=client.calls)
    else:
        return _succeed(turn, calls=client.calls, goes_on=goes_on)
    return None


def _copy(turn: Turn) -> None:
    if turn.run.kind == Kind.INSIGHTS:
        copy_insights(turn)
    else:
        copy(turn)
        name_authors(turn)


def _defer(lease: Lease, exc: Later, *, calls: int) -> None:
    """Each reason to come back later that is nobody's failure."""
    until: datetime | Combinable
    match exc:
        case BudgetSpent():
            until, reason = _by_our_clock(exc.retry_at), DeferReason.BUDGET
        case CircuitOpen():
            until, reason = _by_our_clock(exc.retry_at), DeferReason.OUTAGE
        case LimitReached():
            wait = timedelta(seconds=min(exc.retry_after, LONGEST_PARK))
            until, reason = timezone.now() + wait, DeferReason.BUDGET
        case GaveWay():
            until, reason = timezone.now(), DeferReason.GAVE_WAY
        case ReportsPrepared():
            until, reason = Now() + exc.wait, DeferReason.REPORT
    keeps_age = isinstance(exc, GaveWay) and exc.keeps_age
    finish.defer(
        lease,
        until=until,
        reason=reason,
        waiting_for=str(exc),
        calls=calls,
        keeps_age=keeps_age,
        report_ids=exc.report_ids if isinstance(exc, ReportsPrepared) else (),
    )
    if isinstance(exc, ReportsPrepared) and any_ended(exc.report_ids):
        let_start(exc.report_ids)  # its hook came before the run was seen to wait for it


def _by_our_clock(retry_at: float) -> Combinable:
    """A moment by the budgets' server. Where it is over by the database's clock, which is ahead then, the run
    would be refused again, as often as it can be started."""
    until = Value(datetime.fromtimestamp(retry_at, UTC))
    return Case(When(GreaterThan(until, Now()), then=until), default=Now() + AGAIN)


def _leave(run: SyncRun, lease: Lease, exc: ProviderError, *, calls: int) -> None:
    """Each kind of failure, and what is done about it."""
    if isinstance(exc, ReconnectNeeded):
        _used_grant(run.connection).lose()
        finish.give_back(lease, message=str(exc), calls=calls)
        return
    if isinstance(exc, AccessDenied):
        _mark_denied(run.connection)
    finish.fail(lease, _failure(exc)._replace(held_back=least_wait(run)), calls=calls)


def _succeed(turn: Turn, *, calls: int, goes_on: Callable[[], bool] = never) -> SyncRun | None:
    run, lease = turn.run, turn.lease
    read_all = run.kind == Kind.CAMPAIGNS and chosen(run).is_all
    success = Success(
        calls, is_full=read_all and run.mode == Mode.FULL, read_until=read_until(run) if read_all else None
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


def _used_grant(connection: Connection) -> CredentialQuerySet:
    """The credential, unless its user gave a new grant since the run started: then nothing is known of it."""
    used = connection.credential
    return Credential.objects.filter(pk=used.pk, secret_encrypted=used.secret_encrypted)


def _mark_denied(connection: Connection) -> None:
    """Stop this ad account's schedule; its neighbours at the same credential go on."""
    Connection.objects.filter(pk=connection.pk, credential__in=_used_grant(connection)).update(
        status=ConnectionStatus.ACCESS_DENIED
    )


def _failure(exc: ProviderError) -> Failure:
    return Failure(
        category=exc.category,
        code=exc.code,
        message=str(exc),
        is_retryable=isinstance(exc, RETRIED) or exc.category == Category.UNKNOWN,
        platform_code=exc.platform_code,
        trace_id=exc.trace_id,
    )


def _misconfigured(exc: ImproperlyConfigured) -> Failure:
    """Waiting does not help; a person has to mend the settings and run it again."""
    return Failure(Category.API_ERROR, "misconfigured", str(exc), is_retryable=False)


def _defect(exc: Exception) -> Failure:
    """Only the kind of error: its text may hold data. The log has the traceback."""
    return Failure(
        category=Category.UNKNOWN,
        code="defect",
        message=f"AdTiger failed itself ({type(exc).__name__}). The worker's log tells where.",
        is_retryable=True,
    )
