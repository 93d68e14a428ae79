"""What Meta's headers say about its limits: on every answer, errors too.

Percentages may pass 100; an absent header means unknown, not zero.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

import orjson

from providers.base import Usage

MINUTE = 60.0
_PERCENTS = (
    "call_count",
    "total_time",
    "total_cputime",
    "acc_id_util_pct",
    "app_id_util_pct",
)


def usage_of(headers: Mapping[str, str]) -> Usage:
    """The fullest meter, and the longest time until calls are allowed again."""
    meters = [meter for name in _HEADERS for meter in _meters(headers.get(name))]
    percents = [float(meter[key]) for meter in meters for key in _PERCENTS if _is_number(meter.get(key))]
    regains = [seconds for meter in meters if (seconds := _regain(meter)) > 0]
    return Usage(percent=max(percents, default=None), regain_after=max(regains, default=None))


_HEADERS = (
    "X-App-Usage",
    "X-Ad-Account-Usage",
    "X-Business-Use-Case-Usage",
    "X-Fb-Ads-Insights-Throttle",
)


def _meters(text: str | None) -> Iterator[dict[str, Any]]:
    """A header is one meter, or lists of meters by business or ad account: all of them count."""
    try:
        value = orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return
    if not isinstance(value, dict):
        return
    yield value
    for listed in value.values():
        if isinstance(listed, list):
            yield from (meter for meter in listed if isinstance(meter, dict))


def _regain(meter: Mapping[str, Any]) -> float:
    """Seconds. Use cases tell minutes; an ad account's reset matters only once it is used up."""
    minutes = meter.get("estimated_time_to_regain_access")
    if _is_number(minutes):
        return float(minutes) * MINUTE
    seconds, percent = meter.get("reset_time_duration"), meter.get("acc_id_util_pct")
    if _is_number(seconds) and _is_number(percent) and percent >= 100:
        return float(seconds)
    return 0.0


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
