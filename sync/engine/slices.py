"""Which part of a stream a full pass reads at a time.

A platform forgets its page cursors. Where the budget may let a stream wait for longer than they live, it is
read by its campaigns, some at a time: then a forgotten cursor costs one slice, and not the pass.
"""

from math import ceil
from typing import Any, NamedTuple

from providers.base import Selection
from providers.records import Stream
from sync import prepared
from sync.engine.room import room_of
from sync.engine.streams import TARGETS
from sync.engine.turn import Turn
from sync.models import SyncRun

# Of the calls that a window lets through before a pass has to wait: so much at most is read a second time.
PART_LOST = 16
# The next parents in the order of their ids, and how many of the stream's rows each is known to have.
SIZES = """
    SELECT parent.external_id, count(child.id) FROM (
        SELECT external_id FROM {parents}
        WHERE connection_id = %(connection)s AND removed_at IS NULL AND external_id > %(after)s {within}
        ORDER BY external_id LIMIT %(most)s
    ) AS parent
    LEFT JOIN {children} AS child ON child.connection_id = %(connection)s
        AND child.{parent}_external_id = parent.external_id AND child.removed_at IS NULL
    GROUP BY parent.external_id ORDER BY parent.external_id
"""
Sizes = list[tuple[str, float]]  # rows by id


class Place(NamedTuple):
    """What was read last: a campaign with all that is below it, or of that up to an ad group only."""

    campaign_id: str = ""
    ad_group_id: str = ""


class Slice(NamedTuple):
    """Some campaigns, or some ad groups of one that is too large."""

    campaign_ids: tuple[str, ...]
    ad_group_ids: tuple[str, ...] = ()

    @classmethod
    def stored(cls, told: dict[str, list[str]]) -> "Slice":
        """As a checkpoint has it."""
        return cls(tuple(told["campaign_ids"]), tuple(told["ad_group_ids"]))

    @property
    def selection(self) -> Selection:
        """What the client is asked for."""
        if self.ad_group_ids:
            return Selection(ad_group_ids=self.ad_group_ids)
        return Selection(campaign_ids=self.campaign_ids)

    @property
    def end(self) -> Place:
        """Where the next one goes on."""
        return Place(self.campaign_ids[-1], self.ad_group_ids[-1] if self.ad_group_ids else "")


def are_needed(turn: Turn, stream: Stream) -> bool:
    """Whether what is expected of the stream may take longer than a cursor lives."""
    rows = turn.client.rows_per_call
    if not rows or stream == Stream.CAMPAIGNS:
        return False
    pages = ceil(expected(turn.run, stream) / rows)
    room = room_of(turn.run) if pages > 1 else None
    return room is not None and pages > room.left


def expected(run: SyncRun, stream: Stream) -> int:
    """How many rows the stream is expected to have: those that we know, or as many as the platform told."""
    return max(_count(run, stream), run.expected.get(stream, 0))


def following(turn: Turn, stream: Stream, place: Place) -> Slice | None:
    """The slice after what was read last; None at the end."""
    most = _most(turn)
    if place.ad_group_id and (groups := _ad_groups(turn, place)):
        return Slice((place.campaign_id,), _together(groups, most))
    campaigns = _sizes(turn, Stream.CAMPAIGNS, stream, place.campaign_id)
    if not campaigns:
        return None
    first, size = campaigns[0]
    if stream == Stream.ADS and size > most and (groups := _ad_groups(turn, Place(first))):
        return Slice((first,), _together(groups, most))
    return Slice(_together(campaigns, most))


def _most(turn: Turn) -> float:
    """Rows of a slice."""
    rows, room = turn.client.rows_per_call, room_of(turn.run)
    return max(1, room.calls // PART_LOST) * rows if rows and room else float("inf")


def _together(sizes: Sizes, most: float) -> tuple[str, ...]:
    """As many of them as make a slice, one at least."""
    chosen, rows = [sizes[0][0]], sizes[0][1]
    for external_id, size in sizes[1:]:
        rows += size
        if rows > most:
            break
        chosen.append(external_id)
    return tuple(chosen)


def _ad_groups(turn: Turn, place: Place) -> Sizes:
    """The next ones of a campaign."""
    return _sizes(turn, Stream.AD_GROUPS, Stream.ADS, place.ad_group_id, campaign_id=place.campaign_id)


def _sizes(turn: Turn, parents: Stream, children: Stream, after: str, *, campaign_id: str = "") -> Sizes:
    """The next parents. What a first pass does not know yet is taken to be spread evenly."""
    run, target = turn.run, TARGETS[parents]
    statement = SIZES.format(
        parents=target.table,
        parent=target.entity.value,
        children=TARGETS[children].table,
        within="AND campaign_external_id = %(campaign)s" if campaign_id else "",
    )
    values: dict[str, Any] = {"connection": run.connection_id, "after": after, "campaign": campaign_id}
    found = prepared.fetch(statement, {**values, "most": turn.client.ids_per_call})
    least = 0.0
    if run.connection.last_full_sync_at is None:
        least = expected(run, children) / max(1, _count(run, parents))
    return [(external_id, max(size, least)) for external_id, size in found]


def _count(run: SyncRun, stream: Stream) -> int:
    rows = TARGETS[stream].model._default_manager.filter(connection_id=run.connection_id, removed_at=None)
    return rows.count()
