"""The queues: how many runs at once, also of one kind, and pause and resume of a whole provider."""

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.safestring import SafeString

from sync.admin.base import Admin, display
from sync.admin.pausing import PausableAdmin
from sync.admin.words import link, listing
from sync.models import KindLimit, Queue, SyncRun
from sync.models.choices import RunState


class SlotsForm(forms.ModelForm):  # type: ignore[type-arg]  # takes none at run time
    """At least one slot."""

    def clean_concurrency(self) -> int:
        slots: int = self.cleaned_data["concurrency"]
        if slots < 1:
            raise forms.ValidationError("At least one. To start nothing at all, pause the queue.")
        return slots


@admin.register(Queue)
class QueueAdmin(PausableAdmin):
    """Made when first needed, never deleted."""

    form = SlotsForm
    list_display = ("name", "concurrency", "running", "waiting", "deferred", "paused")
    ordering = ("provider", "region")
    fields = (
        "name",
        "concurrency",
        "patience",
        "manual_patience",
        "running",
        "waiting",
        "deferred",
        "paused",
        "pauses",
    )
    readonly_fields = ("name", "running", "waiting", "deferred", "paused", "pauses")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Queue | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Queue]":
        queryset: QuerySet[Queue] = super().get_queryset(request)
        return queryset.annotate(
            running_count=_count(RunState.RUNNING),
            waiting_count=_count(RunState.QUEUED),
            deferred_count=_count(RunState.DEFERRED),
        )

    @display(description="Running", ordering="running_count")
    def running(self, queue: Queue) -> SafeString:
        return _runs(queue, RunState.RUNNING, queue.running_count)  # type: ignore[attr-defined]  # annotated

    @display(description="Waiting", ordering="waiting_count")
    def waiting(self, queue: Queue) -> SafeString:
        return _runs(queue, RunState.QUEUED, queue.waiting_count)  # type: ignore[attr-defined]  # annotated

    @display(description="Deferred", ordering="deferred_count")
    def deferred(self, queue: Queue) -> SafeString:
        return _runs(queue, RunState.DEFERRED, queue.deferred_count)  # type: ignore[attr-defined]  # annotated


@admin.register(KindLimit)
class KindLimitAdmin(Admin):
    """Beside the queues' slots; delete a limit to lift it. Counts from the next start on."""

    form = SlotsForm
    list_display = ("kind", "region", "concurrency")
    ordering = ("region", "kind")
    fields = ("region", "kind", "concurrency")


def _count(state: RunState) -> Coalesce:
    """The queue's runs of a state, by that state's own small index."""
    runs = SyncRun.objects.filter(provider=OuterRef("provider"), region=OuterRef("region"), state=state)
    return Coalesce(Subquery(runs.values("state").annotate(number=Count("pk")).values("number")), 0)


def _runs(queue: Queue, state: RunState, number: int) -> SafeString:
    return link(listing(SyncRun, provider__exact=queue.provider, state__exact=state), number)
