"""Which project it is, and what it may do in a day."""

from django.conf import settings

from providers.budget import Window
from sync.models import CallLimit
from sync.models.choices import LimitScope, Provider
from sync.models.limit import DAY


def project_name() -> str:
    """The project's number, with which the ids of all its OAuth clients begin."""
    return str(settings.GOOGLE_CLIENT_ID).partition("-")[0]


def day_limit() -> Window | None:
    """The operations of any 24 hours: as people set them for Google, else the setting's; None: no limit."""
    held = CallLimit.objects.holding().filter(
        scope=LimitScope.PROVIDER, provider=Provider.GOOGLE, seconds=DAY
    )
    if found := held.first():
        return Window(found.calls, DAY, f"set by {found.set_by}")
    operations: int = settings.GOOGLE_DAILY_OPERATIONS
    return Window(operations, DAY, "the setting GOOGLE_DAILY_OPERATIONS") if operations else None
