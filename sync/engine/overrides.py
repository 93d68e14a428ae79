"""The call limits that people set, as each process knows them: all of them, read every two seconds.

So an edit holds on all workers within seconds, in the middle of a run, too, and costs a run nothing.
"""

import time
from functools import cache

from providers.budget import Window
from sync.engine.keys import account_key, ad_account_key, plan_key, provider_key
from sync.models import CallLimit
from sync.models.choices import LimitScope

FRESH = 2.0  # seconds: one small query per process in them, however many calls and runs there are

Windows = dict[str, tuple[Window, ...]]


class Overrides:
    """By key, the windows that were set."""

    def __init__(self) -> None:
        self._windows: Windows = {}
        self._fresh_until = 0.0  # by the monotonic clock

    def of(self, key: str) -> tuple[Window, ...]:
        """What is set for this key now."""
        if time.monotonic() > self._fresh_until:
            self._windows = _read()
            self._fresh_until = time.monotonic() + FRESH
        return self._windows.get(key, ())

    def forget(self) -> None:
        """Read anew at the next question: something was set here."""
        self._fresh_until = 0.0


@cache
def overrides() -> Overrides:
    """This process's."""
    return Overrides()


def _read() -> Windows:
    windows: Windows = {}
    for limit in CallLimit.objects.holding().order_by("seconds"):
        window = Window(limit.calls, limit.seconds, f"set by {limit.set_by}{_for_many(limit)}")
        windows[_key(limit)] = (*windows.get(_key(limit), ()), window)
    return windows


def _key(limit: CallLimit) -> str:
    if limit.account_id is not None:
        return account_key(limit.account_id)
    if limit.plan_id is not None:
        return plan_key(limit.plan_id)
    if limit.scope == LimitScope.PROVIDER:
        return provider_key(limit.provider)
    return ad_account_key(limit.provider, limit.external_id, limit.use_case)


def _for_many(limit: CallLimit) -> str:
    """Where it holds for more than what it is shown at."""
    if limit.scope == LimitScope.PLAN:
        return " for the plan"
    return " for each ad account" if limit.scope == LimitScope.CONNECTION and not limit.external_id else ""
