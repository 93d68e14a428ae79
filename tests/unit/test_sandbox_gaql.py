"""The sandbox reads the query language as Google documents it, and names what it can't read."""

import pytest

from providers.sandbox.gaql import MAX_VALUES, Condition, Order, Query, parse
from providers.sandbox.google_errors import GoogleError

SELECT_ID = "SELECT campaign.id FROM campaign"


def test_a_query_may_be_as_short_as_fields_and_a_resource() -> None:
    assert parse(SELECT_ID) == Query(("campaign.id",), "campaign")


def test_every_clause_is_read() -> None:
    query = parse(
        """
        select campaign.id, campaign.name
        FROM campaign
        WHERE campaign.status IN ('ENABLED', "PAUSED") AND campaign.id > 12 AND campaign.name != 'Bob\\'s'
        ORDER BY campaign.id DESC, campaign.name
        LIMIT 50
        PARAMETERS include_drafts=true
        """
    )

    assert query == Query(
        fields=("campaign.id", "campaign.name"),
        resource="campaign",
        conditions=(
            Condition("campaign.status", "IN", ("ENABLED", "PAUSED")),
            Condition("campaign.id", ">", "12"),
            Condition("campaign.name", "!=", "Bob's"),
        ),
        order=(Order("campaign.id", descending=True), Order("campaign.name", descending=False)),
        limit=50,
    )


@pytest.mark.parametrize("operator", ["=", "!=", "<", "<=", ">", ">="])
def test_comparisons_need_no_spaces(operator: str) -> None:
    query = parse(SELECT_ID + f" WHERE campaign.id{operator}5")

    assert query.conditions == (Condition("campaign.id", operator, "5"),)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("a.b NOT IN (1, 2)", Condition("a.b", "NOT IN", ("1", "2"))),
        ("a.b BETWEEN 1 AND 2", Condition("a.b", "BETWEEN", ("1", "2"))),
        ("a.b LIKE '%sale%'", Condition("a.b", "LIKE", "%sale%")),
        ("a.b IS NULL", Condition("a.b", "IS NULL", "")),
        ("a.b IS NOT NULL", Condition("a.b", "IS NOT NULL", "")),
    ],
)
def test_worded_conditions(text: str, condition: Condition) -> None:
    assert parse(SELECT_ID + f" WHERE {text}").conditions == (condition,)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "EXPECTED_SELECT"),
        ("campaign.id FROM campaign", "EXPECTED_SELECT"),
        ("SELECT campaign.id", "EXPECTED_FROM"),
        ("SELECT FROM campaign", "BAD_FIELD_NAME"),
        ("SELECT campaign.id, FROM campaign", "BAD_FIELD_NAME"),
        ("SELECT campaign.id FROM campaign WHERE", "BAD_FIELD_NAME"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id", "BAD_OPERATOR"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id IN 5", "EXPECTED_LIST"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id IN (5", "EXPECTED_LIST"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id = (5)", "EXPECTED_SINGLE_VALUE"),
        (
            "SELECT campaign.id FROM campaign WHERE campaign.id BETWEEN 1",
            "EXPECTED_VALUE_WITH_BETWEEN_OPERATOR",
        ),
        ("SELECT campaign.id FROM campaign ORDER campaign.id", "EXPECTED_BY"),
        ("SELECT campaign.id FROM campaign LIMIT 0", "BAD_LIMIT_COUNT"),
        ("SELECT campaign.id FROM campaign LIMIT many", "BAD_LIMIT_COUNT"),
        ("SELECT campaign.id FROM campaign OR campaign.id = 1", "UNEXPECTED_INPUT"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id = #", "BAD_SYMBOL"),
    ],
)
def test_what_is_no_query_is_refused_by_name(text: str, name: str) -> None:
    with pytest.raises(GoogleError) as refusal:
        parse(text)

    assert (refusal.value.status, refusal.value.family, refusal.value.name) == (400, "query", name)


def test_a_list_may_not_be_endless() -> None:
    values = ",".join(map(str, range(MAX_VALUES + 1)))

    with pytest.raises(GoogleError) as refusal:
        parse(SELECT_ID + f" WHERE campaign.id IN ({values})")

    assert refusal.value.name == "FILTER_HAS_TOO_MANY_VALUES"
