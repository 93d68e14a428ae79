"""Start syncs for an operator, and say truthfully what became of each.

One connection is a person waiting: manual class. Several are bulk: scheduled class, so that nobody's
own manual sync waits behind them. A refusal is a message, never an error page.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from django.contrib import messages
from django.http import HttpRequest
from django.utils.html import format_html

from sync.admin.audit import log
from sync.admin.base import operator
from sync.admin.words import link, listing, page, spoken
from sync.errors import AlreadySyncing, SyncError
from sync.ledger import wishes
from sync.ledger.request import request_sync
from sync.models import Connection, Queue, SyncRun
from sync.models.choices import ConnectionStatus, Priority, Trigger

AT_ONCE = 500  # connections per action: some seconds of one web request
NAMED = 5  # refused connections that a message names; the others are counted


@dataclass
class Started:
    """What became of the connections."""

    made: list[SyncRun] = field(default_factory=list)
    joined: list[SyncRun] = field(default_factory=list)
    running: list[str] = field(default_factory=list)  # ids of runs that cover it already
    refused: list[str] = field(default_factory=list)  # connection and reason


def start(request: HttpRequest, connections: Iterable[Connection]) -> None:
    """Ask for a sync of each, log it, and tell the user."""
    chosen = sorted(connections, key=lambda connection: (connection.account_id, connection.pk))
    if len(chosen) > AT_ONCE:
        messages.error(
            request, f"Nothing was started: {len(chosen)} are too many, {AT_ONCE} at once are allowed."
        )
        return
    started = Started()
    able = [connection for connection in chosen if _is_able(connection, started)]
    priority = Priority.MANUAL if len(chosen) == 1 else Priority.SCHEDULED
    for _, group in groupby(able, key=lambda connection: connection.account_id):
        _ask(request, list(group), priority, started)
    asked = {run.connection_id: run.connection for run in (*started.made, *started.joined)}
    log(request, list(asked.values()), "Asked for a sync.")
    _tell(request, started)


def _is_able(connection: Connection, started: Started) -> bool:
    if connection.condition == ConnectionStatus.ACTIVE:
        return True
    started.refused.append(f"{connection} ({spoken(connection.condition)})")
    return False


def _ask(request: HttpRequest, group: list[Connection], priority: Priority, started: Started) -> None:
    try:
        asked = request_sync(
            group[0].account,
            group,
            trigger=Trigger.MANUAL,
            source="admin",
            requested_by=operator(request),
            wishes=wishes.of_person,
            priority=priority,
        )
    except AlreadySyncing as exc:
        started.running.extend([exc.run_id] * len(group))
    except SyncError as exc:
        started.refused.extend(f"{connection} ({exc})" for connection in group)
    else:
        started.made += asked.made
        started.joined += asked.joined
        started.running += [str(skipped.run.pk) for skipped in asked.skipped]


def _tell(request: HttpRequest, started: Started) -> None:
    if runs := [*started.made, *started.joined]:
        messages.success(request, format_html("{} {}", _sentence(started), _where(runs)))
        _tell_paused_queues(request, runs)
    if started.running:
        text = f"{_syncs(len(started.running))} that covers this is already waiting or running."
        messages.info(request, format_html("{} {}", text, _run_link(started.running[0])))
    if started.refused:
        others = len(started.refused) - NAMED
        more = f", and {others} more" if others > 0 else ""
        messages.warning(request, f"Not started: {', '.join(started.refused[:NAMED])}{more}.")


def _sentence(started: Started) -> str:
    parts = []
    if started.made:
        parts.append(f"Started {_syncs(len(started.made))}.")
    if started.joined:
        parts.append(f"Joined {_syncs(len(started.joined))} that waited already.")
    return " ".join(parts)


def _syncs(number: int) -> str:
    return "one sync" if number == 1 else f"{number} syncs"


def _where(runs: list[SyncRun]) -> str:
    if len(runs) == 1:
        return link(page(runs[0]), "Follow it")
    return link(listing(SyncRun), "See the sync history")


def _run_link(run_id: str) -> str:
    return link(page(SyncRun(pk=run_id)), "See it")


def _tell_paused_queues(request: HttpRequest, runs: list[SyncRun]) -> None:
    """A run in a paused queue waits; better said now than wondered about later."""
    used = {(run.provider, run.region) for run in runs}
    for queue in Queue.objects.exclude(paused_at=None):
        if (queue.provider, queue.region) in used:
            messages.warning(request, f"The queue {queue} is paused: the sync waits until it is resumed.")
