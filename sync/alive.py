"""Who is at work: every worker says so every few seconds in the database, and the tick each time it ran.

For `manage.py workers`, readiness and the health check. Not for taking runs back: leases do that, and
sooner. Database rows, not Celery's events: those cost a fifth of the throughput and go with the broker.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import BooleanField, Case, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from sync.models import Pulse, SyncRun

SILENT = timedelta(seconds=30)  # five pulses may come late on a busy machine before a worker counts as dead
FORGOTTEN = timedelta(days=1)  # a dead worker is shown this long, so that a night's crash is seen
TICK = "sync.tick"


@dataclass(frozen=True)
class Worker:
    """One worker process as it last showed itself, and the runs that it holds."""

    name: str
    queues: tuple[str, ...]
    concurrency: int
    started_at: datetime
    seen_at: datetime
    is_alive: bool
    runs: tuple[SyncRun, ...]


def workers() -> list[Worker]:
    """All workers of the last day by name, the dead ones too, with what each is doing."""
    pulses = Pulse.objects.exclude(name=TICK).annotate(
        is_alive=Case(
            When(seen_at__gt=Now() - SILENT, then=Value(True)),
            default=Value(False),
            output_field=BooleanField(),
        )
    )
    running = list(SyncRun.objects.running().select_related("connection", "account").order_by("started_at"))
    return [
        Worker(
            name=pulse.name,
            queues=tuple(pulse.queues),
            concurrency=pulse.concurrency,
            started_at=pulse.started_at,
            seen_at=pulse.seen_at,
            is_alive=pulse.is_alive,
            runs=tuple(run for run in running if run.worker == pulse.name),
        )
        for pulse in pulses.order_by("name")
    ]


def workers_by_queue() -> Counter[str]:
    """How many living workers take messages from each queue."""
    alive = Pulse.objects.exclude(name=TICK).filter(seen_at__gt=Now() - SILENT)
    return Counter(queue for queues in alive.values_list("queues", flat=True) for queue in queues)


def served_queues() -> set[str]:
    """The names of the queues that a living worker takes messages from."""
    return set(workers_by_queue())


def record(name: str, *, started_at: datetime, queues: tuple[str, ...] = (), concurrency: int = 0) -> None:
    """Note that something works now, by the database's clock."""
    pulse = Pulse(
        name=name, queues=list(queues), concurrency=concurrency, started_at=started_at, seen_at=Now()
    )
    Pulse.objects.bulk_create(
        [pulse],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["queues", "concurrency", "started_at", "seen_at"],
    )


def forget(name: str) -> None:
    """It ended in good order, so it is not dead."""
    Pulse.objects.filter(name=name).delete()


def forget_old() -> None:
    """A night's crash is seen in the morning; what fell silent before that is not shown any more."""
    Pulse.objects.filter(seen_at__lt=Now() - FORGOTTEN).delete()


def record_tick() -> None:
    """The tick ran: beat sends it and a worker of the maintenance queue does it."""
    record(TICK, started_at=timezone.now())


def last_tick() -> datetime | None:
    """When the tick last ran to its end; None when it never did."""
    return Pulse.objects.filter(name=TICK).values_list("seen_at", flat=True).first()


def tick_is_fresh() -> bool:
    """Whether the tick ran a moment ago."""
    return Pulse.objects.filter(name=TICK, seen_at__gt=Now() - SILENT).exists()
