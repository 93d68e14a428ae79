"""Ad accounts whose data is older than promised, whatever the reason: budgets, outages, failures, workers."""

from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import Count, Min
from django.db.models.functions import Coalesce
from django.utils import timezone

from sync.google.day import span
from sync.google.project import project_name
from sync.models import Connection, GoogleProject
from sync.models.choices import Provider
from sync.models.connection import HOUR

PATIENCE = 2  # intervals: one for the slot, one for the wait in it
LOOKED_FOR = 60  # seconds between two looks through all connections; a probe asks more often


def stale_data() -> list[str]:
    """A sentence for each platform that has some; at most a minute old."""
    return cache.get_or_set("sync.stale", lambda: _look(timezone.now()), LOOKED_FOR) or []


def _look(now: datetime) -> list[str]:
    sentences = []
    for provider, every in ((Provider.META, HOUR), (Provider.GOOGLE, _interval_of_google())):
        known = Connection.objects.active().filter(provider=provider)
        old = known.annotate(read=Coalesce("read_until", "created_at")).filter(
            read__lt=now - PATIENCE * every
        )
        told = old.aggregate(number=Count("pk"), oldest=Min("read"))
        if told["number"]:
            sentences.append(
                f"{provider.label}'s ad accounts are to be synced every {span(every)}, but the data of "
                f"{told['number']:,} is older than twice that, the oldest of {told['oldest']:%Y-%m-%d %H:%M} "
                "UTC: `manage.py queue` tells what waits, `manage.py dead_letters` what failed."
            )
    return sentences


def _interval_of_google() -> timedelta:
    """As the day allows; see `sync.google.pace`."""
    project = GoogleProject.objects.filter(name=project_name()).first()
    return project.interval if project else HOUR
