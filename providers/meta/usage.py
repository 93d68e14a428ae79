"""What Meta's headers say about its limits: on every answer, errors too.

Percentages may pass 100; an absent or unreadable header means unknown, not zero.
"""

import logging
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import orjson

from providers.base import Usage

logger = logging.getLogger(__name__)

MINUTE = 60.0
_HEADERS = (
    "X-App-Usage",
    "X-Ad-Account-Usage",
    "X-Business-Use-Case-Usage",
    "X-Fb-Ads-Insights-Throttle",
)
_PERCENTS = ("call_count", "total_time", "total_cputime", "acc_id_util_pct", "app_id_util_pct")


class Meters(NamedTuple):
    """All meters of one answer. Times are seconds until calls are allowed again."""

    percent: float | None  # of the fullest
    regain: dict[str, float]  # by business use case, those that are blocked
    reset_after: float | None  # until the ad account's score is back at nothing
    tier: str


def meters_of(headers: Mapping[str, str]) -> Meters:
    """Read all headers, and in each all lists and all their entries."""
    entries = [entry for name in _HEADERS for entry in _entries(headers.get(name))]
    percents = [
        value for entry in entries for name in _PERCENTS if (value := _number(entry, name)) is not None
    ]
    regain: dict[str, float] = {}
    for entry in entries:
        use_case, minutes = str(entry.get("type", "")), _number(entry, "estimated_time_to_regain_access")
        if minutes:
            regain[use_case] = max(regain.get(use_case, 0.0), minutes * MINUTE)
    resets = [value for entry in entries if (value := _number(entry, "reset_time_duration")) is not None]
    tiers = [str(entry["ads_api_access_tier"]) for entry in entries if "ads_api_access_tier" in entry]
    return Meters(
        percent=max(percents, default=None),
        regain=regain,
        reset_after=max(resets, default=None),
        tier=tiers[0] if tiers else "",
    )


def usage_of(headers: Mapping[str, str]) -> Usage:
    """For the budget. An ad account's reset is a time to wait only once its score is used up."""
    if warning := headers.get("X-Ad-Api-Version-Warning"):
        _warn_of_version(warning)
    meters = meters_of(headers)
    times = list(meters.regain.values())
    if meters.reset_after and _is_full(headers.get("X-Ad-Account-Usage")):
        times.append(meters.reset_after)
    return Usage(percent=meters.percent, regain_after=max(times, default=None))


@cache  # once per process and text: it comes with every answer
def _warn_of_version(text: str) -> None:
    """An ended version is answered by a newer one, silently but for this header."""
    logger.warning("the API version ends", extra={"provider": "meta", "text": text})


def _is_full(text: str | None) -> bool:
    return any((_number(entry, "acc_id_util_pct") or 0) >= 100 for entry in _entries(text))


def _entries(text: str | None) -> Iterator[dict[str, Any]]:
    """A header is one meter, or lists of meters by business or ad account."""
    try:
        value = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return
    if not isinstance(value, dict):
        return
    yield value
    for listed in value.values():
        if isinstance(listed, list):
            yield from (entry for entry in listed if isinstance(entry, dict))


def _number(entry: Mapping[str, Any], name: str) -> float | None:
    value = entry.get(name)
    return float(value) if isinstance(value, int | float) else None
