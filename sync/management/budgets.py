"""A connection's budgets as `limits` shows them."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from redis.exceptions import RedisError

from providers.base import FULL
from providers.budget import Heard, Limit, Meter, Window
from sync.engine.error_rate import is_too_high, outcomes
from sync.engine.limits import all_limits_of
from sync.engine.platform import budget_store
from sync.management.google import day_of
from sync.models import Connection

NO_WINDOW = (Window(1, 1.0),)  # stands in where nothing is counted, to read until when it is parked


def budgets(connection: Connection) -> dict[str, Any]:
    """Its windows and parks, and when it may be called again."""
    limits = all_limits_of(connection)
    try:
        windows = _meters(limits)
        in_background = _meters([limit.within(settings.BUDGET_RESERVE) for limit in limits])
        heard = budget_store().heard(limits[0].key)
        last = outcomes(connection.provider)
    except RedisError:
        raise CommandError("The budget store does not answer: check REDIS_URL, and that it runs.") from None
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
        "windows": [_window(meter) for meter in (*windows, *day.meters) if meter.source or _is_parked(meter)],
    }


def _meters(limits: list[Limit]) -> list[Meter]:
    return budget_store().meters(
        [limit if limit.windows else limit._replace(windows=NO_WINDOW) for limit in limits]
    )


def _free_at(meters: list[Meter]) -> list[float | None]:
    return [at for meter in meters for at in (meter.free_at, meter.parked_until)]


def _latest(times: list[float | None]) -> datetime | None:
    """When the last of what stands in the way is gone; None: nothing does."""
    return _moment(max((at for at in times if at), default=None))


def _is_parked(meter: Meter) -> bool:
    return bool(meter.parked_until or meter.background_until)


def _window(meter: Meter) -> dict[str, Any]:
    counted = bool(meter.source)
    return {
        "budget": meter.label,
        "used": meter.used if counted else None,
        "limit": meter.limit if counted else None,
        "seconds": meter.seconds if counted else None,
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


def _moment(at: float | None) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if at else None
