"""Replay and resolve dead letters: as actions of the lists and as buttons of a run's page."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from unfold.enums import ActionVariant

from sync.admin.audit import log
from sync.admin.base import Admin, action, leave, operator
from sync.admin.reasons import ReasonActionForm, ReasonForm, reason_of
from sync.admin.words import link, moment, page
from sync.ledger.dead_letters import resolve
from sync.ledger.replay import PER_MINUTE, ReplayedMany, replay_many
from sync.models import SyncRun
from sync.models.run_queries import SyncRunQuerySet

AT_ONCE = 200  # replays per action: some seconds of one web request


class ReplayingAdmin(Admin):
    """The pages of runs that may be dead letters: who may change runs may replay and resolve them."""

    action_form = ReasonActionForm
    actions: tuple[str, ...] = ("replay_selected", "resolve_selected")
    actions_detail: tuple[str, ...] = ("replay", "resolve")

    def has_control_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether the user may cancel, replay and resolve."""
        return bool(request.user.has_perm("sync.change_syncrun"))

    @action(description="Replay the selected", permissions=["control"])
    def replay_selected(self, request: HttpRequest, queryset: SyncRunQuerySet) -> None:
        self._replay(request, _bare(queryset), reason=reason_of(request))

    @action(description="Mark the selected as resolved", permissions=["control"])
    def resolve_selected(self, request: HttpRequest, queryset: SyncRunQuerySet) -> None:
        self._resolve(request, _bare(queryset), reason=reason_of(request))

    @action(
        description="Replay",
        icon="replay",
        variant=ActionVariant.PRIMARY,
        permissions=["control"],
        dialog={
            "title": "Replay this sync",
            "description": "It starts again with all its attempts; what it tried so far stays to be read.",
            "form_class": ReasonForm,
            "form_submit_text": "Replay the sync",
        },
    )
    def replay(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        run = self.row(request, object_id)
        self._replay(request, SyncRun.objects.filter(pk=run.pk), reason=form.cleaned_data["reason"])
        return leave(request, page(SyncRun(pk=run.pk)))  # its page as a dead letter may be gone now

    @action(
        description="Resolve",
        icon="done_all",
        permissions=["control"],
        dialog={
            "title": "Mark as resolved",
            "description": "It stays in the history, and is no longer counted as a dead letter.",
            "form_class": ReasonForm,
            "form_submit_text": "Mark as resolved",
        },
    )
    def resolve(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        run = self.row(request, object_id)
        self._resolve(request, SyncRun.objects.filter(pk=run.pk), reason=form.cleaned_data["reason"])
        return leave(request, page(SyncRun(pk=run.pk)))

    def _replay(self, request: HttpRequest, runs: SyncRunQuerySet, *, reason: str) -> None:
        if (chosen := runs.dead_letters().count()) > AT_ONCE:
            text = f"Nothing was replayed: {chosen} are too many, {AT_ONCE} at once are allowed."
            text = f"{text} `manage.py dead_letters replay` has no such limit."
            self.message_user(request, text, messages.ERROR)
            return
        done = replay_many(runs, by=operator(request).get_username(), reason=reason)
        log(request, [*done.sent, *(one.run for one in done.joined)], f"Replayed. {reason}".strip())
        self._tell(request, done)

    def _tell(self, request: HttpRequest, done: ReplayedMany) -> None:
        if not done.sent and not done.joined:
            self.message_user(request, "Nothing was replayed: there was no dead letter.", messages.WARNING)
        if len(done.sent) == 1:
            self.message_user(request, format_html("Sent back. {}", link(page(done.sent[0]), "Follow it")))
        elif done.sent:
            pace = f"{PER_MINUTE} a minute of each provider, the last at {moment(done.last_at)}"
            self.message_user(request, f"Sent back {len(done.sent)}: {pace}.")
        for one in done.joined[:1]:
            text = f"Open syncs of the same ad accounts do the work of {len(done.joined)}."
            follow = link(page(one.joined or one.run), "See it")
            self.message_user(request, format_html("{} {}", text, follow))

    def _resolve(self, request: HttpRequest, runs: SyncRunQuerySet, *, reason: str) -> None:
        done = resolve(runs, by=operator(request).get_username(), reason=reason)
        log(request, done, f"Resolved. {reason}".strip())
        self.message_user(request, f"Resolved {len(done)}." if done else "There was no dead letter.")


def _bare(queryset: SyncRunQuerySet) -> SyncRunQuerySet:
    """The same rows without the list's joins, which a row lock can't take."""
    return SyncRun.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)))
