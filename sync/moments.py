"""Moments in sentences."""

from datetime import UTC, datetime

from django.utils import timezone


def told(at: datetime) -> str:
    """`14:20:00 UTC`, with the day before it unless that is today: budgets may last until tomorrow."""
    at, now = at.astimezone(UTC), timezone.now().astimezone(UTC)
    return f"{at:%H:%M:%S} UTC" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M:%S} UTC"
