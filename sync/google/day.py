"""The project's day as it stands now, in figures and sentences for an operator."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings

from sync.google.operations import used_operations
from sync.google.project import day_limit, project_name
from sync.google.quota import Quota
from sync.models import GoogleProject
from sync.models.connection import HOUR


@dataclass(frozen=True)
class GoogleDay:
    """What is used of the last 24 hours, and what the schedule makes of it."""

    limit: int
    used: int
    background: int  # of the limit; the rest is a reserve for people
    alert: int
    connections: int
    operations_per_sync: float
    interval: timedelta  # between two scheduled syncs of an ad account

    @property
    def percent(self) -> float:
        """How much of the day is used."""
        return 100 * self.used / self.limit

    @property
    def warnings(self) -> list[str]:
        """That it runs short; empty while it does not."""
        if self.used < self.alert:
            return []
        return [
            f"{self.used:,} of the {self.limit:,} operations that Google's project may make in 24 hours are "
            f"used ({self.percent:.0f} %): at {self.background:,} background syncs wait."
        ]

    @property
    def pace(self) -> str:
        """Why syncs are not hourly; empty when they are."""
        if self.interval <= HOUR:
            return ""
        return (
            f"Google's project may make {self.limit:,} operations in 24 hours, too few for hourly syncs of "
            f"{self.connections:,} ad accounts at {self.operations_per_sync:.1f} operations each: each is "
            f"synced every {span(self.interval)}."
        )

    @property
    def sentences(self) -> list[str]:
        """All that there is to say."""
        return [*self.warnings, *filter(None, [self.pace])]

    def figures(self) -> dict[str, Any]:
        """For scripts."""
        own = asdict(self)
        return {**own, "interval": self.interval.total_seconds(), "sentences": self.sentences}

    def __str__(self) -> str:
        return (
            f"Google's project: {self.used:,} of {self.limit:,} operations used in 24 hours, "
            f"{self.background:,} are for background work."
        )


def google_day() -> GoogleDay | None:
    """The day of the project in the settings; None where it has no limit, or did nothing yet."""
    limit = day_limit()
    project = GoogleProject.objects.filter(name=project_name()).first()
    if limit is None or project is None:
        return None
    quota = Quota.of(limit.calls, reserve=settings.BUDGET_RESERVE, weight=1, weights=1)
    return GoogleDay(
        limit=limit.calls,
        used=used_operations(project.name),
        background=quota.most,
        alert=quota.alert,
        connections=project.connections_count,
        operations_per_sync=project.operations_per_sync,
        interval=project.interval,
    )


def span(interval: timedelta) -> str:
    """`7 h 25 min`, `3 d 2 h`"""
    minutes = round(interval.total_seconds() / 60)
    days, minutes = divmod(minutes, 24 * 60)
    parts = ((days, "d"), (minutes // 60, "h"), (minutes % 60, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
