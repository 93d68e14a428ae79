"""API tokens: made here, shown once, and then known by their first characters only. Deleting revokes."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from knox.models import get_digest_token
from knox.settings import CONSTANTS, knox_settings

from sync.admin.base import Admin, display
from sync.admin.filters import AutocompleteSelectFilter
from sync.admin.words import moment
from sync.models import ApiToken


class ApiTokenForm(forms.ModelForm):  # type: ignore[type-arg]  # takes none at run time
    """A token acts for one member in one account, until it expires."""

    class Meta:
        help_texts = {"expiry": f"Empty: {knox_settings.TOKEN_TTL.days} days from now."}

    def clean_expiry(self) -> datetime:
        """Empty means the usual time: a token that never ends is not made by leaving a field out."""
        now = timezone.now()
        expiry: datetime = self.cleaned_data["expiry"] or now + knox_settings.TOKEN_TTL
        if expiry <= now:
            raise forms.ValidationError("This moment is past.")
        return expiry

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        account, user = cleaned.get("account"), cleaned.get("user")
        if account and user and not account.memberships.filter(user=user).exists():
            self.add_error("user", f"{user} is not a member of {account}.")
        return cleaned


@admin.register(ApiToken)
class ApiTokenAdmin(Admin):
    """Only a hash is stored, so a lost token can't be shown again: make a new one."""

    form = ApiTokenForm
    list_display = ("start", "name", "account", "user", "made", "expires")
    list_select_related = ("account", "user")
    list_filter = (("account", AutocompleteSelectFilter),)
    search_fields = ("name", "token_key__startswith", "user__username", "account__name")
    search_help_text = "Name, first characters, user or account"
    ordering = ("-created",)
    autocomplete_fields = ("account", "user")
    fields = ("account", "user", "name", "expiry")

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        return ("start", "account", "user", "name", "made", "expires") if obj else self.fields

    def save_model(self, request: HttpRequest, obj: ApiToken, form: ApiTokenForm, change: bool) -> None:
        obj.digest, token = get_digest_token()
        obj.token_key = token[: CONSTANTS.TOKEN_KEY_LENGTH]
        super().save_model(request, obj, form, change)
        text = "The token, shown this once; copy it now: <code>{}</code>"
        messages.warning(request, format_html(text, token))

    @display(description="Token")
    def start(self, token: ApiToken) -> str:
        return f"{token.token_key}…"

    @display(description="Made", ordering="created")
    def made(self, token: ApiToken) -> str:
        return moment(token.created)

    @display(description="Expires", ordering="expiry")
    def expires(self, token: ApiToken) -> str:
        return moment(token.expiry) if token.expiry else "Never"
