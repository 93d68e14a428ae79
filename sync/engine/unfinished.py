"""How a start ends that did not copy all: each reason, and what is done about it.

Every way out is named after the platform error's next move: defer, retry, reconnect, give up. A deferral
uses no attempt.
"""

from datetime import UTC, datetime, timedelta

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Case, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.db.models.lookups import GreaterThan
from django.utils import timezone

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
from sync.engine.chunk import GaveWay
from sync.engine.error_rate import least_wait
from sync.engine.insights.copy import ReportsPrepared
from sync.engine.insights.ended import any_ended
from sync.ledger import finish
from sync.ledger.finish import Failure
from sync.ledger.lease import Lease
from sync.ledger.reports import let_start
from sync.models import Connection, Credential, SyncRun
from sync.models.choices import ConnectionStatus, DeferReason
from sync.models.credential import CredentialQuerySet

Later = BudgetSpent | CircuitOpen | GaveWay | LimitReached | ReportsPrepared
RETRIED = (*RETRYABLE, CursorExpired)
AGAIN = timedelta(seconds=0.25)  # a step of the hints for a moment to come


def defer(lease: Lease, exc: Later, *, calls: int) -> None:
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


def leave(run: SyncRun, lease: Lease, exc: ProviderError, *, calls: int) -> None:
    """Each kind of failure, and what is done about it."""
    if isinstance(exc, ReconnectNeeded):
        _used_grant(run.connection).lose()
        finish.give_back(lease, message=str(exc), calls=calls)
        return
    if isinstance(exc, AccessDenied):
        _mark_denied(run.connection)
    finish.fail(lease, _failure(exc)._replace(held_back=least_wait(run)), calls=calls)


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


def misconfigured(exc: ImproperlyConfigured) -> Failure:
    """Waiting does not help; a person has to mend the settings and run it again."""
    return Failure(Category.API_ERROR, "misconfigured", str(exc), is_retryable=False)


def defect(exc: Exception) -> Failure:
    """Only the kind of error: its text may hold data. The log has the traceback."""
    return Failure(
        category=Category.UNKNOWN,
        code="defect",
        message=f"AdTiger failed itself ({type(exc).__name__}). The worker's log tells where.",
        is_retryable=True,
    )
