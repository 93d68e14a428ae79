"""A walk in the order of ids drops what was read before, and notices when the order is left."""

import pytest

from providers.errors import PlatformFault
from providers.google.walk import walk_of
from providers.records import AdRecord, EntityStatus, Record


def ads(*ids: str) -> list[Record]:
    return [
        AdRecord(i, "1", i.split("~")[0], "", EntityStatus.ACTIVE, "", "", "", None, None, {}) for i in ids
    ]


def ids(records: list[Record]) -> list[str]:
    return [record.external_id for record in records]


def test_a_walk_from_the_beginning_takes_everything() -> None:
    assert ids(walk_of(None).fresh(ads("3~9", "3~10", "20~1"))) == ["3~9", "3~10", "20~1"]


def test_a_resumed_walk_drops_the_first_part_of_its_ad_group() -> None:
    assert ids(walk_of("3~10").fresh(ads("3~9", "3~10", "3~11", "20~1"))) == ["3~11", "20~1"]


def test_what_was_read_before_may_fill_whole_chunks() -> None:
    walk = walk_of("3~10")

    assert walk.fresh(ads("3~8", "3~9")) == []
    assert ids(walk.fresh(ads("3~10", "3~11"))) == ["3~11"]


@pytest.mark.parametrize("rows", [("3~10", "3~9"), ("20~1", "3~1"), ("3~9", "3~9")])
def test_rows_out_of_order_are_an_error(rows: tuple[str, ...]) -> None:
    with pytest.raises(PlatformFault):
        walk_of(None).fresh(ads(*rows))


def test_the_order_holds_across_chunks() -> None:
    walk = walk_of(None)
    walk.fresh(ads("3~9"))

    with pytest.raises(PlatformFault):
        walk.fresh(ads("3~9", "3~10"))
