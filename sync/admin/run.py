"""The sync history: every run, from request to outcome. A record: it is read, cancelled and replayed only.

The list is never counted (a million rows would cost a scan per page) and always newest first, by the
time-ordered key, so a page costs one walk of the index.
"""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from unfold.enums import ActionVariant

from sync.admin import tables
from sync.admin.attempt import AttemptInline
from sync.admin.audit import log
from sync.admin.base import LargeTable, LookOnly, action, leave, operator
from sync.admin.filters import AutocompleteSelectFilter, ChoicesDropdownFilter, ErrorFilter, SinceFilter
from sync.admin.intervention import InterventionInline
from sync.admin.reasons import ReasonForm, reason_of
from sync.admin.replaying import ReplayingAdmin
from sync.admin.run_columns import RunColumns
from sync.admin.words import link, listing, page
from sync.changes import untold
from sync.ledger.cancel import cancel
from sync.ledger.waiting import RELATED
from sync.models import Change, Connection, JoinedRequest, SyncRun
from sync.models.choices import RunState
from sync.models.run_queries import SyncRunQuerySet

CHANGES_SHOWN = 100


@admin.register(SyncRun)
class SyncRunAdmin(RunColumns, LookOnly, ReplayingAdmin, LargeTable):
    """Nothing here is written but by the ledger, which is asked to cancel, replay or resolve."""

    list_display: tuple[str, ...] = (
        "times",
        "state_and_percent",
        "where",
        "work",
        "took_and_calls",
        "records",
        "category",
    )
    list_select_related = ("connection", "account")
    list_filter: tuple[Any, ...] = (
        ("state", ChoicesDropdownFilter),
        ("provider", ChoicesDropdownFilter),
        ("account", AutocompleteSelectFilter),
        ("connection", AutocompleteSelectFilter),
        ErrorFilter,
        ("kind", ChoicesDropdownFilter),
        ("trigger", ChoicesDropdownFilter),
        SinceFilter,
    )
    search_fields = ("pk",)  # shows the box; what it finds is in `get_search_results`
    search_help_text = "Run id, request id or external id"
    inlines = (AttemptInline, InterventionInline)
    actions = ("cancel_selected", *ReplayingAdmin.actions)
    actions_detail = ("cancel", *ReplayingAdmin.actions_detail)
    change_form_outer_after_template = "admin/sync/run_changes.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("state_badge", "percent"),
                    ("what", "trigger"),
                    ("account", "connection"),
                    "waiting",
                    "error",
                )
            },
        ),
        (
            "Time",
            {"fields": (("requested", "requester"), ("started", "finished"), ("took", "tries"))},
        ),
        (
            "Copied",
            {
                "fields": (
                    ("campaigns_count", "ad_groups_count"),
                    ("ads_count", "insights_count"),
                    ("wrote", "calls"),
                )
            },
        ),
        ("What lacks", {"fields": ("health_badge", "denied", "unequal")}),
        (
            "For support",
            {
                "fields": (
                    "id",
                    "request",
                    ("platform_code", "trace_id"),
                    "worker",
                    ("campaign_ids", "ad_group_ids"),
                    ("ad_ids", "levels"),
                    "checkpoint",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> SyncRunQuerySet:
        queryset: SyncRunQuerySet = super().get_queryset(request)
        return queryset.select_related("account", "request__requested_by", *RELATED)

    def get_search_results(
        self, request: HttpRequest, queryset: SyncRunQuerySet, search_term: str
    ) -> tuple[SyncRunQuerySet, bool]:
        """Each by an index: the key, the request's key, or the ad account's id."""
        if not (term := search_term.strip()):
            return queryset, False
        try:
            wanted = UUID(term)
        except ValueError:
            connections = Connection.objects.filter(external_id__icontains=term)
            return queryset.filter(connection__in=connections), False
        joined = list(JoinedRequest.objects.filter(request_id=wanted).values_list("run_id", flat=True))
        return queryset.filter(Q(pk=wanted) | Q(request_id=wanted) | Q(pk__in=joined)), False

    @action(description="Cancel the selected", permissions=["control"])
    def cancel_selected(self, request: HttpRequest, queryset: SyncRunQuerySet) -> None:
        self._cancel(request, queryset, reason=reason_of(request))

    @action(
        description="Cancel",
        icon="cancel",
        variant=ActionVariant.DANGER,
        permissions=["control"],
        dialog={
            "title": "Cancel this sync",
            "description": "If it waits, it ends at once; if it runs, it ends when its page is stored.",
            "form_class": ReasonForm,
            "form_submit_text": "Cancel the sync",
        },
    )
    def cancel(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        run = self.row(request, object_id)
        self._cancel(request, SyncRun.objects.filter(pk=run.pk), reason=form.cleaned_data["reason"])
        return leave(request, page(run))

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Only the buttons that do something."""
        run = self.get_object(request, object_id)
        able: tuple[str, ...] = ()
        if run is not None and run.is_open:
            able = ("cancel",)
        elif run is not None and run.is_dead_letter:
            able = ReplayingAdmin.actions_detail
        return [found for found in super().get_actions_detail(request, object_id) if found.path in able]

    def _cancel(self, request: HttpRequest, runs: SyncRunQuerySet, *, reason: str) -> None:
        chosen = runs.count()
        # of the bare table: the list's own queryset has joins that a row lock can't take
        mine = SyncRun.objects.filter(pk__in=list(runs.values_list("pk", flat=True)))
        cancelled = cancel(mine, by=operator(request).get_username(), reason=reason)
        log(request, cancelled, f"Cancelled. {reason}".strip())
        self.message_user(request, _outcome(cancelled, chosen))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page, with the newest changes that the run saw below."""
        run = self.get_object(request, object_id)
        extra = _changes(run) if run else {}
        response: HttpResponse = super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **extra}
        )
        return response


def _outcome(cancelled: list[SyncRun], chosen: int) -> str:
    running = sum(run.state == RunState.RUNNING for run in cancelled)
    parts = [f"Cancelled {len(cancelled) - running} that waited."]
    if running:
        parts.append(f"{running} running: ending when the page is stored.")
    if ended := chosen - len(cancelled):
        parts.append(f"{ended} had ended already.")
    return " ".join(parts)


def _changes(run: SyncRun) -> dict[str, Any]:
    rows = list(Change.objects.filter(run_id=run.pk).order_by("-pk")[: CHANGES_SHOWN + 1])
    return {
        "changes": tables.changes(rows[:CHANGES_SHOWN]),
        "untold": untold(run),
        "more_changes": len(rows) > CHANGES_SHOWN,
        "changes_link": link(listing(Change, run_id=run.pk), "All changes of this run"),
    }
