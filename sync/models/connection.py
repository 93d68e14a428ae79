"""One ad account at one provider."""

from datetime import UTC, date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from sync.models.account import Account
from sync.models.base import Pausable, TimeOrdered
from sync.models.choices import ConnectionStatus, CredentialStatus, Provider
from sync.models.credential import Credential

HOUR = timedelta(hours=1)
EPOCH = datetime.fromtimestamp(0, UTC)  # from which slots are counted
PAUSED = "paused"
CONDITIONS = [  # what a connection may be in, each in one word
    ConnectionStatus.ACTIVE.value,
    PAUSED,
    CredentialStatus.RECONNECT_NEEDED.value,
    ConnectionStatus.ACCESS_DENIED.value,
    ConnectionStatus.DISCONNECTED.value,
]


def default_region() -> str:
    """The region of this deployment."""
    return str(settings.REGION)


class ConnectionQuerySet(models.QuerySet["Connection"]):
    """Which connections."""

    def of_account(self, account: Account) -> Self:
        """The tenant's own."""
        return self.filter(account=account)

    def active(self) -> Self:
        """Those that syncs are scheduled for: not paused, not disconnected, with a working credential."""
        return self.filter(
            status=ConnectionStatus.ACTIVE,
            paused_at=None,
            account__paused_at=None,
            credential__status=CredentialStatus.ACTIVE,
        )

    def due(self, now: datetime) -> Self:
        """Active ones whose next scheduled sync has come, the longest overdue first."""
        return self.active().filter(next_sync_at__lte=now).order_by("next_sync_at")

    def with_condition(self) -> Self:
        """With `told_condition`, as the property `condition`; and when the next sync is due, if it is."""
        told = Case(
            When(~Q(status=ConnectionStatus.ACTIVE), then=F("status")),
            When(
                ~Q(credential__status=CredentialStatus.ACTIVE), then=Value(CredentialStatus.RECONNECT_NEEDED)
            ),
            When(Q(paused_at__isnull=False) | Q(account__paused_at__isnull=False), then=Value(PAUSED)),
            default=Value(ConnectionStatus.ACTIVE),
        )
        due = Case(When(told_condition=ConnectionStatus.ACTIVE, then=F("next_sync_at")))
        return self.annotate(told_condition=told).annotate(told_next_sync_at=due)


class Connection(TimeOrdered, Pausable):
    """An ad account, reached through a credential; unique per account, provider and external id."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="connections")
    credential = models.ForeignKey(Credential, models.PROTECT, related_name="connections")
    provider = models.CharField(max_length=10, choices=Provider)
    region = models.CharField(max_length=20, default=default_region)
    external_id = models.CharField(max_length=40, help_text="Meta: act_1234567890. Google: ten digits.")
    login_customer_id = models.CharField(
        max_length=20, blank=True, help_text="Google: the manager through which access is given."
    )
    name = models.CharField(max_length=200, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    time_zone = models.CharField(max_length=60, blank=True)
    access_tier = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",  # for what still runs the code before it
        editable=False,
        help_text="What Meta's answers call the app's access; its documented limits are defaults.",
    )
    status = models.CharField(max_length=20, choices=ConnectionStatus, default=ConnectionStatus.ACTIVE)
    last_sync_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True, blank=True, editable=False
    )
    last_full_sync_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True, blank=True, editable=False
    )
    read_until: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="What changed at the platform before it is copied; an incremental sync asks for the rest.",
    )
    authors_since: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Of the changes seen since then, the platform is still to be asked who made them.",
    )
    attribution = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text="By which rule conversions are counted; empty: the platform's own.",
    )
    next_sync_at = models.DateTimeField(default=timezone.now, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "provider", "external_id"], name="one_connection_per_ad_account"
            ),
        ]
        indexes = [
            # serves ConnectionQuerySet.due
            models.Index(
                fields=["next_sync_at"], condition=Q(status=ConnectionStatus.ACTIVE), name="connection_due"
            ),
            # what has to be connected again
            models.Index(
                fields=["id"], condition=~Q(status=ConnectionStatus.ACTIVE), name="connection_not_active"
            ),
            # serves the budget's and the parking's look from the platform's side
            models.Index(fields=["provider", "external_id"], name="connection_platform"),
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()} {self.name or self.external_id}"

    def slot_after(self, now: datetime, every: timedelta = HOUR) -> datetime:
        """Its slot of the hour, or of the longer time, after the one that `now` is in.

        Where in it the connection syncs is stable, and even over all connections. So the time between two
        syncs is `every`, and on average still is where `every` changes.
        """
        begun = now - (now - EPOCH) % every
        return begun + every + timedelta(seconds=self.pk.int % int(every.total_seconds()))

    def slot_before(self, now: datetime, every: timedelta) -> datetime:
        """The last of its slots that has come: one of every such time."""
        after = self.slot_after(now - every, every)
        return after if after <= now else after - every

    @property
    def zone(self) -> ZoneInfo:
        """Whose days its metrics are of; UTC while the platform's word for it is not known."""
        try:
            return ZoneInfo(self.time_zone or "UTC")
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")

    def day_of(self, moment: datetime) -> date:
        """The day that it is then in the ad account."""
        return moment.astimezone(self.zone).date()

    @property
    def condition(self) -> str:
        """The status in one word for people: what stands in the way first."""
        if self.status != ConnectionStatus.ACTIVE:
            return self.status
        if self.credential.status != CredentialStatus.ACTIVE:
            return CredentialStatus.RECONNECT_NEEDED
        return PAUSED if self.paused_at or self.account.paused_at else ConnectionStatus.ACTIVE
