"""The recorded customer's daily statistics: each level as it was recorded, which was at different times."""

import csv
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from itertools import groupby
from pathlib import Path

from providers.sandbox.google_figures import Day, Figures, total

FOLDER = Path(__file__).parent / "recorded"
FILES = {
    "customer": ("google_account_stats", "customer_id"),
    "campaign": ("google_campaign_stats", "id"),
    "ad_group": ("google_ad_group_stats", "id"),
    "ad_group_ad": ("google_ad_stats", "ad_id"),
}


@cache
def recorded(level: str) -> list[Day]:
    """Each entity's days; devices and networks are added up, as a query without them does."""
    days = sorted(_read(level), key=lambda day: day[:2])
    return [
        (*key, total(found for *_, found in group)) for key, group in groupby(days, key=lambda day: day[:2])
    ]


def recorded_until(newest: date) -> Callable[[str], list[Day]]:
    """The same, each level moved by whole weeks, so that its days end on that one or in the week before."""

    def moved(level: str) -> list[Day]:
        days = recorded(level)
        later = (newest.toordinal() - max(day for _, day, _ in days)) // 7 * 7
        return [(key, day + later, found) for key, day, found in days]

    return moved


def _read(level: str) -> Iterator[Day]:
    name, column = FILES[level]
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield int(row[column]), date.fromisoformat(row["date"]).toordinal(), _figures(row)


def _figures(row: dict[str, str]) -> Figures:
    conversions = round(float(row.get("conversions", "0")) * 1e6)
    value = round(float(row.get("conversions_value", "0")) * 1e6)
    return Figures(
        int(row["impressions"]),
        int(row["clicks"]),
        int(row["cost_micros"]),
        int(row.get("interactions", row["clicks"])),
        view_through=int(row.get("view_through_conversions", "0")),
        credits={"Recorded": (conversions, value)} if conversions or value else {},
    )
