"""How many manual syncs an account may ask for in any hour."""

from datetime import datetime, timedelta

from django.utils import timezone

from sync.errors import ManualLimitReached
from sync.models import Account, SyncRequest
from sync.models.choices import Trigger

HOUR = timedelta(hours=1)


def manual_syncs_since(account: Account, since: datetime) -> list[datetime]:
    """When the accepted manual requests since then were made, oldest first; joins don't count."""
    made = SyncRequest.objects.filter(
        account=account, trigger=Trigger.MANUAL, source="api", created_at__gt=since
    )
    return list(
        made.filter(made_runs__isnull=False)
        .order_by("created_at")
        .distinct()
        .values_list("created_at", flat=True)
    )


def check_manual_limit(account: Account) -> None:
    """Raise `ManualLimitReached` when the newest request, already written, is one too many."""
    now = timezone.now()
    times = manual_syncs_since(account, now - HOUR)
    limit = account.manual_syncs_per_hour
    if len(times) > limit:
        free_at = times[len(times) - 1 - limit] + HOUR
        raise ManualLimitReached(used=len(times) - 1, limit=limit, available_at=free_at, now=now)
