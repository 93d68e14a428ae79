"""How a connection's syncs ended of late: a bar for each day, and the figures in a sentence."""

import json
from datetime import date
from typing import Any

from django.utils import timezone

from sync.models import Connection
from sync.models.choices import RunState
from sync.statistics import DAY, ended_by_day

DAYS = 30
BARS = {
    RunState.SUCCEEDED: "var(--color-green-500)",
    RunState.FAILED: "var(--color-red-500)",
    RunState.CANCELLED: "var(--color-base-400)",
}
OPTIONS = {
    "animation": False,
    "maintainAspectRatio": False,
    "scales": {
        "x": {"stacked": True, "grid": {"display": False}},
        "y": {"stacked": True, "ticks": {"precision": 0}},
    },
    "plugins": {"legend": {"align": "end"}},
}


def syncs_by_day(connection: Connection) -> dict[str, Any]:
    """What the template shows, as unfold's chart takes it. Days are UTC's, as all times of the admin."""
    today = timezone.now().date()
    days = [today - number * DAY for number in reversed(range(DAYS))]
    ends = ended_by_day(connection, days[0])
    sums = {state: [ends[day][state] if day in ends else 0 for day in days] for state in BARS}
    return {
        "chart": json.dumps({"labels": [f"{day:%b} {day.day}" for day in days], "datasets": _bars(sums)}),
        "options": json.dumps(OPTIONS),
        "sentence": _sentence({state: sum(numbers) for state, numbers in sums.items()}, days[0]),
    }


def _bars(sums: dict[RunState, list[int]]) -> list[dict[str, Any]]:
    return [
        {"label": state.label, "data": sums[state], "backgroundColor": colour}
        for state, colour in BARS.items()
        if any(sums[state])
    ]


def _sentence(number: dict[RunState, int], since: date) -> str:
    """Success is counted as in the API: of those that succeeded or failed."""
    succeeded, judged = number[RunState.SUCCEEDED], number[RunState.SUCCEEDED] + number[RunState.FAILED]
    if not judged:
        return f"No sync has ended since {since:%B} {since.day}."
    return f"{100 * succeeded / judged:.1f} % of {judged:,} syncs since {since:%B} {since.day} succeeded."
