"""How many manual syncs an account may ask for, in any hour and on any day (UTC).

Counted are accepted requests of people, each once however many runs it made; joining a waiting run
costs nothing, and an operator's syncs in the admin are no part of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from sync import moments
from sync.errors import ManualLimitReached
from sync.models import Account, SyncRequest, SyncRun
from sync.models.choices import Trigger

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Allowance:
    """What was used of it, and when the next manual sync may be asked for."""

    last_hour: int
    per_hour: int
    today: int
    per_day: int
    available_at: datetime | None  # None: now

    @property
    def is_free(self) -> bool:
        """Whether one more is allowed now."""
        return self.available_at is None


def manual_allowance(account: Account) -> Allowance:
    """How much of its manual syncs the account has used."""
    now = timezone.now()
    return _allowance(account, _made(account, now), now)


def check_manual_limit(account: Account) -> None:
    """Raise `ManualLimitReached` when the newest request, already written, is one too many."""
    now = timezone.now()
    allowance = _allowance(account, _made(account, now)[:-1], now)
    if allowance.available_at is not None:
        raise ManualLimitReached(
            _refusal(allowance),
            used=allowance.last_hour,
            limit=allowance.per_hour,
            available_at=allowance.available_at,
            now=now,
        )


def _made(account: Account, now: datetime) -> list[datetime]:
    """When the requests of today and of the last hour were made, oldest first; joins are not among them."""
    made = SyncRequest.objects.filter(
        Exists(SyncRun.objects.filter(request=OuterRef("pk"))),
        account=account,
        trigger=Trigger.MANUAL,
        source="api",
        created_at__gte=min(_midnight(now), now - HOUR),
    )
    return list(made.order_by("created_at", "pk").values_list("created_at", flat=True))


def _allowance(account: Account, made: list[datetime], now: datetime) -> Allowance:
    in_hour = [at for at in made if at > now - HOUR]
    today = sum(at >= _midnight(now) for at in made)
    per_hour, per_day = account.manual_syncs_per_hour, settings.MAX_MANUAL_SYNCS_PER_DAY
    free_at = []
    if len(in_hour) >= per_hour:
        free_at.append([*in_hour, now][len(in_hour) - per_hour] + HOUR)
    if today >= per_day:
        free_at.append(_midnight(now) + DAY)
    return Allowance(len(in_hour), per_hour, today, per_day, max(free_at, default=None))


def _refusal(allowance: Allowance) -> str:
    assert allowance.available_at  # noqa: S101  (for the type checker; else nothing would be refused)
    if allowance.today >= allowance.per_day:
        used = f"{allowance.today} manual syncs today; {allowance.per_day} are allowed."
    else:
        used = f"{allowance.last_hour} manual syncs in the last hour; {allowance.per_hour} are allowed."
    return f"{used} The next one can start at {moments.told(allowance.available_at)}."


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
