"""What the ads of the recorded Meta account delivered: the recorded days, and no others.

The recording tells impressions, link clicks, spend and reach of some days, and actions and their values of
others; a day with actions alone is one of a late credit. It has no count of all clicks: link clicks stand
in. `28d_click` holds what `7d_click` does.
"""

import csv
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from providers.sandbox.catalog import Ad
from providers.sandbox.delivery import Amounts, Delivery, Source

FOLDER = Path(__file__).parent / "recorded"
CENTS = 100  # the recorded account's minor units

Key = tuple[int, int]  # the ad and the day
Row = dict[str, str]


def recorded(ad: Ad, day: int, today: int) -> Delivery | None:
    """`providers.sandbox.delivery.Source` of the recorded ads; known on any later day in full."""
    return _recording().get((ad.id, day)) if day <= today else None


def recorded_until(newest: date) -> Source:
    """The same, moved by whole weeks, so that the recording ends on that day or in the week before it."""
    last = max(day for _, day in _recording())
    later = (newest.toordinal() - last) // 7 * 7
    return lambda ad, day, today: recorded(ad, day - later, today - later)


@lru_cache(maxsize=1)
def _recording() -> dict[Key, Delivery]:
    days: dict[Key, Delivery] = {}
    for key, row in _rows("meta_insights"):
        link_clicks = int(row["inline_link_clicks"])
        days[key] = _nothing()._replace(
            impressions=int(row["impressions"]),
            clicks=link_clicks,
            link_clicks=link_clicks,
            spend=int(Decimal(row["spend"]) * CENTS),
            reach=int(row["reach"]),
        )
    for key, row in _rows("meta_actions"):
        known = days.get(key, _nothing())
        amounts = _amounts(row.get("_1_d_view", ""), row["_7_d_click"], 1)
        days[key] = known._replace(actions={**known.actions, row["action_type"]: amounts})
    for key, row in _rows("meta_action_values"):
        known = days.get(key, _nothing())
        amounts = _amounts("", row["_7_d_click"], CENTS)
        days[key] = known._replace(values={**known.values, row["action_type"]: amounts})
    return days


def _rows(name: str) -> Iterator[tuple[Key, Row]]:
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield (int(row["ad_id"]), date.fromisoformat(row["date"]).toordinal()), row


def _nothing() -> Delivery:
    return Delivery(0, 0, 0, 0, 0, 0, 0, {}, {})


def _amounts(after_view: str, after_click: str, unit: int) -> Amounts:
    viewed, clicked = (int(Decimal(text or 0) * unit) for text in (after_view, after_click))
    return viewed, 0, clicked, clicked
