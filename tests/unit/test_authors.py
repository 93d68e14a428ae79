"""Which of a platform's edits made a change of ours; and none rather than a wrong one."""

from datetime import UTC, datetime, timedelta

import pytest

from providers.records import Edit, Stream
from sync.engine.authors import author
from sync.models import Change

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def edit(by: str, *fields: str, minute: int = 0, operation: str = "changed", through: str = "") -> Edit:
    return Edit(Stream.CAMPAIGNS, "1", NOON + timedelta(minutes=minute), by, through, operation, fields)


def change(field: str, action: str = "updated") -> Change:
    return Change(entity="campaign", external_id="1", field=field, action=action)


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
    ],
)
def test_the_edit_that_names_the_field_made_it(field: str, edits: list[Edit], expected: str) -> None:
    assert author(change(field), edits) == expected


def test_making_and_removing_are_edits_of_their_own() -> None:
    edits = [
        edit("ann", operation="created"),
        edit("bob", "name"),
        edit("cem", "status", operation="removed"),
    ]

    assert author(change("", "created"), edits) == "ann"
    assert author(change("", "removed"), edits) == "cem"
    assert author(change("", "returned"), edits) == ""
