"""The numbers of the index: what waits, what runs, what failed, and what stands in the way."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Min, Q
from django.utils import timezone

from sync.admin.tables import Table, failed_runs
from sync.admin.words import CONDITION_COLOURS, duration, listing, spoken
from sync.google.day import google_day
from sync.models import Connection, Queue, SyncRun
from sync.models.choices import OPEN, Provider, RunState
from sync.models.connection import CONDITIONS
from sync.outages import outages

DAY = timedelta(days=1)
FAILURES_SHOWN = 10


def connections() -> list[dict[str, Any]]:
    """How many are in each condition; those that are in none are left out."""
    counted = Connection.objects.with_condition().values_list(F("told_condition")).order_by()
    numbers = dict(counted.annotate(number=Count("pk")))
    return [
        {
            "text": spoken(word).capitalize(),
            "colour": CONDITION_COLOURS.get(word, ""),
            "number": numbers[word],
            "url": listing(Connection, condition=word),
        }
        for word in CONDITIONS
        if word in numbers
    ]


def providers() -> list[dict[str, Any]]:
    """Each provider's open runs, and how the last 24 hours ended."""
    now = timezone.now()
    still_open = _count_open()
    ended = _count_ended(now - DAY)
    day = google_day()
    notes = {Provider.GOOGLE: [str(day), *day.sentences] if day else []}
    told = (_provider(provider, still_open, ended, now) for provider in Provider)
    return [{**one, "notes": notes.get(one["provider"], [])} for one in told]


def failures() -> Table:
    """The newest dead letters, as a table."""
    failed = SyncRun.objects.dead_letters().select_related("connection", "account")
    return failed_runs(failed.order_by("-finished_at")[:FAILURES_SHOWN])


def _count_open() -> dict[tuple[str, str], dict[str, Any]]:
    """By the small index of open runs, however long the history is."""
    rows = SyncRun.objects.filter(state__in=OPEN).values("provider", "state").order_by()
    counted = rows.annotate(number=Count("pk"), oldest=Min("queued_at", filter=Q(is_held=False)))
    return {(row["provider"], row["state"]): dict(row) for row in counted}


def _count_ended(since: datetime) -> dict[tuple[str, str], int]:
    rows = SyncRun.objects.filter(finished_at__gte=since).values("provider", "state").order_by()
    return {(row["provider"], row["state"]): row["number"] for row in rows.annotate(number=Count("pk"))}


def _provider(
    provider: Provider,
    still_open: dict[tuple[str, str], dict[str, Any]],
    ended: dict[tuple[str, str], int],
    now: datetime,
) -> dict[str, Any]:
    queues = list(Queue.objects.filter(provider=provider))
    waiting = still_open.get((provider, RunState.QUEUED))
    succeeded, failed = (ended.get((provider, state), 0) for state in (RunState.SUCCEEDED, RunState.FAILED))
    return {
        "provider": provider,
        "name": provider.label,
        "paused": any(queue.paused_at for queue in queues),
        "outages": outages(provider),
        "slots": sum(queue.concurrency for queue in queues),
        "numbers": [
            (state.label, _number(still_open, provider, state), _runs(provider, state))
            for state in (RunState.RUNNING, RunState.QUEUED, RunState.DEFERRED)
        ],
        "oldest": duration(now - waiting["oldest"]) if waiting and waiting["oldest"] else None,
        "succeeded": succeeded,
        "failed": failed,
        "failed_url": _runs(provider, RunState.FAILED, since="24h"),
        "rate": f"{100 * succeeded / (succeeded + failed):.1f} %" if succeeded + failed else None,
    }


def _number(still_open: dict[tuple[str, str], dict[str, Any]], provider: Provider, state: RunState) -> int:
    row = still_open.get((provider, state))
    return row["number"] if row else 0


def _runs(provider: Provider, state: RunState, **filters: str) -> str:
    return listing(SyncRun, provider__exact=provider, state__exact=state, **filters)
