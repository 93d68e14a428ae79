"""The attempts of a run, on its page: what the platform's support asks for stands here."""

from django.http import HttpRequest
from django.utils.safestring import SafeString

from sync.admin.base import Inline, LookOnly, display
from sync.admin.words import OUTCOME_COLOURS, badge, duration, moment
from sync.models import SyncAttempt


class AttemptInline(LookOnly, Inline):
    """Newest first; a long backfill has many, for each deferral ends one."""

    model = SyncAttempt
    ordering = ("-started_at",)
    per_page = 25
    can_delete = False
    hide_title = True
    fields = (
        "at",
        "took",
        "state_badge",
        "calls",
        "error_category",
        "error_code",
        "platform_code",
        "trace_id",
        "message",
        "worker",
    )
    readonly_fields = fields

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may see the run may see its attempts."""
        return True

    @display(description="Started")
    def at(self, attempt: SyncAttempt) -> str:
        return moment(attempt.started_at)

    @display(description="Took")
    def took(self, attempt: SyncAttempt) -> str:
        return duration(attempt.ended_at - attempt.started_at if attempt.ended_at else None)

    @display(description="Outcome")
    def state_badge(self, attempt: SyncAttempt) -> SafeString:
        return badge(
            attempt.outcome, attempt.get_outcome_display() if attempt.outcome else "Running", OUTCOME_COLOURS
        )
