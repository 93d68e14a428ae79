"""docs/data.md names every column of the copied data, with sources that are really asked for."""

import re
from functools import cache
from pathlib import Path

import pytest
from django.db.models import Model

from providers.google import edits, insight_queries, queries
from providers.meta import fields
from providers.records import InsightSlice, Level
from sync.models import Ad, AdGroup, Campaign, Change, Connection, Drift, Insight, InsightDay, SyncRun
from tests.unit.test_google_edits import NOW

DOCUMENT = Path(__file__).parents[2] / "docs" / "data.md"
WHOLE = [Campaign, AdGroup, Ad, Insight, InsightDay, Change, Drift]
# Of these only what says something of the data; the rest is the queue's, and the schedule's.
PARTLY: dict[type[Model], set[str]] = {
    Connection: {"currency", "time_zone", "attribution", "last_sync_at", "last_full_sync_at", "read_until"},
    SyncRun: {
        *("kind", "mode", "campaign_ids", "ad_group_ids", "ad_ids", "levels", "date_from", "date_to"),
        *("expected", "changes", "access_issues", "data_discrepancies"),
        *("campaigns_count", "ad_groups_count", "ads_count", "insights_count"),
    },
}
TABLES = [*WHOLE, *PARTLY]
COLUMNS = ["column", "meaning", "Meta", "Google", "unit, null"]


@cache
def rows(model: type[Model]) -> dict[str, list[str]]:
    """The table of a model's section, by column."""
    _, _, section = DOCUMENT.read_text().partition(f": `{model._meta.db_table}`\n")
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    assert cells[0] == COLUMNS
    return {row[0].strip("`"): row for row in cells[1:]}


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
def test_every_column_has_a_meaning_and_a_source_at_each_platform(model: type[Model]) -> None:
    columns = {field.name for field in model._meta.concrete_fields} - {"pk"}

    documented = rows(model)

    assert set(documented) <= columns
    assert PARTLY.get(model, columns) <= set(documented)
    for name, row in documented.items():
        assert all(row[1:4]), f"{name} lacks a meaning or a source"


@pytest.mark.parametrize(
    "model", [Campaign, AdGroup, Ad, Insight, Change, Connection], ids=lambda m: m.__name__
)
def test_sources_are_fields_that_are_asked_for(model: type[Model]) -> None:
    for name, row in rows(model).items():
        assert set(named(row[2])) <= asked_of_meta(), name
        assert set(named(row[3])) <= asked_of_google(), name


def named(cell: str) -> list[str]:
    """The fields that a cell names, without examples of values."""
    values = {
        "omni_purchase",
        "purchase",
        "click_date",
        "conversion_date",
        "7d_click_1d_view",
        "summary.total_count",
    }
    return [word for word in re.findall(r"`([\w.]+)`", cell) if word not in values]


@cache
def asked_of_meta() -> set[str]:
    text = ",".join([fields.ACCOUNT_FIELDS, *fields.FIELDS.values(), *fields.INSIGHT_FIELDS.values()])
    return {*re.sub(r"\{(\w+)\}", r".\1", text).split(","), "date_start"}


@cache
def asked_of_google() -> set[str]:
    day = NOW.date()
    metrics = [
        ask(InsightSlice(level, day, day), rule, day)
        for level in Level
        for rule in insight_queries.ATTRIBUTIONS
        for ask in (insight_queries.metrics, insight_queries.types)
    ]
    text = " ".join([queries.ACCOUNT, *queries.SELECT.values(), *metrics, edits.query(NOW, NOW, NOW)])
    return set(re.findall(r"[a-z_]+(?:\.[a-z_]+)+", text))
