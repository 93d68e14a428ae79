"""A connection's budgets, as the command and the admin show them. Raises redis' errors."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from providers.base import FULL
from providers.budget import Heard, Meter
from sync import moments
from sync.engine.error_rate import is_too_high, outcomes
from sync.engine.limits import all_limits_of
from sync.engine.platform import budget_store
from sync.google.meters import day_of
from sync.models import Connection


def budgets(connection: Connection) -> dict[str, Any]:
    """Its windows and parks, and when it may be called again."""
    limits = all_limits_of(connection)
    windows = budget_store().meters(limits)
    in_background = budget_store().meters([limit.within(settings.BUDGET_RESERVE) for limit in limits])
    heard = budget_store().heard(limits[0].key)
    last = outcomes(connection.provider)
    parks = [meter.background_until for meter in in_background]
    day = day_of(connection)
    return {
        "id": str(connection.pk),
        "connection": str(connection),
        "external_id": connection.external_id,
        "may_call_at": _latest([*_free_at(windows), day.free_at]),
        "background_may_call_at": _latest([*_free_at(in_background), *parks, day.background_free_at]),
        "platform": _heard(heard) if heard else None,
        "errors": {
            "calls": last.calls,
            "errors": last.errors,
            "retries_held_back": is_too_high(connection.provider, last),
        },
        "windows": [_window(meter) for meter in (*windows, *day.meters) if meter.limit or _is_parked(meter)],
    }


def sentences(told: dict[str, Any]) -> list[str]:
    """What `budgets` tells besides the windows, in words."""
    lines = []
    if heard := told["platform"]:
        meters = ", ".join(map(_meter_words, heard["meters"])) or "nothing of its limits"
        tier = f" Access tier: {heard['tier']}." if heard["tier"] else ""
        lines.append(f"The platform said at {moments.told(heard['heard_at'])}: {meters}.{tier}")
    errors = told["errors"]
    if errors["calls"]:
        held = " Background retries wait for an hour." if errors["retries_held_back"] else ""
        lines.append(f"Of the app's last {errors['calls']} calls {errors['errors']} failed.{held}")
    for who, at in (("People", told["may_call_at"]), ("The background", told["background_may_call_at"])):
        if at:
            lines.append(f"{who} may call again at {moments.told(at)}.")
    return lines


def park_of(window: dict[str, Any]) -> tuple[datetime | None, str]:
    """A window's park that stops everybody, else that of background work: until when, and why."""
    if window["parked_until"] or not window["background_until"]:
        return window["parked_until"], window["parked_because"]
    return window["background_until"], f"for background work: {window['background_because']}"


def _free_at(meters: list[Meter]) -> list[float | None]:
    return [at for meter in meters for at in (meter.free_at, meter.parked_until)]


def _latest(times: list[float | None]) -> datetime | None:
    """When the last of what stands in the way is gone; None: nothing does."""
    return _moment(max((at for at in times if at), default=None))


def _is_parked(meter: Meter) -> bool:
    return bool(meter.parked_until or meter.background_until)


def _window(meter: Meter) -> dict[str, Any]:
    return {
        "budget": meter.label,
        "used": None if meter.limit is None else meter.used,
        "limit": meter.limit,
        "seconds": meter.seconds,
        "source": meter.source,
        "free_at": _moment(meter.free_at),
        "parked_until": _moment(meter.parked_until),
        "parked_because": meter.parked_because,
        "background_until": _moment(meter.background_until),
        "background_because": meter.background_because,
    }


def _heard(heard: Heard) -> dict[str, Any]:
    """What the platform's last answer said about its own limits."""
    return {
        "heard_at": _moment(heard.at),
        "tier": heard.usage.tier,
        "meters": [
            {
                "scope": reading.scope.value,
                "use_case": reading.use_case,
                "percent": reading.percent,
                "regain_seconds": reading.regain_after if reading.percent >= FULL else 0,
            }
            for reading in heard.usage.readings
        ],
    }


def _meter_words(meter: dict[str, Any]) -> str:
    what = meter["use_case"] or meter["scope"].replace("_", " ")
    regain = f" (free again in {meter['regain_seconds']:g} s)" if meter["regain_seconds"] else ""
    return f"{what} {meter['percent']:g} %{regain}"


def _moment(at: float | None) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if at else None
