"""How many of an app's last calls failed, and what background work does about it.

Meta keeps an app in its full tier only while fewer than 15 % of its last calls fail, so blind retries
cost everybody. Above a threshold a retry of background work waits for an hour instead of seconds; a
person's is never held back.
"""

from datetime import timedelta

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from providers.budget import Outcomes
from sync.engine.keys import provider_key
from sync.engine.platform import budget_store
from sync.models import SyncRun
from sync.models.choices import Trigger

logger = structlog.get_logger(__name__)

ENOUGH = 50  # calls: of fewer, a handful of failures says nothing
HELD_BACK = timedelta(hours=1)  # three attempts in two hours are no burst, and the run still comes to an end


def outcomes(provider: str) -> Outcomes:
    """Of the provider's last calls, over all tenants."""
    return budget_store().outcomes(provider_key(provider))


def is_too_high(provider: str, told: Outcomes) -> bool:
    """Whether background work has to hold back its retries."""
    most = settings.MAX_ERROR_RATE.get(provider)
    return most is not None and told.calls >= ENOUGH and told.rate > most


def least_wait(run: SyncRun) -> timedelta:
    """Before the run's next attempt, should there be one."""
    if run.trigger == Trigger.MANUAL:
        return timedelta(0)
    try:
        told = outcomes(run.provider)
    except RedisError:
        return timedelta(0)  # without the store nothing is called anyway
    if not is_too_high(run.provider, told):
        return timedelta(0)
    logger.warning("retry held back", provider=run.provider, calls=told.calls, errors=told.errors)
    return HELD_BACK
