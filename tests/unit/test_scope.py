"""What a run's scope covers, and what two of them become."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.ledger.scope import MOST_NAMED, Scope
from sync.models.choices import Mode

NAMES = st.lists(st.sampled_from(["1", "2", "3"]), unique=True, max_size=3).map(
    lambda ids: tuple(sorted(ids))
)
DAYS = st.none() | st.tuples(st.integers(0, 9), st.integers(0, 3))


@st.composite
def scopes(draw: st.DrawFn) -> Scope:
    days = draw(DAYS)
    since = date(2026, 3, 1) + timedelta(days=days[0]) if days else None
    until = since + timedelta(days=days[1]) if days and since else None
    ids = (draw(NAMES), draw(NAMES), draw(NAMES))
    return Scope(draw(st.sampled_from(Mode)), *ids, draw(NAMES), since, until)


@given(scopes(), scopes())
def test_what_two_become_covers_both(one: Scope, other: Scope) -> None:
    assert one.touches(other) == other.touches(one)
    if one.touches(other):
        together = one.united(other)
        assert together == other.united(one)
        assert together.covers(one)
        assert together.covers(other)


@given(scopes(), scopes(), scopes())
def test_covering_is_passed_on(one: Scope, other: Scope, third: Scope) -> None:
    assert one.covers(one)
    if one.covers(other) and other.covers(third):
        assert one.covers(third)


def between(first: int, last: int) -> Scope:
    return Scope(date_from=date(2026, 3, first), date_to=date(2026, 3, last))


@pytest.mark.parametrize(
    ("one", "other", "touches"),
    [
        (between(1, 3), between(4, 6), True),  # next to each other
        (between(1, 3), between(2, 2), True),
        (between(1, 3), between(5, 6), False),  # the 4th was asked for by nobody
        (between(1, 3), Scope(), False),  # what is due is known when it is read
        (Scope(), Scope(), True),
    ],
)
def test_ranges_are_joined_when_they_touch(one: Scope, other: Scope, touches: bool) -> None:
    assert one.touches(other) is touches


def named(first: int, last: int) -> Scope:
    return Scope(campaign_ids=tuple(map(str, range(first, last))), ad_ids=("7",))


@pytest.mark.parametrize(
    ("one", "other", "touches"),
    [
        (named(0, 500), named(499, MOST_NAMED - 1), True),  # with the ad just as many as may be
        (named(0, 500), named(499, MOST_NAMED), False),
        (named(0, 2 * MOST_NAMED), named(5, 9), True),  # somebody at the command line named them all at once
        (named(0, MOST_NAMED), Scope(), True),
    ],
)
def test_names_are_joined_while_they_are_few(one: Scope, other: Scope, touches: bool) -> None:
    assert one.touches(other) is touches
    assert other.touches(one) is touches
