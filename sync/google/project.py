"""Which project it is, and what it may do in a day."""

from django.conf import settings

from providers.budget import Window
from sync.models import CallLimit
from sync.models.choices import LimitScope, Provider
from sync.models.limit import DAY

OF_THE_DAY = {"scope": LimitScope.PROVIDER, "provider": Provider.GOOGLE, "seconds": DAY}


def project_name() -> str:
    """The project's number, with which the ids of all its OAuth clients begin."""
    return str(settings.GOOGLE_CLIENT_ID).partition("-")[0]


def is_day_limit(limit: CallLimit) -> bool:
    """Whether people set it for Google's day, which each run asks for once, when it starts."""
    return all(getattr(limit, name) == value for name, value in OF_THE_DAY.items())


def day_limit() -> Window | None:
    """The operations of any 24 hours: as people set them for Google, else the settings'; None: no limit."""
    held = CallLimit.objects.holding().filter(**OF_THE_DAY)
    if found := held.first():
        return Window(found.calls, DAY, f"set by {found.set_by}")
    windows = settings.PROVIDER_WINDOWS[Provider.GOOGLE]
    told = [(calls, "GOOGLE_PROVIDER_WINDOWS") for calls, seconds in windows if seconds == DAY]
    is_the_levels = settings.GOOGLE_DAILY_OPERATIONS == settings.GOOGLE_LEVEL_OPERATIONS
    name = "GOOGLE_ACCESS_LEVEL" if is_the_levels else "GOOGLE_DAILY_OPERATIONS"
    told.append((settings.GOOGLE_DAILY_OPERATIONS, name))
    calls, name = min((one for one in told if one[0]), default=(0, ""))
    return Window(calls, DAY, f"the setting {name}") if calls else None
