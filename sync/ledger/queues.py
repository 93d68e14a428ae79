"""The rows of the queues, made when they are first needed."""

from django.conf import settings

from sync.models import Queue


def ensure_queue(provider: str, region: str) -> None:
    """Make the queue's row, with the setting's number of slots, unless it is there."""
    Queue.objects.get_or_create(
        provider=provider, region=region, defaults={"concurrency": settings.CONCURRENCY[provider]}
    )
