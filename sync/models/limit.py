"""Call limits that people set at run time, each with who set it, when and why; and calls of no run.

A limit replaces the default of the same length (a setting's, or the plan's), and a length that no
default has is one more window, as a pause between calls is. None is ever edited or deleted: it ends
when another replaces it or somebody clears it, so the table is its own history.
"""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from providers.budget import Window
from providers.registry import USE_CASES
from sync.models.account import Account, Plan
from sync.models.choices import LimitScope, Provider

DAY = 86_400  # seconds, the longest window of any platform
EXAMPLES = {Provider.META: (r"act_\d+", "act_1234567890"), Provider.GOOGLE: (r"\d+", "1234567890")}
WORDS = {"external_id": "ad account", "use_case": "use case"}
# What a limit of each scope names, and what it may name besides.
NAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    LimitScope.PROVIDER: (("provider",), ()),
    LimitScope.PLAN: (("plan",), ()),
    LimitScope.ACCOUNT: (("account",), ()),
    LimitScope.CONNECTION: (("provider",), ("external_id", "use_case")),
}


class CallLimitQuerySet(models.QuerySet["CallLimit"]):
    """Which limits."""

    def holding(self) -> "CallLimitQuerySet":
        """Those that hold now."""
        return self.filter(ended_at=None)

    def like(self, limit: "CallLimit") -> "CallLimitQuerySet":
        """Those of the same thing, of any length."""
        return self.filter(
            scope=limit.scope,
            provider=limit.provider,
            plan=limit.plan,
            account=limit.account,
            external_id=limit.external_id,
            use_case=limit.use_case,
        )


class CallLimit(models.Model):
    """At most so many calls within so many seconds, for one thing."""

    scope = models.CharField(max_length=10, choices=LimitScope)
    provider = models.CharField(max_length=10, choices=Provider, blank=True)
    plan = models.ForeignKey(Plan, models.CASCADE, null=True, blank=True, related_name="+")
    account = models.ForeignKey(Account, models.CASCADE, null=True, blank=True, related_name="+")
    external_id = models.CharField(
        "ad account",
        max_length=40,
        blank=True,
        help_text="The platform's id of it, whoever connects it. Empty: every ad account of the provider.",
    )
    use_case = models.CharField(
        max_length=30, blank=True, help_text="What Meta meters apart: ads_management or ads_insights."
    )
    calls = models.PositiveIntegerField(
        validators=[MinValueValidator(1, "At least one. To call nothing at all, pause it.")]
    )
    seconds = models.FloatField(
        validators=[
            MinValueValidator(0.001, "More than nothing: 60 is a minute, 3600 an hour."),
            MaxValueValidator(DAY, f"At most {DAY}, a day: no platform counts longer."),
        ],
        help_text="1 call in N seconds is a pause of N seconds between calls.",
    )
    reason = models.CharField(max_length=200, blank=True, help_text="Why, for whoever wonders later.")
    set_at = models.DateTimeField(db_default=Now(), editable=False)
    set_by = models.CharField(max_length=150, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    ended_by = models.CharField(max_length=150, blank=True, editable=False)

    objects = CallLimitQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "provider", "plan", "account", "external_id", "use_case", "seconds"],
                condition=Q(ended_at=None),
                nulls_distinct=False,
                name="one_limit_per_length",
            ),
            models.CheckConstraint(condition=Q(calls__gte=1, seconds__gt=0), name="limit_lets_calls_through"),
        ]

    def __str__(self) -> str:
        return f"{self.window} for {self.subject}"

    @property
    def window(self) -> Window:
        """As the budgets count it."""
        return Window(self.calls, self.seconds)

    @property
    def subject(self) -> str:
        """What it holds for, in words."""
        if self.scope == LimitScope.PLAN:
            return f"each account of the plan {self.plan}"
        if self.scope == LimitScope.ACCOUNT:
            return f"the account {self.account}"
        if self.scope == LimitScope.PROVIDER:
            return f"all calls to {self.get_provider_display()}"
        whose = self.external_id or f"each ad account of {self.get_provider_display()}"
        return f"{whose} ({self.use_case})" if self.use_case else whose

    def clean(self) -> None:
        """Name exactly what the scope wants to know."""
        if self.scope not in NAMES:
            return  # told at its own field
        wanted, allowed = NAMES[self.scope]
        scope = self.get_scope_display().lower()
        wrong: dict[str, Any] = {}
        for name in ("provider", "plan", "account", "external_id", "use_case"):
            words = WORDS.get(name, name)
            if name in wanted and not getattr(self, name):
                wrong[name] = f"A limit of {scope} names its {words}."
            if name not in (*wanted, *allowed) and getattr(self, name):
                wrong[name] = f"A limit of {scope} names no {words}: leave it empty."
        if not wrong and self.scope == LimitScope.CONNECTION:
            wrong = self._wrong_ad_account()
        if wrong:
            raise ValidationError(wrong)

    def _wrong_ad_account(self) -> dict[str, Any]:
        pattern, example = EXAMPLES[Provider(self.provider)]
        platform, cases = self.get_provider_display(), USE_CASES[self.provider]
        if self.external_id and not re.fullmatch(pattern, self.external_id):
            return {"external_id": f"{platform} names ad accounts like {example}."}
        if self.use_case and self.use_case not in cases:
            told = f"these apart: {', '.join(cases)}" if cases else "no use cases apart: leave it empty"
            return {"use_case": f"{platform} meters {told}."}
        return {}


class OutsideCalls(models.Model):
    """Calls that no run made, but who connected or probed: a store without memory is told of them, too."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    provider = models.CharField(max_length=10, choices=Provider)
    external_id = models.CharField(max_length=40, blank=True)  # none: a listing, which is no ad account's
    calls = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now(), db_index=True)  # of the last one's end

    def __str__(self) -> str:
        return f"{self.calls} for {self.external_id or self.get_provider_display()}"
