"""Which project it is, and what it may do in a day."""

from django.conf import settings

from sync.models import CallLimit
from sync.models.choices import LimitScope, Provider
from sync.models.limit import DAY


def project_name() -> str:
    """The project's number, with which the ids of all its OAuth clients begin."""
    return str(settings.GOOGLE_CLIENT_ID).partition("-")[0]


def daily_operations() -> int:
    """The operations of any 24 hours: as people set them for Google, else the setting's; 0: no limit."""
    held = CallLimit.objects.holding().filter(
        scope=LimitScope.PROVIDER, provider=Provider.GOOGLE, seconds=DAY
    )
    return held.values_list("calls", flat=True).first() or int(settings.GOOGLE_DAILY_OPERATIONS)
