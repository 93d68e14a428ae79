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
from sync.ledger.wishes import Wish, Wishes, only
from sync.models import Account, Connection, SyncRequest, SyncRun
from sync.models.choices import Kind, Priority, RunState, Trigger

EVERYTHING = Scope()


@dataclass(frozen=True)
class Skipped:
    """A wish that got no run of its own, for one that covers it is open."""

    connection: Connection
    run: SyncRun


@dataclass
class Requested:
    """What became of a request: the runs it made, those it joined, the wishes that needed nothing."""

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
    wishes: Wishes | None = None,
    limited: bool = False,
    priority: Priority | None = None,
) -> Requested:
    """Make or join one run per connection, and nudge the workers once that is committed.

    `wishes` asks for several runs of each connection, in the place of `kind` and `scope`: all or none.
    `source` names the way in (api, admin, command, beat, cron). `limited` counts the request
    against the account's manual syncs of an hour. Raises `AlreadySyncing` when open runs cover all that
    is asked for, and `ManualLimitReached`; then nothing was changed.
    """
    by_trigger = Priority.MANUAL if trigger == Trigger.MANUAL else Priority.SCHEDULED
    priority = priority or by_trigger
    with transaction.atomic():
        # the account's row makes its manual limit exact; the connections' rows make joining exact
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        request = SyncRequest.objects.create(
            account=account,
            trigger=trigger,
            source=source,
            requested_by=requested_by,  # type: ignore[misc]  # whatever the user model is
        )
        result = Requested(request)
        asks = _asks(connections, trigger, priority, wishes or only(Wish(kind, scope)))
        _lock_runs(asks)
        for connection, ask in asks:
            _place(result, connection, ask)
        if not result.runs:
            request.delete()
        elif limited and result.made:
            check_manual_limit(account)
        for queue in {(run.provider, run.region) for run in result.runs}:
            transaction.on_commit(partial(nudge, *queue, priority=priority))
    if not result.runs:
        raise _already_syncing(result)  # outside, for a running run that covers it kept its new class
    return result


def _asks(
    connections: Iterable[Connection], trigger: Trigger, priority: Priority, wishes: Wishes
) -> list[tuple[Connection, Ask]]:
    """What is asked of each, as it is now: locked in the order of ids, so that two requests can't wait for
    each other."""
    ids = [connection.pk for connection in connections]
    locked = Connection.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    return [
        (connection, Ask(trigger, wish.kind, priority, wish.scope))
        for connection in locked
        for wish in wishes(connection)
    ]


def _lock_runs(asks: list[tuple[Connection, Ask]]) -> None:
    """All before the first is changed: its lane is locked then, for which the holder of the next may wait."""
    connections, kinds = {connection.pk for connection, _ in asks}, {ask.kind for _, ask in asks}
    open_runs = SyncRun.objects.filter(connection__in=connections, kind__in=kinds).open()
    list(open_runs.order_by("connection_id", "pk").select_for_update(of=("self",)).values_list("pk"))


def _place(result: Requested, connection: Connection, ask: Ask) -> None:
    """Join a waiting run, note a running one that covers the request, or make a run."""
    same_kind = SyncRun.objects.filter(connection=connection, kind=ask.kind).select_for_update()
    waits = [run for run in same_kind.waiting().order_by("created_at") if touches(run, ask)]
    waiting = next((run for run in waits if covers(run, ask)), next(iter(waits), None))
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
    ensure_queue(connection.provider, connection.region)
    run = new_run(result.request, connection, ask)
    run.save(force_insert=True)
    result.made.append(run)


def new_run(request: SyncRequest, connection: Connection, ask: Ask) -> SyncRun:
    """A run that is due at once, still to be written."""
    return SyncRun(
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
        run_ids=[str(skipped.run.pk) for skipped in result.skipped],
        request_id=str(run.request_id),
    )
