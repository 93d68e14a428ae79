"""What Meta's headers say about its limits: on every answer, errors too.

Percentages may pass 100; an absent or unreadable header means unknown, not zero.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from providers.base import FULL, Reading, Usage
from providers.drift import DriftKind, tell
from providers.errors import Scope

ADS_MANAGEMENT, ADS_INSIGHTS = "ads_management", "ads_insights"  # as X-Business-Use-Case-Usage names them
MINUTE, HOUR = 60.0, 3600.0
SCORE_SPAN = 300.0  # seconds in which an ad account's score decays, in both tiers
_SHARES = ("call_count", "total_time", "total_cputime")

Entry = Mapping[str, Any]


def usage_of(headers: Mapping[str, str]) -> Usage:
    """Read all headers, and in each all lists and all their entries.

    An ended version is answered by a newer one, silently but for a header: that is told as drift.
    """
    if warning := headers.get("X-Ad-Api-Version-Warning"):
        tell(DriftKind.VERSION, "X-Ad-Api-Version-Warning", warning)
    app, score = _object(headers.get("X-App-Usage")), _object(headers.get("X-Ad-Account-Usage"))
    cases = list(_listed(_object(headers.get("X-Business-Use-Case-Usage"))))
    insights = _object(headers.get("X-Fb-Ads-Insights-Throttle"))
    readings = [_app(app), _score(score), *map(_use_case, cases), _insights(insights)]
    tiers = [str(entry["ads_api_access_tier"]) for entry in (score, *cases, insights) if _has_tier(entry)]
    return Usage(tuple(filter(None, readings)), tier=tiers[0] if tiers else "")


def _app(entry: Entry) -> Reading | None:
    """The app's calls and time in an hour that rolls."""
    percent = _fullest(entry, *_SHARES)
    return None if percent is None else Reading(Scope.APP, percent, HOUR)


def _score(entry: Entry) -> Reading | None:
    """The ad account's score. Its reset is a time to wait only once the score is spent."""
    percent = _fullest(entry, "acc_id_util_pct")
    if percent is None:
        return None
    reset = _number(entry, "reset_time_duration") or 0.0
    return Reading(Scope.AD_ACCOUNT, percent, reset or SCORE_SPAN, regain_after=reset)


def _use_case(entry: Entry) -> Reading | None:
    """Whichever id it is listed under: it was this ad account's call that met it.

    Where minutes are told the use case is blocked, whatever its shares say.
    """
    percent, minutes = _fullest(entry, *_SHARES), _number(entry, "estimated_time_to_regain_access") or 0.0
    if percent is None and not minutes:
        return None
    percent = max(percent or 0.0, FULL if minutes else 0.0)
    name = str(entry.get("type", ""))
    return Reading(Scope.USE_CASE, percent, HOUR, use_case=name, regain_after=minutes * MINUTE)


def _insights(entry: Entry) -> Reading | None:
    """The load of insights on the ad account and the app; nothing but insights has to rest for it."""
    percent = _fullest(entry, "acc_id_util_pct", "app_id_util_pct")
    return None if percent is None else Reading(Scope.USE_CASE, percent, HOUR, use_case=ADS_INSIGHTS)


def _object(text: str | None) -> Entry:
    """A header's value; an empty one where it can't be read."""
    try:
        value = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _listed(header: Entry) -> Iterator[Entry]:
    """Every entry of every list, by ad account and by business."""
    for entries in header.values():
        if isinstance(entries, list):
            yield from (entry for entry in entries if isinstance(entry, dict))


def _fullest(entry: Entry, *names: str) -> float | None:
    return max((value for name in names if (value := _number(entry, name)) is not None), default=None)


def _number(entry: Entry, name: str) -> float | None:
    value = entry.get(name)
    return float(value) if isinstance(value, int | float) else None


def _has_tier(entry: Entry) -> bool:
    return isinstance(entry.get("ads_api_access_tier"), str)
