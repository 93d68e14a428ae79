"""The rows of the queues and of the kinds' limits, made when they are first needed."""

from django.conf import settings

from sync.models import KindLimit, Queue


def ensure_queue(provider: str, region: str) -> None:
    """Make the queue's row, with the setting's number of slots, unless it is there; so with the kinds'."""
    _, is_new = Queue.objects.get_or_create(
        provider=provider,
        region=region,
        defaults={
            "concurrency": settings.CONCURRENCY[provider],
            "patience": settings.PATIENCE["other"],
            "manual_patience": settings.PATIENCE["manual"],
        },
    )
    if is_new:
        for kind, concurrency in settings.KIND_CONCURRENCY.items():
            if concurrency:
                KindLimit.objects.get_or_create(
                    region=region, kind=kind, defaults={"concurrency": concurrency}
                )
