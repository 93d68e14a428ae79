"""The queries that a walk makes, and nothing but digits in them."""

import pytest

from providers.errors import InvalidRequest
from providers.google.queries import by_ids, external_id, walk
from providers.records import Stream
from providers.sandbox.gaql import Condition, parse


@pytest.mark.parametrize("stream", list(Stream))
def test_a_whole_stream_is_one_query_in_the_order_of_ids(stream: Stream) -> None:
    query = parse(walk(stream))

    assert not query.conditions
    assert query.limit is None
    assert {order.field for order in query.order} <= set(query.fields)


@pytest.mark.parametrize(
    ("stream", "field"), [(Stream.CAMPAIGNS, "campaign.id"), (Stream.AD_GROUPS, "ad_group.id")]
)
def test_a_resumed_stream_begins_behind_the_last_id(stream: Stream, field: str) -> None:
    assert parse(walk(stream, after="17")).conditions == (Condition(field, ">", "17"),)


def test_resumed_ads_begin_with_the_last_ads_whole_group() -> None:
    assert parse(walk(Stream.ADS, after="33~44")).conditions == (Condition("ad_group.id", ">=", "33"),)


def test_conditions_go_with_the_cursor() -> None:
    query = parse(walk(Stream.ADS, conditions=["campaign.id IN (1, 2)"], after="33~44"))

    assert query.conditions == (
        Condition("campaign.id", "IN", ("1", "2")),
        Condition("ad_group.id", ">=", "33"),
    )


def test_ads_are_looked_up_by_their_own_id() -> None:
    query = parse(by_ids(Stream.ADS, ["33~44", "34~45"]))

    assert query.conditions == (Condition("ad_group_ad.ad.id", "IN", ("44", "45")),)


@pytest.mark.parametrize(
    ("stream", "resource", "name", "expected"),
    [
        (Stream.CAMPAIGNS, "campaign", "customers/1/campaigns/22", "22"),
        (Stream.AD_GROUPS, "adGroup", "customers/1/adGroups/33", "33"),
        (Stream.ADS, "adGroupAd", "customers/1/adGroupAds/33~44", "33~44"),
    ],
)
def test_an_answer_names_the_entity(stream: Stream, resource: str, name: str, expected: str) -> None:
    assert external_id(stream, {resource: {"resourceName": name}, "customer": {}}) == expected


@pytest.mark.parametrize("text", ["1) OR campaign.id IN (2", "", "1 2", "act_1", "²"])
def test_nothing_but_digits_gets_into_a_query(text: str) -> None:
    with pytest.raises(InvalidRequest):
        walk(Stream.AD_GROUPS, after=text)
    with pytest.raises(InvalidRequest):
        by_ids(Stream.CAMPAIGNS, [text])
