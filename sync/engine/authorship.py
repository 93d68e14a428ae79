"""Which of a platform's edits made a change of ours, whenever it is asked; and none rather than a wrong one.

Guarantee: where the platform's log tells all edits of a field, the author of its change is who edited it last
before it was read, or nobody; also where clocks differ, or edits show late, by less than readings overlap.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from providers.records import Edit
from sync.models import Change
from sync.models.choices import ChangeAction

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


class Made(NamedTuple):
    """A change, and when the edit that made it can have been made."""

    change: Change
    behind: datetime  # an edit before was read by an earlier run
    surely: datetime  # an edit between was read with the change
    ends: datetime  # an edit behind was not


def authors(made: Sequence[Made], edits: Sequence[Edit]) -> Iterator[tuple[Change, str]]:
    """Of one entity's changes, in the order in which they were seen, who made them, where its edits, the
    oldest first, tell for sure."""
    by_field: dict[tuple[str, str], list[Made]] = defaultdict(list)
    for one in made:
        by_field[one.change.action, one.change.field].append(one)
    for some in by_field.values():
        exact = [edit for edit in edits if _makes(edit, some[0].change)]
        named = [one for one in some if _within(one, exact)]
        candidates = {one.change.pk: found for one, found in zip(named, _last(named, exact), strict=True)}
        for one in some:
            found = candidates.get(one.change.pk)
            who = {_who(edit) for edit in (_within(one, edits) if found is None else found)}
            if len(who) == 1 and (told := who.pop()):
                yield one.change, told


def _last(made: Sequence[Made], edits: Sequence[Edit]) -> list[Sequence[Edit]]:
    """Of each change of one field, the edits that may be the last one before it was read.

    Between two changes lies an edit at least, so a later change's last edit is a later one.
    """
    times = [edit.at for edit in edits]
    first, firsts = -1, list[int]()
    for one in made:
        sure = bisect_right(times, one.surely) - 1
        first = max(first + 1, bisect_right(times, one.behind), sure)
        firsts.append(first)
    last, lasts = len(edits), list[int]()
    for one in reversed(made):
        last = min(last, bisect_right(times, one.ends)) - 1
        lasts.append(last)
    return [edits[begin : max(begin, end + 1)] for begin, end in zip(firsts, reversed(lasts), strict=True)]


def _within(one: Made, edits: Sequence[Edit]) -> list[Edit]:
    return [edit for edit in edits if one.behind < edit.at <= one.ends]


def _makes(edit: Edit, change: Change) -> bool:
    """Whether the edit names what was changed."""
    names = {name.rpartition(".")[2] for name in edit.fields}
    is_so = edit.operation == OPERATIONS.get(ChangeAction(change.action))
    return is_so or not names.isdisjoint(FIELDS.get(change.field, ()))


def _who(edit: Edit) -> str:
    return edit.by or edit.through
