"""Tenants, their members, their plans and their API tokens."""

from django.conf import settings
from django.db import models
from knox.models import AbstractAuthToken, AuthTokenManager

from sync.models.base import Pausable, TimeOrdered
from sync.models.choices import Role


class Plan(models.Model):
    """A named set of limits that staff assign to accounts."""

    name = models.CharField(max_length=60, unique=True)
    calls_per_minute = models.PositiveIntegerField(
        null=True, blank=True, help_text="Platform calls of the whole account in any minute. Empty: no limit."
    )
    calls_per_hour = models.PositiveIntegerField(
        null=True, blank=True, help_text="Platform calls of the whole account in any hour. Empty: no limit."
    )
    manual_syncs_per_hour = models.PositiveIntegerField(
        null=True, blank=True, help_text="Accepted manual syncs in any hour. Empty: the setting's value."
    )
    weight = models.PositiveSmallIntegerField(
        default=1, help_text="Share of the workers when accounts compete: 2 gets twice the turns of 1."
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(weight__gte=1), name="plan_weight_positive")]

    def __str__(self) -> str:
        return self.name


class Account(TimeOrdered, Pausable):
    """A tenant: an agency or a shop."""

    name = models.CharField(max_length=120)
    plan = models.ForeignKey(
        Plan, models.PROTECT, null=True, blank=True, help_text="Empty: the settings' limits."
    )
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="accounts")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    @property
    def manual_syncs_per_hour(self) -> int:
        """How many manual syncs the account may ask for in any hour."""
        if self.plan and self.plan.manual_syncs_per_hour is not None:
            return self.plan.manual_syncs_per_hour
        return int(settings.MANUAL_SYNCS_PER_HOUR)

    @property
    def weight(self) -> int:
        """The account's share of the workers when accounts compete."""
        return self.plan.weight if self.plan else 1


class Membership(models.Model):
    """One user's role in one account."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "user"], name="one_membership_per_account_user")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.account} ({self.role})"


class ApiToken(AbstractAuthToken):  # type: ignore[misc]  # knox has no types
    """A Bearer token, bound to one account. Only its hash is stored; it is shown once, when made."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    name = models.CharField(max_length=80, blank=True, help_text="What it is for, e.g. 'frontend'.")

    objects = AuthTokenManager()

    def __str__(self) -> str:
        return f"{self.token_key}… {self.name}".strip()
