"""Pause and resume, for whatever can be paused: as actions of the list and as buttons of the page."""

from typing import Any

from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.dataclasses import UnfoldAction

from sync.admin.audit import log
from sync.admin.base import Admin, action, display, leave, operator
from sync.admin.reasons import ReasonActionForm, ReasonForm, reason_of
from sync.admin.words import link, listing, moment, page
from sync.ledger.pause import PausableRow, pause, resume
from sync.models import Intervention


class PausableAdmin(Admin):
    """The pages of something that can be paused. A pause starts nothing new; what runs goes on."""

    action_form = ReasonActionForm
    actions: tuple[str, ...] = ("pause_selected", "resume_selected")
    actions_detail: tuple[str, ...] = ("pause", "resume")

    @display(description="Paused", ordering="paused_at")
    def paused(self, row: PausableRow) -> str:
        return f"Since {moment(row.paused_at)}{row.pause_note}" if row.paused_at else "No"

    @display(description="Pauses")
    def pauses(self, row: PausableRow) -> SafeString:
        chosen = {f"{row._meta.model_name}__id__exact": row.pk}
        return link(listing(Intervention, **chosen), "Who, when and why")

    @action(description="Pause the selected", permissions=["change"])
    def pause_selected(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        self._pause(request, list(queryset), reason=reason_of(request))

    @action(description="Resume the selected", permissions=["change"])
    def resume_selected(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        self._resume(request, list(queryset), reason=reason_of(request))

    @action(
        description="Pause",
        icon="pause",
        permissions=["change"],
        dialog={
            "title": "Pause",
            "description": "Nothing new starts until it is resumed. What is running goes on to its end.",
            "form_class": ReasonForm,
            "form_submit_text": "Pause",
        },
    )
    def pause(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        row = self.row(request, object_id)
        self._pause(request, [row], reason=form.cleaned_data["reason"])
        return leave(request, page(row))

    @action(
        description="Resume",
        icon="play_arrow",
        permissions=["change"],
        dialog={
            "title": "Resume",
            "description": "What is waiting starts again, in its order.",
            "form_class": ReasonForm,
            "form_submit_text": "Resume",
        },
    )
    def resume(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        row = self.row(request, object_id)
        self._resume(request, [row], reason=form.cleaned_data["reason"])
        return leave(request, page(row))

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[UnfoldAction]:
        """Only the button that does something."""
        row = self.get_object(request, object_id)
        idle = "resume" if row is None or row.paused_at is None else "pause"
        return [found for found in super().get_actions_detail(request, object_id) if found.path != idle]

    def save_model(
        self, request: HttpRequest, obj: PausableRow, form: "ModelForm[Any]", change: bool
    ) -> None:
        """Write only what was edited: workers and beat write the other columns meanwhile."""
        if change:
            obj.save(update_fields=form.changed_data)
        else:
            super().save_model(request, obj, form, change)

    def _pause(self, request: HttpRequest, rows: list[PausableRow], *, reason: str) -> None:
        by = operator(request).get_username()
        done = [row for row in rows if pause(row, by=by, reason=reason)]
        log(request, done, f"Paused. {reason}".strip())
        self.message_user(request, f"Paused {_names(done)}.")

    def _resume(self, request: HttpRequest, rows: list[PausableRow], *, reason: str) -> None:
        by = operator(request).get_username()
        done = [row for row in rows if resume(row, by=by, reason=reason)]
        log(request, done, f"Resumed. {reason}".strip())
        self.message_user(request, f"Resumed {_names(done)}.")


def _names(rows: list[PausableRow]) -> str:
    """The first few by name; the others as a number."""
    if not rows:
        return "nothing: there was nothing to change"
    others = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    return ", ".join(str(row) for row in rows[:3]) + others
