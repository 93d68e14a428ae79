"""Ask for syncs: the one way in, for the API, the admin, the commands, cron and the beat.

Guarantee: no second run where one covers the request, whoever else asks at the same moment (the
connection's row is locked), and no hint for a row that was rolled back.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from sync.errors import AlreadySyncing
from sync.ledger.manual_limit import check_manual_limit
from sync.ledger.nudge import nudge
from sync.ledger.queues import ensure_queue
from sync.ledger.scope import Ask, Scope, covers, join, touches
from sync.models import Account, Connection, SyncRequest, SyncRun
from sync.models.choices import Kind, Priority, RunState, Trigger

EVERYTHING = Scope()


@dataclass(frozen=True)
class Skipped:
    """A connection that got no run, for one that covers the request is open."""

    connection: Connection
    run: SyncRun


@dataclass
class Requested:
    """What became of a request: the runs it made, those it joined, those that needed nothing."""

    request: SyncRequest
    made: list[SyncRun] = field(default_factory=list)
    joined: list[SyncRun] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def runs(self) -> list[SyncRun]:
        """All runs whose end answers the request."""
        return [*self.made, *self.joined]


def request_sync(
    account: Account,
    connections: Iterable[Connection],
    *,
    trigger: Trigger,
    source: str,
    requested_by: AbstractBaseUser | None = None,
    kind: Kind = Kind.CAMPAIGNS,
    scope: Scope = EVERYTHING,
    limited: bool = False,
    priority: Priority | None = None,
) -> Requested:
    """Make or join one run per connection, and nudge the workers once that is committed.

    `source` names the way in (api, admin, command, beat, cron). `limited` counts the request
    against the account's manual syncs of an hour. Raises `AlreadySyncing` when every connection has
    a run that covers a manual request, and `ManualLimitReached`; then nothing was changed.
    """
    by_trigger = Priority.MANUAL if trigger == Trigger.MANUAL else Priority.SCHEDULED
    ask = Ask(trigger, kind, priority or by_trigger, scope)
    with transaction.atomic():
        # the account's row makes its manual limit exact; the connections' rows make joining exact
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        request = SyncRequest.objects.create(
            account=account,
            trigger=trigger,
            source=source,
            requested_by=requested_by,  # type: ignore[misc]
        )
        result = Requested(request)
        locked = _locked(connections)
        _lock_runs(locked, ask.kind)
        for connection in locked:
            _place(result, connection, ask)
        if not result.runs:
            request.delete()
        elif limited and result.made:
            check_manual_limit(account)
        for queue in {(run.provider, run.region) for run in result.runs}:
            transaction.on_commit(partial(nudge, *queue, priority=ask.priority))
    if not result.runs:
        raise _already_syncing(result)  # outside, for a running run that covers it kept its new class
    return result


def _locked(connections: Iterable[Connection]) -> list[Connection]:
    """Lock in the order of ids, so that two requests can't wait for each other."""
    ids = [connection.pk for connection in connections]
    return list(Connection.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True))


def _lock_runs(connections: list[Connection], kind: Kind) -> None:
    """All before the first is changed: its lane is locked then, for which the holder of the next may wait."""
    open_runs = SyncRun.objects.filter(connection__in=connections, kind=kind).open()
    list(open_runs.order_by("connection_id", "pk").select_for_update(of=("self",)).values_list("pk"))


def _place(result: Requested, connection: Connection, ask: Ask) -> None:
    """Join a waiting run, note a running one that covers the request, or make a run."""
    same_kind = SyncRun.objects.filter(connection=connection, kind=ask.kind).select_for_update()
    waits = (run for run in same_kind.waiting().order_by("created_at") if touches(run, ask))
    waiting = next(waits, None)
    if waiting is not None:
        if covers(waiting, ask) and waiting.priority <= ask.priority and ask.trigger == Trigger.MANUAL:
            result.skipped.append(Skipped(connection, waiting))
        else:
            result.joined.append(join(result.request, waiting, ask))
        return
    running = same_kind.running().filter(cancel_requested_at=None).first()
    if running is not None and covers(running, ask):
        SyncRun.objects.filter(pk=running.pk, priority__gt=ask.priority).update(priority=ask.priority)
        result.skipped.append(Skipped(connection, running))
        return
    result.made.append(_make(result.request, connection, ask))


def _make(request: SyncRequest, connection: Connection, ask: Ask) -> SyncRun:
    ensure_queue(connection.provider, connection.region)
    return SyncRun.objects.create(
        account_id=connection.account_id,
        connection=connection,
        request=request,
        provider=connection.provider,
        region=connection.region,
        trigger=ask.trigger,
        priority=ask.priority,
        state=RunState.QUEUED,
        queued_at=timezone.now(),
        max_attempts=settings.MAX_ATTEMPTS,
        kind=ask.kind,
        **ask.scope.columns(),
    )


def _already_syncing(result: Requested) -> AlreadySyncing:
    run = result.skipped[0].run
    doing = "running" if run.state == RunState.RUNNING else "waiting for its turn"
    return AlreadySyncing(
        f"A sync that covers this is already {doing}. Follow it under its id, or wait until it has ended.",
        run_id=str(run.pk),
        request_id=str(run.request_id),
    )
