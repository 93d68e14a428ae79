"""Which of a platform's edits made a change of ours; and none rather than a wrong one."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.records import Edit, Stream
from sync.engine.authorship import Made, authors
from sync.engine.plan import OVERLAP
from sync.models import Change

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
HOUR = 60  # minutes


def moment(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


def edit(by: str, *fields: str, minute: float = 0, operation: str = "changed", through: str = "") -> Edit:
    return Edit(Stream.CAMPAIGNS, "1", moment(minute), by, through, operation, fields)


def change(
    field: str, action: str = "updated", *, key: int = 1, last: float = -HOUR, began: float = HOUR
) -> Made:
    """As a run saw it that began at this minute, the `last` one that told all having begun at that one."""
    made = Change(pk=key, entity="campaign", external_id="1", field=field, action=action)
    return Made(made, moment(last) - OVERLAP, moment(began) - OVERLAP, moment(began) + OVERLAP)


def told(made: Sequence[Made], edits: Sequence[Edit]) -> list[str]:
    found = {one.pk: who for one, who in authors(made, edits)}
    return [found.get(one.change.pk, "") for one in made]


@pytest.mark.parametrize(
    ("field", "edits", "expected"),
    [
        ("name", [edit("ann", "name")], "ann"),
        ("name", [edit("ann", "name"), edit("bob", "status")], "ann"),
        ("status", [edit("ann", "name"), edit("bob", "campaign.status")], "bob"),
        ("daily_budget_micros", [edit("ann", "amount_micros"), edit("bob", "name")], "ann"),
        ("name", [edit("ann", "name"), edit("bob", "name", minute=1)], "bob"),
        # what no edit names may have been anybody's, unless there was only one
        ("bidding_strategy", [edit("ann", "maximize_conversions"), edit("bob", "name")], ""),
        ("bidding_strategy", [edit("ann", "bid_strategy"), edit("bob", "name")], "ann"),
        ("bidding_strategy", [edit("ann", "maximize_conversions"), edit("ann", "name")], "ann"),
        ("name", [edit("", "name", through="GOOGLE_ADS_AUTOMATED_RULE")], "GOOGLE_ADS_AUTOMATED_RULE"),
        ("name", [edit("", "name")], ""),
        ("name", [], ""),
        # made before, and read then; or made behind it
        ("name", [edit("ann", "name", minute=-70), edit("bob", "name")], "bob"),
        ("name", [edit("ann", "name", minute=-70)], ""),
        ("name", [edit("ann", "name", minute=-70), edit("bob", "name", minute=59)], "bob"),
        ("name", [edit("ann", "name"), edit("bob", "name", minute=70)], "ann"),
        # while it was read: before or behind that, who knows
        ("name", [edit("ann", "name"), edit("bob", "name", minute=59)], ""),
        ("name", [edit("ann", "name"), edit("ann", "name", minute=61)], "ann"),
        ("name", [edit("bob", "name", minute=61)], "bob"),
    ],
)
def test_the_last_edit_that_names_the_field_made_it(field: str, edits: list[Edit], expected: str) -> None:
    assert told([change(field)], edits) == [expected]


def test_making_and_removing_are_edits_of_their_own() -> None:
    edits = [
        edit("ann", operation="created"),
        edit("bob", "name"),
        edit("cem", "status", operation="removed"),
    ]

    assert told([change("", "created")], edits) == ["ann"]
    assert told([change("", "removed")], edits) == ["cem"]
    assert told([change("", "returned")], edits) == [""]


def test_of_two_changes_of_a_field_each_has_its_own_author() -> None:
    edits = [edit("ann", "name", minute=59), edit("bob", "name", minute=61)]
    first, second = change("name"), change("name", key=2, last=HOUR, began=2 * HOUR)

    assert told([first, second], edits) == ["ann", "bob"]
    assert told([first], edits) == [""]
    assert told([first, change("name", key=2, last=HOUR, began=HOUR + 2)], edits) == ["ann", "bob"]


MINUTES = st.integers(0, 90)
FIELDS = st.sampled_from(["name", "name", "status"])


@given(
    edits=st.lists(st.tuples(MINUTES, st.sampled_from("abc"), FIELDS), max_size=30),
    runs=st.lists(st.tuples(st.integers(1, 20), st.integers(0, 10), st.booleans()), min_size=1, max_size=8),
    skew=st.integers(-2, 2),
    late=st.integers(0, 2),
    asked=st.integers(0, 10),
)
def test_no_change_has_a_wrong_author_whenever_it_is_asked(
    edits: list[tuple[int, str, str]],
    runs: list[tuple[int, int, bool]],
    skew: int,
    late: int,
    asked: int,
) -> None:
    """Runs, some of which do not end, read what is edited meanwhile; the log's clock differs from ours."""
    edits = sorted(edits)
    log = [edit(by, field, minute=at + skew) for at, by, field in edits]
    made, right, known, seen = list[Made](), dict[int, str](), 0, {"name": 0, "status": 0}
    began = 0
    for pause, lasts, ends in runs:
        began += pause
        read = began + lasts
        for field in seen:
            found = [by for at, by, name in edits if name == field and at <= read - late]
            if len(found) > seen[field]:  # each edit brings a new value
                key = len(made) + 1
                one = change(field, key=key, last=known, began=began)
                made.append(one._replace(ends=moment(read) + OVERLAP))
                right[key] = found[-1]
            seen[field] = max(seen[field], len(found))
        known = began if ends else known
        began = read

    for some in (made, made[asked:]):  # a later question is about fewer of them
        since = min((one.behind for one in some), default=moment(0))
        found = told(some, [one for one in log if one.at > since])
        assert all(who in ("", right[one.change.pk]) for one, who in zip(some, found, strict=True))
