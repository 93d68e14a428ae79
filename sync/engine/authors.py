"""Who made the changes that a run found, where the platform tells: for one call more, if it can be afforded.

Whoever it was is a pseudonym, or the tool through which it was done; never a name or an address. A change
that nobody can be said to have made for sure is left without one. It is an extra: what goes wrong with it
fails no sync.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import structlog
from django.conf import settings
from django.utils import timezone

from providers.errors import BudgetSpent, CircuitOpen, ProviderError
from providers.records import Edit
from sync import prepared
from sync.engine.chunk import chunk
from sync.engine.streams import TARGETS
from sync.engine.turn import Turn
from sync.google.day import google_day
from sync.models import Change, SyncRun
from sync.models.choices import ChangeAction, EntityKind, Provider

logger = structlog.get_logger(__name__)

MOST = 10_000  # changes of a run that are looked at: what one edit of everything makes is not worth more
ONE_PAGE = 500  # changes that Meta's log tells with one call
# By which of its own fields a platform tells that a column of ours was changed.
FIELDS = {
    "name": {"name"},
    "status": {"status"},
    "platform_status": {"status"},
    "objective": {"advertising_channel_type"},
    "bidding_strategy": {"bid_strategy"},
    "daily_budget_micros": {"amount_micros", "daily_budget"},
    "lifetime_budget_micros": {"total_amount_micros", "lifetime_budget"},
    "bid_micros": {"cpc_bid_micros", "bid_amount"},
    "starts_at": {"start_date", "start_date_time", "start_time"},
    "ends_at": {"end_date", "end_date_time", "end_time"},
    "creative_external_id": {"creative"},
}
OPERATIONS = {ChangeAction.CREATED: "created", ChangeAction.REMOVED: "removed"}
NAME = """
    UPDATE sync_change SET by = told.by
    FROM unnest(%(ids)s::bigint[], %(authors)s::text[]) AS told (id, by)
    WHERE sync_change.id = told.id AND run_id = %(run)s
"""
Whose = tuple[str, str]  # entity, external id


def name_authors(turn: Turn) -> None:
    """Write beside the run's changes who made them."""
    run, since = turn.run, turn.run.connection.read_until
    if since is None or not run.changes or not _is_affordable(run):
        return
    try:
        edits = list(turn.client.changes_by(since, timezone.now()))
    except (ProviderError, BudgetSpent, CircuitOpen) as exc:
        logger.info("authors not told", reason=str(exc))
        return
    authors = dict(_authors(run, edits))
    with chunk(run, turn.lease, calls=turn.client.calls):
        if authors:
            values = {"ids": list(authors), "authors": list(authors.values()), "run": run.pk}
            prepared.run(NAME, values)


def author(change: Change, edits: Iterable[Edit]) -> str:
    """Who made it, out of the edits of its entity, the newest last; empty where they don't tell for sure."""
    edits = list(edits)
    wanted, operation = FIELDS.get(change.field, set()), OPERATIONS.get(ChangeAction(change.action))
    exact = [
        edit
        for edit in edits
        if edit.operation == operation or wanted & {name.rpartition(".")[2] for name in edit.fields}
    ]
    who = {_who(edit) for edit in exact[-1:] or edits}
    return who.pop() if len(who) == 1 else ""


def _is_affordable(run: SyncRun) -> bool:
    """Whether the settings, and Google's day, have a call to spare."""
    choice = settings.AUTHORS[run.provider]
    if choice != "auto":
        return bool(choice == "always")
    if run.provider == Provider.META:
        return sum(run.changes.values()) <= ONE_PAGE
    day = google_day()
    return day is None or not day.sentences


def _authors(run: SyncRun, edits: Iterable[Edit]) -> Iterator[tuple[int, str]]:
    of: dict[Whose, list[Edit]] = defaultdict(list)
    for edit in edits:
        of[TARGETS[edit.stream].entity, edit.external_id].append(edit)
    ids = {external_id for _, external_id in of}
    for change in Change.objects.filter(run_id=run.pk, external_id__in=ids).order_by("pk")[:MOST]:
        if who := author(change, of[EntityKind(change.entity), change.external_id]):
            yield change.pk, who


def _who(edit: Edit) -> str:
    return edit.by or edit.through
