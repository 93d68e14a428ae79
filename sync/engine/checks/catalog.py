"""After a full pass: entities whose parents are not there."""

from collections import defaultdict
from typing import NamedTuple
from uuid import UUID

from sync import prepared

SHOWN = 3  # parents that a sentence names; the number tells how many there are

# The ids of all parents come out of an index. EXCEPT sorts or hashes both sides whatever the planner knows of
# them; a join without statistics becomes a nested loop, and 100,000 ads take minutes.
MISSING = """
    SELECT {parent} FROM {table} WHERE connection_id = %(connection)s GROUP BY {parent}
    EXCEPT
    SELECT external_id FROM {parents} WHERE connection_id = %(connection)s AND removed_at IS NULL
"""
# A removed child may well be without a parent.
ORPHANS = """
    SELECT {parent}, count(*) FROM {table}
    WHERE connection_id = %(connection)s AND {parent} = ANY(%(missing)s) AND removed_at IS NULL
    GROUP BY {parent} ORDER BY {parent}
"""


class Kinship(NamedTuple):
    """Who is to have a parent, and where."""

    child: str
    parent: str
    missing: str
    orphans: str


def _kinship(child: str, table: str, parent: str, parent_table: str, column: str) -> Kinship:
    names = {"table": table, "parents": parent_table, "parent": column}
    return Kinship(child, parent, MISSING.format(**names), ORPHANS.format(**names))


KINSHIPS = (
    _kinship("ad group", "sync_adgroup", "campaign", "sync_campaign", "campaign_external_id"),
    _kinship("ad", "sync_ad", "ad group", "sync_adgroup", "ad_group_external_id"),
    _kinship("ad", "sync_ad", "campaign", "sync_campaign", "campaign_external_id"),
)


# In one statement: nearly always all that it takes.
ALL_MISSING = " UNION ALL ".join(
    f"(SELECT {number}, lacking.* FROM ({kin.missing}) AS lacking)"  # noqa: S608  (our own words)
    for number, kin in enumerate(KINSHIPS)
)


def orphans(connection_id: UUID) -> list[str]:
    """Children that the platform tells of without their parents, of which it tells nothing."""
    missing: dict[int, list[str]] = defaultdict(list)
    for number, parent in prepared.fetch(ALL_MISSING, {"connection": connection_id}):
        missing[number].append(parent)
    found = ((KINSHIPS[n], _found(KINSHIPS[n], connection_id, missing[n])) for n in sorted(missing))
    return [_sentence(kin, rows) for kin, rows in found if rows]


def _found(kin: Kinship, connection_id: UUID, missing: list[str]) -> list[tuple[str, int]]:
    rows = prepared.fetch(kin.orphans, {"connection": connection_id, "missing": missing})
    return [(parent, count) for parent, count in rows]


def _sentence(kin: Kinship, rows: list[tuple[str, int]]) -> str:
    named = ", ".join(external_id or "without an id" for external_id, _ in rows[:SHOWN])
    others = f" and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else ""
    number = sum(count for _, count in rows)
    whose = f"1 {kin.child} belongs" if number == 1 else f"{number:,} {kin.child}s belong"
    return f"{whose} to {kin.parent}s that the platform does not list: {named}{others}."
