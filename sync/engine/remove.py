"""Mark as removed what a complete reading no longer found: a full pass, or what somebody chose by id.

Rows move between pages, so the reading alone proves nothing: what it did not see is asked for again by
id, and only what the platform does not know any more is marked. Nothing is deleted. Each call's ids
are a chunk, so a long second look goes on where it was stopped.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils import timezone

from providers.base import Selection
from providers.records import Stream
from sync import prepared
from sync.engine.chunk import chunk
from sync.engine.denied import add_note
from sync.engine.streams import TARGETS
from sync.engine.turn import Turn
from sync.models import Change, SeenIds, SyncRun
from sync.models.choices import ChangeAction
from sync.prepared import Asked

# EXCEPT hashes both sides whatever the planner knows of them; an anti-join without statistics becomes a
# nested loop, and 100,000 ads take minutes.
UNSEEN = """
    SELECT external_id FROM {table} WHERE connection_id = %(connection)s AND removed_at IS NULL
    EXCEPT SELECT unnest(external_ids) FROM sync_seenids WHERE run_id = %(run)s AND entity = %(entity)s
"""
# Of what was chosen: each id that was named, known to us or not, and what we have below it.
CHOSEN_UNSEEN = """
    (
        SELECT unnest(%(named)s::text[]) AS external_id
        UNION SELECT external_id FROM {table}
        WHERE connection_id = %(connection)s AND removed_at IS NULL AND ({below})
    )
    EXCEPT SELECT unnest(external_ids) FROM sync_seenids WHERE run_id = %(run)s AND entity = %(entity)s
"""
BELOW = {
    Stream.CAMPAIGNS: "false",
    Stream.AD_GROUPS: "campaign_external_id = ANY(%(campaigns)s)",
    Stream.ADS: "campaign_external_id = ANY(%(campaigns)s) OR ad_group_external_id = ANY(%(ad_groups)s)",
}
NAMED_IN_NOTE = 20  # ids; more are counted


def remove_unseen(turn: Turn, streams: Sequence[Stream], selection: Selection) -> Iterator[None]:
    """The second look at these streams, and the marks; yields between two chunks."""
    run, client = turn.run, turn.client
    step, unseen = client.ids_per_call, _unseen(run, streams, selection)
    parts = [(of, ids[start : start + step]) for of, ids in unseen for start in range(0, len(ids), step)]
    for place, (stream, ids) in enumerate(parts):
        if place:
            yield
        named = set(_named(selection, stream))
        known = set(client.fetch(stream, ids))
        gone = [external_id for external_id in ids if external_id not in known]
        with chunk(run, turn.lease, calls=client.calls):
            _remember_seen(run, stream, known)
            _mark(run, stream, gone)
            _note(run, stream, [external_id for external_id in gone if external_id in named])


def _named(selection: Selection, stream: Stream) -> tuple[str, ...]:
    """The stream's own ids of a selection."""
    by_stream = (selection.campaign_ids, selection.ad_group_ids, selection.ad_ids)
    return dict(zip(Stream, by_stream, strict=True))[stream]


def _unseen(run: SyncRun, streams: Sequence[Stream], selection: Selection) -> list[tuple[Stream, list[str]]]:
    """What a complete reading of each stream did not see."""
    asked = [_question(run, stream, selection) for stream in streams]
    answers = zip(streams, prepared.together(*asked), strict=True)
    return [(stream, [external_id for (external_id,) in rows]) for stream, rows in answers]


def _question(run: SyncRun, stream: Stream, selection: Selection) -> Asked:
    target = TARGETS[stream]
    values: dict[str, Any] = {
        "connection": run.connection_id,
        "run": run.pk,
        "entity": target.entity.value,
    }
    if selection.is_all:
        return UNSEEN.format(table=target.table), values
    values["named"] = list(_named(selection, stream))
    values["campaigns"], values["ad_groups"] = list(selection.campaign_ids), list(selection.ad_group_ids)
    return CHOSEN_UNSEEN.format(table=target.table, below=BELOW[stream]), values


def _remember_seen(run: SyncRun, stream: Stream, known: set[str]) -> None:
    if known:
        SeenIds.objects.create(run=run, entity=TARGETS[stream].entity, external_ids=sorted(known))


def _mark(run: SyncRun, stream: Stream, gone: list[str]) -> None:
    target = TARGETS[stream]
    rows = target.model._default_manager.filter(
        connection_id=run.connection_id, external_id__in=gone, removed_at=None
    )
    marked = list(rows.values_list("external_id", flat=True)) if gone else []
    if not marked:
        return
    rows.update(removed_at=timezone.now())
    Change.objects.bulk_create(
        Change(
            connection_id=run.connection_id,
            run_id=run.pk,
            entity=target.entity,
            external_id=external_id,
            action=ChangeAction.REMOVED,
        )
        for external_id in marked
    )
    run.changes["removed"] = run.changes.get("removed", 0) + len(marked)


def _note(run: SyncRun, stream: Stream, unknown: list[str]) -> None:
    """Say of ids that somebody named that there is nothing to read."""
    if not unknown:
        return
    entity, platform = TARGETS[stream].entity.label.lower(), run.get_provider_display()
    others = len(unknown) - NAMED_IN_NOTE
    more = f" and {others} more" if others > 0 else ""
    add_note(run, f"{platform} knows no {entity} {', '.join(unknown[:NAMED_IN_NOTE])}{more}.")
