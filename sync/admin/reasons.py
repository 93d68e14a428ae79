"""Why somebody did something, for whoever wonders later: asked for by buttons and by actions of a list."""

from django import forms
from django.http import HttpRequest
from unfold.forms import ActionForm, BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

LONGEST = 200


class ReasonForm(BaseDialogForm):
    """The dialog of a button."""

    reason = forms.CharField(
        max_length=LONGEST, required=False, label="Reason (optional)", widget=UnfoldAdminTextInputWidget
    )


class ReasonActionForm(ActionForm):
    """A list's actions, with a field beside them as soon as one is chosen that keeps a reason."""

    reason = forms.CharField(
        max_length=LONGEST,
        required=False,
        label="",
        widget=forms.TextInput(
            {
                "class": "bg-white/20 font-medium grow px-3 py-1 rounded-default text-white",
                "placeholder": "Reason (optional)",
                "aria-label": "Reason (optional)",
                "x-show": "/^(pause|resume|cancel|replay|resolve)_/.test(action)",
            }
        ),
    )


def reason_of(request: HttpRequest) -> str:
    """What was written beside the action of a list; its form has checked it."""
    return str(request.POST.get("reason", "")).strip()
