"""A selection becomes queries that share no row, and cursors that tell which of them they belong to."""

from datetime import UTC, datetime

import pytest

from providers.base import Selection
from providers.errors import CursorExpired, InvalidRequest
from providers.google.parts import IDS_PER_QUERY, Part, Place, parts_of, place_of
from providers.records import Stream

MIXED = Selection(campaign_ids=("1",), ad_group_ids=("33", "32"), ad_ids=("33~44",))


def conditions(stream: Stream, selection: Selection) -> list[tuple[str, ...]]:
    return [part.conditions for part in parts_of(stream, selection)]


@pytest.mark.parametrize("stream", list(Stream))
def test_all_of_an_account_is_one_query_without_conditions(stream: Stream) -> None:
    assert parts_of(stream, Selection()) == [Part()]


def test_what_is_named_and_what_is_below_it_are_read_apart() -> None:
    assert conditions(Stream.CAMPAIGNS, MIXED) == [("campaign.id IN (1)",)]
    assert conditions(Stream.AD_GROUPS, MIXED) == [
        ("campaign.id IN (1)",),
        ("campaign.id NOT IN (1)", "ad_group.id IN (32, 33)"),
    ]
    assert conditions(Stream.ADS, MIXED) == [
        ("campaign.id IN (1)",),
        ("campaign.id NOT IN (1)", "ad_group.id IN (32, 33)"),
        ("campaign.id NOT IN (1)", "ad_group.id NOT IN (32, 33)", "ad_group_ad.ad.id IN (44)"),
    ]


def test_without_children_each_stream_reads_only_what_is_named() -> None:
    alone = MIXED._replace(with_children=False)

    assert conditions(Stream.AD_GROUPS, alone) == [("ad_group.id IN (32, 33)",)]
    assert conditions(Stream.ADS, alone) == [("ad_group_ad.ad.id IN (44)",)]
    assert conditions(Stream.ADS, Selection(campaign_ids=("1",), with_children=False)) == []


def test_a_stream_above_what_is_named_reads_nothing() -> None:
    assert conditions(Stream.CAMPAIGNS, Selection(ad_ids=("33~44",))) == []
    assert conditions(Stream.AD_GROUPS, Selection(ad_ids=("33~44",))) == []


def test_an_ad_is_told_from_the_same_ad_in_another_group() -> None:
    (part,) = parts_of(Stream.ADS, Selection(ad_ids=("33~44", "35~44")))

    assert part.only == frozenset({"33~44", "35~44"})


def test_long_lists_are_cut_below_the_filters_limit() -> None:
    ids = tuple(str(number) for number in range(1, 2 * IDS_PER_QUERY + 2))
    parts = parts_of(Stream.CAMPAIGNS, Selection(campaign_ids=ids))

    assert [part.conditions[0].count(",") + 1 for part in parts] == [IDS_PER_QUERY, IDS_PER_QUERY, 1]


def test_the_order_of_a_selection_does_not_move_its_cursors() -> None:
    one, other = Selection(ad_ids=("1~2", "3~4")), Selection(ad_ids=("3~4", "1~2", "3~4"))

    assert parts_of(Stream.ADS, one) == parts_of(Stream.ADS, other)


def test_a_time_is_not_read_as_everything() -> None:
    with pytest.raises(InvalidRequest, match="changed"):
        parts_of(Stream.ADS, Selection(since=datetime.now(UTC)))


@pytest.mark.parametrize("text", ["1) OR campaign.id IN (2", "", "1 2", "act_1", "²"])
def test_nothing_but_digits_gets_into_a_query(text: str) -> None:
    for selection in (Selection((text,)), Selection(ad_group_ids=(text,)), Selection(ad_ids=(f"3~{text}",))):
        with pytest.raises(InvalidRequest):
            parts_of(Stream.ADS, selection)


def test_an_ad_without_its_group_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="33~44"):
        parts_of(Stream.ADS, Selection(ad_ids=("44",)))


@pytest.mark.parametrize(
    ("place", "cursor"),
    [(Place(0, "17"), "17"), (Place(0, "3~4"), "3~4"), (Place(2, "3~4"), "2:3~4"), (Place(1), "1:")],
)
def test_a_cursor_leads_back_to_its_place(place: Place, cursor: str) -> None:
    assert place.cursor == cursor
    assert place_of(cursor, [Part()] * 3) == place


def test_a_cursor_of_a_part_that_is_gone_is_no_place() -> None:
    with pytest.raises(CursorExpired):
        place_of("3:17", [Part()] * 3)
    with pytest.raises(InvalidRequest):
        place_of("x:17", [Part()])
